/** The phrases that many papers of a library share and few other papers have. */
import { EMPTY_WORDS, type Vocabulary } from '../relevance/terms.ts'
import { MOST_OWN, readKeywords } from '../subscriber/custom-terms.ts'
import { createPhraseFinder, plainPhrase, quoteAt, type Token, tokenise } from '../text/phrases.ts'
import type { LibraryEntry } from './library-entry.ts'

export interface SuggestedKeyword {
  keyword: string
  /** How many of the entries hold it. */
  entries: number
  chosen: boolean
}

/** Words of a phrase: what is longer is a title. */
const MOST_WORDS = 4
/** Phrases of titles and keyword lists that are counted in the abstracts: those that most titles share. */
const MOST_CANDIDATES = 2_000
const LEAST_ENTRIES = 3
const LEAST_SHARE = 0.015
/** A phrase that a larger share of all papers hold is a topic, and finds too much; of a single word that is sooner so. */
const MOST_COMMON = { one: 0.004, several: 0.012 }
/** The longer of two phrases stands for the shorter, of whose entries it has this share. */
const SAME_PHRASE = 0.7
const MOST_CHOSEN = 5

/** What begins or ends no subject, though it is no empty word. */
const NO_END = new Set(
  tokenise(
    'toward towards via review survey introduction study studies case analysis evidence role effect effects based aware driven guided level ' +
      'large small general efficient effective improving improved understanding learning better fast simple good need ' +
      'one two three first second non multi self all you your is can need via beyond rethinking revisiting',
  ).map(({ word }) => word),
)

/** What ends no subject: what it tells of comes behind it. */
const NO_LAST = new Set(['language', 'large'])

const isEnd = (word: string): boolean =>
  EMPTY_WORDS.has(word) || NO_END.has(word) || /^\d/.test(word) || word.length < 2

/** A word that is a name or a short form as it is written: `LoRA`, `SLAM`, `AlphaFold2`. */
const isNamed = (written: string): boolean => /\p{Ll}\p{Lu}|\p{Lu}{3}|\p{Lu}\p{Ll}*\d/u.test(written)

/** The phrases in a text, in their plain form, each once; of single words those that are names, or all where that is asked. */
const phrasesIn = (text: string, tokens: readonly Token[], withWords: boolean): Set<string> => {
  const phrases = new Set<string>()
  for (const [from, first] of tokens.entries()) {
    if (isEnd(first.word)) continue
    const words = [first.word]
    if (withWords || isNamed(text.slice(first.start, first.end))) phrases.add(first.word)
    for (let at = from + 1; at < tokens.length && words.length < MOST_WORDS; at++) {
      const { word, barred } = tokens[at] as Token
      // "Mixture of experts" is one phrase; over other empty words none goes on.
      if (barred || (EMPTY_WORDS.has(word) && word !== 'of')) break
      words.push(word)
      if (!isEnd(word) && !NO_LAST.has(word)) phrases.add(words.join(' '))
    }
  }
  return phrases
}

/** What the vocabulary leaves out since more than a quarter of all papers hold it: it tells nothing. */
const COMMONEST = new Set(
  tokenise(
    'model language large introduce task performance training benchmark framework data generation llm achieve experiment high ' +
      'http dataset capability reasoning state github learning code quality image address evaluation work art challenge multi fine',
  ).map(({ word }) => word),
)
const COMMONEST_PAIRS = new Set(['language model', 'large language'])
const COMMONEST_SHARE = 0.3

/** The share of all papers that hold a phrase at most, by its rarest word or pair that is known. */
const createShareOf = ({ papers, terms, frequencies }: Vocabulary): ((phrase: string) => number) => {
  const counts = new Map(terms.map((term, at) => [term, frequencies[at] ?? 0]))
  const least = Math.min(...terms.map((_, at) => frequencies[at] ?? 0).filter((count) => count > 0))
  return (phrase) => {
    const words = phrase.split(' ')
    const parts = words.length === 1 ? words : words.slice(1).map((word, at) => `${words[at]} ${word}`)
    const shares = parts.map((part) =>
      COMMONEST.has(part) || COMMONEST_PAIRS.has(part) ? COMMONEST_SHARE : (counts.get(part) ?? least) / papers,
    )
    return Math.min(...shares)
  }
}

/** Whether a phrase is within another of plain form, word by word. */
const isWithin = (phrase: string, other: string): boolean => ` ${other} `.includes(` ${phrase} `)

