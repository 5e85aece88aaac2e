/** How an operator's Markdown looks in a mail: attributes by tag, since no stylesheet reaches what is rendered later. */
import { type Accent, BUILT_IN } from '../../core/branding/accent.ts'

const MONOSPACE = 'font-family:ui-monospace,Menlo,Consolas,monospace;font-size:14px'
const CELL = 'border-bottom:1px solid #cbd3bf;padding:6px 14px 6px 0;text-align:left;vertical-align:top'

/** The classes are those of the dark theme in `head.mjml`. */
export const markdownLook = (accent: Accent | null): Record<string, Record<string, string>> => ({
  p: { class: 'ink', style: 'margin:0 0 14px' },
  h2: { class: 'ink', style: 'margin:22px 0 8px;font-size:22px;line-height:28px' },
  h3: { class: 'ink', style: 'margin:18px 0 6px;font-size:18px;line-height:24px' },
  h4: { class: 'ink', style: 'margin:16px 0 4px;font-size:16px;line-height:24px' },
  ul: { class: 'ink', style: 'margin:0 0 14px;padding:0 0 0 22px' },
  ol: { class: 'ink', style: 'margin:0 0 14px;padding:0 0 0 26px' },
  li: { style: 'margin:0 0 6px' },
  a: { class: 'act', style: `color:${accent?.light.act ?? BUILT_IN.light.act}` },
  blockquote: { class: 'topic', style: 'margin:0 0 14px;border-left:3px double #d68f84;padding:3px 0 3px 14px' },
  pre: { class: 'ink', style: `margin:0 0 14px;${MONOSPACE};line-height:20px;white-space:pre-wrap` },
  code: { style: MONOSPACE },
  hr: { class: 'rule', style: 'margin:20px 0;border:0;border-top:1px solid #cbd3bf' },
  table: { class: 'ink', style: 'margin:0 0 14px;border-collapse:collapse' },
  th: { class: 'rule', style: CELL },
  td: { class: 'rule', style: CELL },
})
