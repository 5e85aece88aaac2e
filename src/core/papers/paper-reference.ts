/** Which paper somebody means who typed or pasted an arXiv id, or an address of a paper at arXiv or Hugging Face. */
import { readArxivId } from './paper-row.ts'

/** Addresses of a paper that end in its id; the scheme may be left out. */
const PAGE =
  /^(?:https?:\/\/)?(?:(?:www\.|export\.|browse\.)?arxiv\.org\/(?:abs|pdf|html|format)|(?:www\.)?huggingface\.co\/papers|hf\.co\/papers)\//i

/** Longer than any address of a paper. */
const MAX_LENGTH = 500

/** The arXiv id, without its version; `null` where the text names no paper at arXiv. */
export const readPaperReference = (typed: string): string | null => {
  const text = typed.trim()
  if (text.length > MAX_LENGTH) return null
  if (!PAGE.test(text)) return readArxivId(text)
  return readArxivId(
    text
      .replace(PAGE, '')
      .replace(/[?#].*$/s, '')
      .replace(/\/+$/, ''),
  )
}
