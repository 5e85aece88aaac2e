/**
 * A paper as a sparse vector: its words and pairs of neighbouring words, each weighted by how often it occurs there and how
 * rare it is elsewhere (tf-idf), scaled to length 1, or less for a text of few words. Those of its title and of the
 * sentence that says what it does count once more, as terms of their own: what a paper is about stands there, and what it
 * only mentions seldom does.
 */
import { contributionAmong } from '../text/contribution.ts'
import { tokenise } from '../text/phrases.ts'
import { sentencesOf } from '../text/sentences.ts'
import { FIELDS, type Field, type Reading } from './reading.ts'

/** A word or pair in a paper: how often it occurs (the title counts double), and where first. */
export interface TermOccurrence {
  often: number
  field: Field
  start: number
  end: number
}

/** The part of a paper that a term stands in: anywhere, its title, or the sentence that says what it does. */
type Zone = 'whole' | 'title' | 'contribution'

/** What terms of a part begin with; no word holds a colon. */
const MARKS: Readonly<Record<Zone, string>> = { whole: '', title: 'title:', contribution: 'contribution:' }

const zoneOf = (term: string): Zone =>
  term.startsWith(MARKS.title) ? 'title' : term.startsWith(MARKS.contribution) ? 'contribution' : 'whole'

/** The words of a term, wherever it stands. */
export const wordsOf = (term: string): string => term.slice(MARKS[zoneOf(term)].length)

/** The terms that are known, in the order of their numbers, those of whole papers first, and in how many of the papers each stood. */
export interface Vocabulary {
  papers: number
  /** Words and pairs in their plain form; those of a title and of a contribution are marked. */
  terms: readonly string[]
  frequencies: Readonly<Uint16Array>
  /** The length of the weights of a whole paper before they are scaled, in the median. */
  usualLength: number
}

/** Numbers of terms and their weights, pair by pair. */
export interface TermVector {
  at: Int32Array
  weights: Float32Array
  /** How much of a paper the text is by its known words, 0 to 1: the length of the vector of the whole. */
  fullness: number
}

const TITLE_COUNTS = 2
/** A term of fewer papers cannot be learnt; one of more than a quarter of all papers tells nothing. */
const MIN_FREQUENCY = 4
const MAX_SHARE = 0.25
/** More terms of a zone than this moved the quality by less than can be measured. */
const MAX_TERMS: Readonly<Record<Zone, number>> = { whole: 15_000, title: 4_000, contribution: 6_000 }
/** How long the vector of a zone is beside that of the whole paper; at 0.6 and 0.7 the model was worse. */
const LENGTHS: Readonly<Record<Zone, number>> = { whole: 1, title: 0.4, contribution: 0.5 }
/** The share of the usual length below which a text is no whole paper. */
const MIN_LENGTH = 0.75

/** Words that tell no subject: grammar, and what every abstract says of itself. */
export const EMPTY_WORDS: ReadonlySet<string> = new Set(
  tokenise(
    'a an the of and or to in for with on by from as is are was were be been being this that these those we our it its ' +
      'at can which while such their they them via into than then also have has had not but however both more most ' +
      'over under between across through each other using use uses used based show shows propose proposed present ' +
      'paper approach method methods result results demonstrate existing novel new when where what why who how whether ' +
      'if only even just still thus hence here there do does did will would could should may might must some any all ' +
      'no so because without within during after before up out about against among i e g',
  ).map(({ word }) => word),
)

/** Where the sentence that says what a paper does stands in its abstract, `end` exclusive. */
const contributionOf = ({ title, abstract }: Reading): { start: number; end: number } => {
  const sentences = sentencesOf(abstract.text)
  return sentences[sentences.length === 0 ? 0 : contributionAmong(sentences, title.text)] ?? { start: 0, end: 0 }
}

