/** The words of the installation in an email: its Markdown as HTML in the email's own styles, and as text. */
import { type Accent, BUILT_IN } from '../../core/branding/accent.ts'
import { markdownToHtml, markdownToText } from '../../core/text/markdown.ts'

const SANS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const SERIF = "'Iowan Old Style','Palatino Linotype',Palatino,P052,Georgia,serif"

/** As `head.mjml` has them: text is inserted after its styles were put into the elements, and dark themes go by the class. */
const STYLES = {
  body: { class: 'ink', style: `margin: 0; padding-top: 8px; color: #1c251e; font: 16px/25px ${SERIF}` },
  small: { class: 'quiet', style: `margin: 0; padding-top: 8px; color: #515b50; font: 14px/21px ${SANS}` },
} as const

export interface OwnWords {
  html: string
  text: string
}

/** `small`: as what stands at the foot of an email. */
export const ownWords = (markdown: string, accent: Accent | null, size: keyof typeof STYLES): OwnWords => {
  const words = STYLES[size]
  const inList = { ...words, style: words.style.replace('padding-top: 8px', 'padding: 0') }
  const list = { style: 'margin: 0; padding: 8px 0 0 22px' }
  const attributes = {
    p: words,
    li: inList,
    h2: words,
    h3: words,
    h4: words,
    ul: list,
    ol: list,
    blockquote: { style: 'margin: 0; padding: 0 0 0 16px' },
    a: { class: 'act', style: `color: ${accent?.light.act ?? BUILT_IN.light.act}` },
  }
  return { html: markdownToHtml(markdown, { topHeading: 2, attributes }), text: markdownToText(markdown) }
}
