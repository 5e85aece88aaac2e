/** Keeps short words with hyphens on one line, in pages and mails. */
import { escapeHtml } from './mail-text.ts'

/** Words with a hyphen, after a space or an opening bracket: "mj-include" of a tag that a title quotes is none. So short a word still fits the narrowest phone in the largest letters. */
const HYPHENATED = /(?<=^|[\s([“‘])[\p{L}\p{N}.]+(?:-[\p{L}\p{N}.]+)+/gu
const MOST_KEPT_WHOLE = 10
const SHORT_PART = /(?:^|-).{1,2}(?:-|$)/u

/**
 * A text as HTML in which no line ends inside words such as X-ray, k-means and GPT-4: these stand in a span with the
 * given attributes. The text stays as it is, so that it is found and copied as it was written; `raw` in the template keeps
 * the result from being escaped again.
 */
export const wholeWords = (text: string, attributes: string): string =>
  escapeHtml(text).replace(HYPHENATED, (word) =>
    word.length <= MOST_KEPT_WHOLE && SHORT_PART.test(word) ? `<span ${attributes}>${word}</span>` : word,
  )