/** All words and pairs of a paper that may tell its subject. A pair ends at a comma or an empty word. */
export const findTerms = (reading: Reading): Map<string, TermOccurrence> => {
  const occurrences = new Map<string, TermOccurrence>()
  const contribution = contributionOf(reading)
  const add = (term: string, often: number, field: Field, start: number, end: number): void => {
    const known = occurrences.get(term)
    if (known === undefined) occurrences.set(term, { often, field, start, end })
    else known.often += often
  }
  const see = (term: string, field: Field, start: number, end: number): void => {
    add(term, field === 'title' ? TITLE_COUNTS : 1, field, start, end)
    if (field === 'title') add(MARKS.title + term, 1, field, start, end)
    else if (start >= contribution.start && end <= contribution.end)
      add(MARKS.contribution + term, 1, field, start, end)
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

/** How many terms are of whole papers; they come before the others. */
export const countWhole = ({ terms }: Pick<Vocabulary, 'terms'>): number =>
  terms.filter((term) => zoneOf(term) === 'whole').length

type Terms = ReadonlyMap<string, TermOccurrence>

const raritiesOf = ({ papers, frequencies }: Pick<Vocabulary, 'papers' | 'frequencies'>): Float32Array =>
  Float32Array.from(frequencies, (frequency) => 1 + Math.log((1 + papers) / (1 + frequency)))

const ZONES = ['whole', 'title', 'contribution'] as const satisfies readonly Zone[]

/** What is known of a term by its number: how rare it is, and where it stands, as a place in `ZONES`. */
interface Known {
  numbers: ReadonlyMap<string, number>
  rarities: Float32Array
  zones: Uint8Array
}

const knownOf = (vocabulary: Pick<Vocabulary, 'papers' | 'terms' | 'frequencies'>): Known => ({
  numbers: new Map(vocabulary.terms.map((term, at) => [term, at])),
  rarities: raritiesOf(vocabulary),
  zones: Uint8Array.from(vocabulary.terms, (term) => ZONES.indexOf(zoneOf(term))),
})

/** The known terms of a paper with their weights, not yet scaled, and the lengths of these by zone. */
const weighTerms = (terms: Terms, { numbers, rarities, zones }: Known) => {
  const at: number[] = []
  const weights: number[] = []
  const squares = ZONES.map(() => 0)
  for (const [term, { often }] of terms) {
    const number = numbers.get(term)
    if (number === undefined) continue
    const zone = zones[number] as number
    // In a title or one sentence, words that are repeated tell no more.
    const weight = (zone === 0 ? 1 + Math.log(often) : 1) * (rarities[number] ?? 0)
    at.push(number)
    weights.push(weight)
    squares[zone] = (squares[zone] as number) + weight * weight
  }
  return { at, weights, lengths: squares.map(Math.sqrt) }
}

/** The vocabulary of many papers: the terms that can be learnt, the commonest first. */
export const countTerms = (papers: readonly Terms[]): Vocabulary => {
  const counts = new Map<string, number>()
  for (const terms of papers) for (const term of terms.keys()) counts.set(term, (counts.get(term) ?? 0) + 1)
  const common = [...counts]
    .filter(([, count]) => count >= MIN_FREQUENCY && count <= MAX_SHARE * papers.length)
    .sort(([a, often], [b, lessOften]) => lessOften - often || (a < b ? -1 : 1))
  const kept = ZONES.flatMap((zone) => common.filter(([term]) => zoneOf(term) === zone).slice(0, MAX_TERMS[zone]))
  const terms = kept.map(([term]) => term)
  const frequencies = Uint16Array.from(kept, ([, count]) => Math.min(count, 65_535))
  const known = knownOf({ papers: papers.length, terms, frequencies })
  const lengths = papers.map((paper) => weighTerms(paper, known).lengths[0] ?? 0).sort((a, b) => a - b)
  return { papers: papers.length, terms, frequencies, usualLength: lengths[Math.floor(lengths.length / 2)] ?? 0 }
}

/**
 * Turns the terms of a paper into its vector by a vocabulary. A text much shorter than a paper, or in another language,
 * has a shorter vector: scaled to full length, its two or three known words would count as much as a whole abstract.
 */
export const createTermWeigher = (vocabulary: Vocabulary): ((terms: Terms) => TermVector) => {
  const known = knownOf(vocabulary)
  const shortest = MIN_LENGTH * vocabulary.usualLength
  return (terms) => {
    const { at, weights, lengths } = weighTerms(terms, known)
    const [whole = 0] = lengths
    const scales = ZONES.map((zone, place) => {
      const length = lengths[place] ?? 0
      return LENGTHS[zone] / Math.max(length, zone === 'whole' ? shortest : 0, 1e-6)
    })
    return {
      at: Int32Array.from(at),
      weights: Float32Array.from(
        weights,
        (weight, j) => weight * (scales[known.zones[at[j] as number] as number] ?? 0),
      ),
      fullness: whole * (scales[0] ?? 0),
    }
  }
}
