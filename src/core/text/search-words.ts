/** How texts and queries are written for a full-text search, so that what looks the same to a reader is the same word. */
import { plainLatex } from './latex.ts'

/** Scripts that write no spaces: each character counts as a word, and a run of them as a phrase. */
const UNSPACED =
  '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}]'
const UNSPACED_CHARACTER = new RegExp(UNSPACED, 'gu')
const UNSPACED_RUN = new RegExp(`(?:${UNSPACED}\\p{M}*)+`, 'gu')
const DIACRITICS = /[\u0300-\u036f]/g
/** A word is parted at hyphens, slashes and between letters at dots, or "vision-language" is not found by "vision". */
const JOINTS = /(?<=[\p{L}\p{N}])[-‐‑–/_.](?=\p{L})|(?<=\p{L})[-‐‑–/_.](?=\p{N})|(?<=\p{N})[-‐‑–/_](?=\p{N})/gu

const fold = (text: string): string =>
  text.normalize('NFKD').replace(DIACRITICS, '').normalize('NFC').toLowerCase().replace(JOINTS, ' ')

/** A text of a paper as it is indexed: small letters without accents or LaTeX, joints and signs as spaces. */
export const searchText = (text: string): string =>
  fold(plainLatex(text))
    .replace(/[^\p{L}\p{M}\p{N}.]+/gu, ' ')
    .replace(UNSPACED_CHARACTER, ' $& ')

const spaced = (run: string): string => run.replace(UNSPACED_CHARACTER, ' $& ').trim()

/**
 * What a reader typed as `websearch_to_tsquery` reads it: quotes for a phrase, `or`, and `-` before what must not stand
 * there. A run of characters without spaces becomes a phrase. Holds nothing that Postgres refuses.
 */
export const searchQuery = (typed: string): string =>
  fold(typed.toWellFormed().replace(/[“”„«»]/g, '"'))
    .replace(/[^\p{L}\p{M}\p{N}."-]+/gu, ' ')
    .split('"')
    .map((part, at) =>
      at % 2 === 1
        ? spaced(part)
        : part.replace(UNSPACED_RUN, (run) => (run.length > 1 ? `"${spaced(run)}" ` : `${run} `)),
    )
    .join('"')
    .trim()
