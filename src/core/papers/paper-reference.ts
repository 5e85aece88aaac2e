/** Which paper somebody means who typed or pasted an arXiv id, a DOI, or an address of a paper at arXiv, Hugging Face, bioRxiv or medRxiv. */
import { readArxivId } from './paper-row.ts'

/** Addresses of a paper that end in its id; the scheme may be left out. */
const PAGE =
  /^(?:https?:\/\/)?(?:(?:www\.|export\.|browse\.)?arxiv\.org\/(?:abs|pdf|html|format)|(?:www\.)?huggingface\.co\/papers|hf\.co\/papers)\/|^(?:(?:https?:\/\/)?(?:dx\.)?doi\.org\/|doi:\s*)?10\.48550\/arxiv\./i

/** Longer than any address of a paper. */
const MAX_LENGTH = 500

/** A DOI of bioRxiv or medRxiv, alone or in an address there, with a version and what follows it. */
const PREPRINT =
  /^(?:doi:\s*)?(?:(?:https?:\/\/)?(?:(?:dx\.)?doi\.org|(?:www\.)?(bio|med)rxiv\.org\/content)\/)?(10\.(?:1101|64898)\/(?:\d{4}\.\d\d\.\d\d\.)?\d{6,8})(?:v\d+)?(?:\.[\w.-]{1,40})?$/i

/** The numbers of medRxiv have eight digits, which begin with the year, and those of bioRxiv six. */
const preprintOf = (text: string): string | null => {
  const [, server, doi] = PREPRINT.exec(text.replace(/[?#].*$/s, '').replace(/\/+$/, '')) ?? []
  if (doi === undefined) return null
  const named = server?.toLowerCase() ?? (/\.\d{8}$/.test(doi) ? 'med' : 'bio')
  return `${named}rxiv:${doi}`
}

/** The id, without its version; `null` where the text names no paper at one of these. */
export const readPaperReference = (typed: string): string | null => {
  const text = typed.trim()
  if (text.length > MAX_LENGTH) return null
  if (!PAGE.test(text)) return readArxivId(text) ?? preprintOf(text)
  return readArxivId(
    text
      .replace(PAGE, '')
      .replace(/[?#].*$/s, '')
      .replace(/\/+$/, ''),
  )
}