/** A phrase as it is written most often: by abstracts and lists of keywords, else by titles, without their capitals. */
const writingOf = (writings: ReadonlyMap<string, number>, fromTitles: ReadonlyMap<string, number>): string => {
  const commonest = (of: ReadonlyMap<string, number>) =>
    [...of].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0]
  const written = commonest(writings)
  if (written !== undefined) return written
  return (commonest(fromTitles) ?? '').replace(/(?<![\p{L}\p{N}])\p{Lu}(?=\p{Ll}+(?![\p{L}\p{N}]))/gu, (letter) =>
    letter.toLowerCase(),
  )
}

/**
 * The phrases, the most telling first: by how many entries hold them, times how much rarer they are elsewhere. `taken`: phrases by
 * which the topics that are suggested find papers; what is a part of one, or holds one, brings nothing that is new.
 */
export const suggestKeywords = (
  entries: readonly LibraryEntry[],
  vocabulary: Vocabulary,
  taken: Iterable<string>,
): SuggestedKeyword[] => {
  const known = [...new Set([...taken].map(plainPhrase))]
  const isTaken = (phrase: string): boolean => known.some((one) => isWithin(phrase, one) || isWithin(one, phrase))
  const shareOf = createShareOf(vocabulary)
  const least = Math.max(
    Math.min(LEAST_ENTRIES, Math.ceil(entries.length / 4)),
    2,
    Math.ceil(LEAST_SHARE * entries.length),
  )
  const inTitles = new Map<string, number>()
  const fields = entries.map(({ title, abstract, keywords }) => ({ title, abstract, keywords: keywords.join(' ; ') }))
  for (const { title, keywords } of fields) {
    const found = new Set([
      ...phrasesIn(title, tokenise(title), false),
      ...phrasesIn(keywords, tokenise(keywords), true),
    ])
    for (const phrase of found) inTitles.set(phrase, (inTitles.get(phrase) ?? 0) + 1)
  }
  const candidates = [...inTitles]
    .filter(([phrase, count]) => {
      const most = phrase.includes(' ') ? MOST_COMMON.several : MOST_COMMON.one
      return count >= 2 && shareOf(phrase) <= most && !isTaken(phrase)
    })
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, MOST_CANDIDATES)
    .map(([phrase]) => phrase)
  const find = createPhraseFinder(candidates)
  const seen = new Map(
    candidates.map((phrase) => [
      phrase,
      { entries: new Set<number>(), writings: new Map<string, number>(), fromTitles: new Map<string, number>() },
    ]),
  )
  for (const [at, entry] of fields.entries())
    for (const field of ['title', 'abstract', 'keywords'] as const) {
      const text = entry[field]
      for (const { phrase, start, end } of find(tokenise(text))) {
        const known = seen.get(phrase)
        if (known === undefined) continue
        known.entries.add(at)
        const writings = field === 'title' ? known.fromTitles : known.writings
        const written = quoteAt(text, start, end)
        writings.set(written, (writings.get(written) ?? 0) + 1)
      }
    }
  const ranked = [...seen]
    .map(([phrase, known]) => {
      const share = known.entries.size / entries.length
      return { phrase, ...known, value: share * Math.log(share / shareOf(phrase)) }
    })
    .filter((one) => one.entries.size >= least && one.value > 0)
    .sort((a, b) => b.value - a.value || (a.phrase < b.phrase ? -1 : 1))
  const kept: typeof ranked = []
  for (const one of ranked) {
    const isSame = (other: (typeof ranked)[number]): boolean =>
      (isWithin(one.phrase, other.phrase) || isWithin(other.phrase, one.phrase)) &&
      Math.min(one.entries.size, other.entries.size) >= SAME_PHRASE * Math.max(one.entries.size, other.entries.size)
    const same = kept.findIndex(isSame)
    if (same === -1) kept.push(one)
    else if (isWithin((kept[same] as typeof one).phrase, one.phrase)) kept[same] = one
  }
  return kept
    .map(({ entries: holding, writings, fromTitles }) => ({
      keyword: writingOf(writings, fromTitles),
      entries: holding.size,
    }))
    .filter(({ keyword }) => {
      const read = readKeywords([keyword])
      return Array.isArray(read) && read.length === 1
    })
    .slice(0, MOST_OWN)
    .map((keyword, place) => ({ ...keyword, chosen: place < MOST_CHOSEN }))
}
