/** Explains short forms where a text is shown without the sentence that explained them: `TSR` as `time series reasoning (TSR)`. */
import { unknownNames } from './known-names.ts'

const LETTER = /[\p{L}\p{N}]/u
/** What stands before a bracket may be so long, in words: two more than the short form has letters, and not less than these. */
const EXTRA_WORDS = 3

/**
 * The words at the end of `before` that a short form is made of, or `null`: its letters in order, from the right, the first of
 * them at the beginning of a word (Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions", 2003).
 */
const longFormBefore = (before: string, short: string): string | null => {
  const words = before.split(' ').slice(-(short.length + EXTRA_WORDS))
  const text = words.join(' ')
  let at = text.length
  for (let letter = short.length - 1; letter >= 0; letter--) {
    const wanted = short.charAt(letter).toLowerCase()
    do at--
    while (
      at >= 0 &&
      (text.charAt(at).toLowerCase() !== wanted || (letter === 0 && at > 0 && LETTER.test(text.charAt(at - 1))))
    )
    if (at < 0) return null
  }
  return text.slice(at)
}

/** A long form that begins a sentence stands in the middle of one: a capital stays where others follow. */
const inSentence = (long: string): string =>
  /^\p{Lu}[\p{Ll}-]+(?: [\p{Ll}\p{N}-]+)*$/u.test(long) ? long.charAt(0).toLowerCase() + long.slice(1) : long

const singular = (long: string): string => long.replace(/ies$/, 'y').replace(/(?<=[^su])s$/, '')
const plural = (long: string): string => (/s$/.test(long) ? long : `${long.replace(/(?<=[^aeiou])y$/, 'ie')}s`)

/** What an abstract says that a short form stands for, in one: `long form (SHORT)`. `null` where it does not say. */
const explanationOf = (short: string, isPlural: boolean, abstract: string): string | null => {
  const named = isPlural ? `${short}s` : short
  const bracket = new RegExp(`\\s?\\((?:the |or |i\\.e\\.,? )?${short}(s?)[),;]`, 'u').exec(abstract)
  if (bracket !== null) {
    const long = longFormBefore(abstract.slice(0, bracket.index).trimEnd(), short)
    if (long === null || long.length <= short.length || /[.;:()]/.test(long)) return null
    const isDefinedPlural = bracket[1] === 's'
    return `${inSentence(isPlural ? plural(long) : isDefinedPlural ? singular(long) : long)} (${named})`
  }
  const [, inside = ''] = new RegExp(`\\b${short} \\(([^()]{4,80})\\)`, 'u').exec(abstract) ?? []
  return longFormBefore(inside, short)?.length === inside.length ? `${named} (${inside})` : null
}

/** A short form that stands in the title alone is not explained by it; one at its head is the paper's own name. */
const SHORT_IN_TITLE = /(?<=[^\s:] +)\p{Lu}{2,}s?(?:-\p{Ll})?(?![\p{L}\p{N}-])/gu

const VOWEL = /^[aeiou]/iu

/**
 * An excerpt in which the short forms that neither it nor the title explains are explained where they first stand, if the
 * abstract does and the result is no longer than `most` UTF-16 units.
 */
export const withShortForms = (excerpt: string, title: string, abstract: string, most: number): string => {
  let shown = excerpt
  for (const short of unknownNames(excerpt, title.replace(SHORT_IN_TITLE, '0'))) {
    const found = new RegExp(`(?<![\\p{L}\\p{N}(/+-])(an? )?${short}(s?)(?![\\p{L}\\p{N}-]| \\()`, 'u').exec(shown)
    if (found === null || new RegExp(`\\(${short}|${short} \\(`, 'u').test(excerpt)) continue
    const [whole, article, ending] = found
    const explained = explanationOf(short, ending === 's', abstract)
    if (explained === null) continue
    const fitting = article === undefined ? '' : VOWEL.test(explained) ? 'an ' : 'a '
    const longer = shown.slice(0, found.index) + fitting + explained + shown.slice(found.index + whole.length)
    if (longer.length <= most) shown = longer
  }
  return shown
}
