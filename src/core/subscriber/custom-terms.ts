/** Custom terms, which readers write themselves (keywords, authors, muted words): cleaned, distinct, or refused in words. */
import { isWholeName, nameWords } from '../text/author-name.ts'
import { plainLatex } from '../text/latex.ts'
import { plainPhrase } from '../text/phrases.ts'
import { cleanLine, quoted } from '../text/text.ts'

/** How many of each kind; longest entries in UTF-16 units. The table has the same limits. */
export const MOST_OWN = 20
export const PHRASE_LENGTH = 60
export const AUTHOR_LENGTH = 80

/** Why a list is refused: a sentence for its writer, and what would be right for a program. */
export interface Refusal {
  problem: string
  expected: string
}

/** One form for all spellings of a phrase; phrases with the same one find the same papers. */
export const keyOfPhrase = (phrase: string): string => plainPhrase(plainLatex(phrase))

/** One form for all spellings of a followed author. */
export const keyOfAuthor = (author: string): string => nameWords(author).join(' ')

interface Kind {
  /** What one entry is called, and several. */
  one: string
  many: string
  longest: number
  separators: RegExp
  keyOf: (entry: string) => string
  /** Why an entry that is clean and short enough cannot be looked for, or `null`. */
  problemOf: (entry: string, key: string) => string | null
}

const phraseKind = (one: string, many: string): Kind => ({
  one,
  many,
  longest: PHRASE_LENGTH,
  separators: /[\r\n,;]+/,
  keyOf: keyOfPhrase,
  problemOf: (entry, key) => {
    if (/[<>]/.test(entry)) return `Remove < and > from ${quoted(entry)}.`
    if (entry.includes('://')) return `${quoted(entry)} is a web address. Enter words that appear in papers.`
    return key.length < 2 ? `${quoted(entry)} is too short. Use at least two letters or digits.` : null
  },
})

const KEYWORDS = phraseKind('keyword', 'keywords')
const MUTED = phraseKind('muted word', 'muted words')
const AUTHORS: Kind = {
  one: 'author',
  many: 'authors',
  longest: AUTHOR_LENGTH,
  // A comma is part of "Hinton, Geoffrey".
  separators: /[\r\n;]+/,
  keyOf: keyOfAuthor,
  problemOf: (entry) =>
    isWholeName(nameWords(entry)) ? null : `${quoted(entry)} isn’t a full name. Enter one such as Grace Hopper.`,
}

/** Pictures among words, which no paper has. */
const PICTURES = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\uFE0E\uFE0F]|\u20E3/gu
/** Nobody's entry is this long; what is longer need not be cleaned to the end. */
const LONGEST_READ = 1_000

const cleanEntry = (text: string): string => cleanLine(text.slice(0, LONGEST_READ).replace(PICTURES, ' '), LONGEST_READ)

/**
 * A list as a form (one entry a line), a JSON body (an array) or a table gives it: the entries as they were written but
 * for controls and pictures, one of each key, in the order of their keys.
 */
const readList = (raw: unknown, kind: Kind): string[] | Refusal => {
  const expected = `at most ${MOST_OWN} ${kind.many} of at most ${kind.longest} characters`
  const given = typeof raw === 'string' ? [raw] : (raw ?? [])
  if (!Array.isArray(given) || !given.every((entry) => typeof entry === 'string')) {
    return { problem: `Send the ${kind.many} as a list of strings.`, expected }
  }
  const byKey = new Map<string, string>()
  // Composed before it is split: the Greek question mark, U+037E, is a semicolon then, and would split when read again.
  for (const entry of given.flatMap((text) => text.normalize('NFC').split(kind.separators))) {
    // What is only white space is an empty line; what is only pictures is a mistake to be told of.
    if (entry.trim() === '') continue
    const line = cleanEntry(entry)
    if (line.length > kind.longest) {
      const problem = `${quoted(line)} is too long. The limit is ${kind.longest} characters.`
      return { problem, expected }
    }
    const key = kind.keyOf(line)
    const problem = kind.problemOf(line === '' ? entry : line, key)
    if (problem !== null) return { problem, expected }
    if (!byKey.has(key)) byKey.set(key, line)
  }
  if (byKey.size > MOST_OWN) {
    const problem = `You have ${byKey.size} ${kind.many}, and the limit is ${MOST_OWN}. Remove ${byKey.size - MOST_OWN}.`
    return { problem, expected }
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

export const readKeywords = (raw: unknown): string[] | Refusal => readList(raw, KEYWORDS)

export const readAuthors = (raw: unknown): string[] | Refusal => readList(raw, AUTHORS)

/** Muted words; one that is a keyword too is refused, for it would drop every paper that the keyword brings. */
export const readMuted = (raw: unknown, keywords: readonly string[]): string[] | Refusal => {
  const muted = readList(raw, MUTED)
  if (!Array.isArray(muted)) return muted
  const wanted = new Set(keywords.map(keyOfPhrase))
  const both = muted.find((word) => wanted.has(keyOfPhrase(word)))
  return both === undefined
    ? muted
    : {
        problem: `${quoted(both)} is also one of your keywords. Remove it from one of the two.`,
        expected: 'no keyword',
      }
}
