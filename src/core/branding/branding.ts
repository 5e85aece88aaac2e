/** What an installation sets for itself: its name, colour and logo, and the words that are its own. */
import { checkMarkdown } from '../text/markdown.ts'
import type { Accent } from './accent.ts'
import type { Logo } from './logo.ts'
import { DEFAULT_NAME } from './service-name.ts'

export interface Branding {
  /** The name that readers know. */
  name: string
  accent: Accent | null
  logo: Logo | null
  texts: BrandingTexts
}

/** Markdown; `null` where there is none. */
export interface BrandingTexts {
  /** Above the papers of a reader's first digest. */
  welcome: string | null
  /** At the foot of every page and email. */
  footer: string | null
  /** A part of the privacy page. */
  privacy: string | null
  /** A page of its own, which every page and email links to. */
  imprint: string | null
}

/** Of an installation that sets nothing. */
export const UNBRANDED: Branding = {
  name: DEFAULT_NAME,
  accent: null,
  logo: null,
  texts: { welcome: null, footer: null, privacy: null, imprint: null },
}

/** The most characters of each text: what stands in every email costs its papers their room. */
export const TEXT_LENGTHS: Record<keyof BrandingTexts, number> = {
  welcome: 1_500,
  footer: 500,
  privacy: 20_000,
  imprint: 10_000,
}

/** Reads the file of a text; `problems`: clauses, one for each thing that would not be shown as it was meant. */
export const readBrandingText = (
  name: keyof BrandingTexts,
  content: Buffer,
): { text: string | null } | { problems: string[] } => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content).replace(/\r\n?/g, '\n').trim()
  } catch {
    return { problems: ['is not UTF-8'] }
  }
  if (text === '') return { text: null }
  const problems: string[] = []
  const [control] = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u.exec(text) ?? []
  if (control !== undefined) {
    const line = text.slice(0, text.indexOf(control)).split('\n').length
    problems.push(`line ${line} has a control character (U+${codeOf(control)}); leave it out`)
  }
  const most = TEXT_LENGTHS[name]
  if ([...text].length > most) problems.push(`has ${[...text].length} characters; ${most} are the most`)
  // Emails have no address that a path could begin at.
  const isPage = name === 'privacy' || name === 'imprint'
  for (const { line, problem } of checkMarkdown(text, { paths: isPage })) problems.push(`line ${line}: ${problem}`)
  return problems.length > 0 ? { problems } : { text }
}

const codeOf = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
