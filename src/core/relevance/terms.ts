/**
 * A paper as a sparse vector: its words and pairs of neighbouring words, each weighted by how often it occurs there and how
 * rare it is elsewhere (tf-idf), scaled to length 1, or less for a text of few words.
 */
import { tokenise } from '../text/phrases.ts'
import { FIELDS, type Field, type Reading } from './reading.ts'

/** A word or pair in a paper: how often it occurs (the title counts double), and where first. */
export interface TermOccurrence {
  often: number
  field: Field
  start: number
  end: number
}

/** The terms that are known, in the order of their numbers, and in how many of the papers each stood. */
export interface Vocabulary {
  papers: number
  terms: readonly string[]
  frequencies: Readonly<Uint16Array>
  /** The length of a paper's weights before they are scaled, in the median. */
  usualLength: number
}

/** Numbers of terms and their weights, pair by pair. */
export interface TermVector {
  at: Int32Array
  weights: Float32Array
  /** How much of a paper the text is by its known words, 0 to 1: the length of the vector. */
  fullness: number
}

const TITLE_COUNTS = 2
/** A term of fewer papers cannot be learnt; one of more than a quarter of all papers tells nothing. */
const MIN_FREQUENCY = 4
const MAX_SHARE = 0.25
/** More terms than this moved the quality by less than can be measured. */
const MAX_TERMS = 15_000
/** The share of the usual length below which a text is no whole paper. */
const MIN_LENGTH = 0.75

/** Words that tell no subject: grammar, and what every abstract says of itself. */
const EMPTY_WORDS = new Set(
  tokenise(
    'a an the of and or to in for with on by from as is are was were be been being this that these those we our it its ' +
      'at can which while such their they them via into than then also have has had not but however both more most ' +
      'over under between across through each other using use uses used based show shows propose proposed present ' +
      'paper approach method methods result results demonstrate existing novel new when where what why who how whether ' +
      'if only even just still thus hence here there do does did will would could should may might must some any all ' +
      'no so because without within during after before up out about against among i e g',
  ).map(({ word }) => word),
)

/** All words and pairs of a paper that may tell its subject. A pair ends at a comma or an empty word. */
export const findTerms = (reading: Reading): Map<string, TermOccurrence> => {
  const occurrences = new Map<string, TermOccurrence>()
  const see = (term: string, field: Field, start: number, end: number): void => {
    const often = field === 'title' ? TITLE_COUNTS : 1
    const known = occurrences.get(term)
    if (known === undefined) occurrences.set(term, { often, field, start, end })
    else known.often += often
  }
  for (const field of FIELDS) {
    let before: { word: string; start: number } | null = null
    for (const { word, start, end, barred } of reading[field].tokens) {
      if (EMPTY_WORDS.has(word)) {
        before = null
        continue
      }
      see(word, field, start, end)
      if (before !== null && !barred) see(`${before.word} ${word}`, field, before.start, end)
      before = { word, start }
    }
  }
  return occurrences
}

type Terms = ReadonlyMap<string, TermOccurrence>

const raritiesOf = ({ papers, frequencies }: Pick<Vocabulary, 'papers' | 'frequencies'>): Float32Array =>
  Float32Array.from(frequencies, (frequency) => 1 + Math.log((1 + papers) / (1 + frequency)))

/** The known terms of a paper with their weights, not yet scaled. */
const weighTerms = (terms: Terms, numbers: ReadonlyMap<string, number>, rarities: Float32Array) => {
  const at: number[] = []
  const weights: number[] = []
  let squares = 0
  for (const [term, { often }] of terms) {
    const number = numbers.get(term)
    if (number === undefined) continue
    const weight = (1 + Math.log(often)) * (rarities[number] ?? 0)
    at.push(number)
    weights.push(weight)
    squares += weight * weight
  }
  return { at, weights, length: Math.sqrt(squares) }
}

const numbersOf = (terms: readonly string[]): Map<string, number> => new Map(terms.map((term, at) => [term, at]))

/** The vocabulary of many papers: the terms that can be learnt, the commonest first. */
export const countTerms = (papers: readonly Terms[]): Vocabulary => {
  const counts = new Map<string, number>()
  for (const terms of papers) for (const term of terms.keys()) counts.set(term, (counts.get(term) ?? 0) + 1)
  const kept = [...counts]
    .filter(([, count]) => count >= MIN_FREQUENCY && count <= MAX_SHARE * papers.length)
    .sort(([a, often], [b, lessOften]) => lessOften - often || (a < b ? -1 : 1))
    .slice(0, MAX_TERMS)
  const terms = kept.map(([term]) => term)
  const frequencies = Uint16Array.from(kept, ([, count]) => Math.min(count, 65_535))
  const rarities = raritiesOf({ papers: papers.length, frequencies })
  const numbers = numbersOf(terms)
  const lengths = papers.map((paper) => weighTerms(paper, numbers, rarities).length).sort((a, b) => a - b)
  return { papers: papers.length, terms, frequencies, usualLength: lengths[Math.floor(lengths.length / 2)] ?? 0 }
}

/**
 * Turns the terms of a paper into its vector by a vocabulary. A text much shorter than a paper, or in another language,
 * has a shorter vector: scaled to full length, its two or three known words would count as much as a whole abstract.
 */
export const createTermWeigher = (vocabulary: Vocabulary): ((terms: Terms) => TermVector) => {
  const numbers = numbersOf(vocabulary.terms)
  const rarities = raritiesOf(vocabulary)
  const shortest = MIN_LENGTH * vocabulary.usualLength
  return (terms) => {
    const { at, weights, length } = weighTerms(terms, numbers, rarities)
    const scale = 1 / Math.max(length, shortest, 1e-6)
    return {
      at: Int32Array.from(at),
      weights: Float32Array.from(weights, (weight) => weight * scale),
      fullness: length * scale,
    }
  }
}
