/**
 * The terms of a paper that a reader's taste is learnt in, each of which can be read: its words and pairs of words that tell
 * most, the topics it fits, and its authors.
 */
import type { Paper } from '../papers/paper.ts'
import { FIELDS, type Field, type Reading, readPaper } from '../relevance/reading.ts'
import { SHIPPED_MODEL } from '../relevance/relevance.ts'
import { createTermWeigher, findTerms, wordsOf } from '../relevance/terms.ts'
import { keyOfAuthor } from '../subscriber/custom-terms.ts'
import { topicLabel } from '../subscriber/followed.ts'
import { quoteAt } from '../text/phrases.ts'

/** What a term of a paper is: its own words, a topic that it fits, or an author. */
export type TermKind = 'words' | 'topic' | 'author'

export interface PaperTerm {
  /** The same for all spellings: `masked diffusion`, `topic:agents`, `author:ada lovelace`. */
  term: string
  /** As a reader is shown it: the paper's own words, the label of a topic, a name. */
  label: string
  /** How much of the paper it is, above 0; the terms of one kind are a vector of the kind's length. */
  weight: number
}

/** A paper that terms are found in, with the topics that it fits. */
export type TastedPaper = Pick<Paper, 'title' | 'abstract' | 'authors'> & {
  topics: readonly { topic: string; score: number }[]
}

const TOPIC = 'topic:'
const AUTHOR = 'author:'

/** The term of a topic. */
export const termOfTopic = (topic: string): string => TOPIC + topic

/** What a term is, by how it begins; no word has a colon. */
export const kindOfTerm = (term: string): TermKind => {
  if (term.startsWith(TOPIC)) return 'topic'
  return term.startsWith(AUTHOR) ? 'author' : 'words'
}

/** More words of a paper than these tell nothing that the others do not. */
const MOST_WORDS = 24
/** Of a long list the first, who did the work, and the last, whose group it is. */
const MOST_AUTHORS = 8

/**
 * How long the vectors of a paper's words, topics and authors are. Topics were judged by the model on the whole text, and tell
 * more than words, of which few papers share any.
 */
const LENGTH_OF_WORDS = 0.5
const LENGTH_OF_TOPICS = 1
const LENGTH_OF_AUTHORS = 0.5

const weigh = createTermWeigher(SHIPPED_MODEL.vocabulary)

/** Terms scaled together to one length. */
const scaleTo = (length: number, terms: PaperTerm[]): PaperTerm[] => {
  const now = Math.hypot(...terms.map(({ weight }) => weight))
  return now === 0 ? [] : terms.map((one) => ({ ...one, weight: (one.weight * length) / now }))
}

/** The known words and pairs of a paper with their weights; what stands in the title or says what it does counts more. */
const weighWords = (reading: Reading): [term: string, weight: number][] => {
  const { terms } = SHIPPED_MODEL.vocabulary
  const { at, weights } = weigh(findTerms(reading))
  const sums = new Map<string, number>()
  for (const [n, number] of at.entries()) {
    const words = wordsOf(terms[number] ?? '')
    sums.set(words, (sums.get(words) ?? 0) + (weights[n] ?? 0))
  }
  return [...sums].sort(([a, weight], [b, other]) => other - weight || (a < b ? -1 : 1)).slice(0, MOST_WORDS)
}

const capitalsIn = (text: string): number => text.replace(/[^\p{Lu}]/gu, '').length

/** How the paper spells some words and pairs, by their plain form: of several spellings that with the fewest capitals. */
const spellingsOf = (reading: Reading, wanted: ReadonlySet<string>): Map<string, string> => {
  const spellings = new Map<string, string>()
  const see = (term: string, field: Field, start: number, end: number): void => {
    if (!wanted.has(term)) return
    const spelling = quoteAt(reading[field].text, start, end)
    const known = spellings.get(term)
    if (known === undefined || capitalsIn(spelling) < capitalsIn(known)) spellings.set(term, spelling)
  }
  for (const field of FIELDS) {
    const { tokens } = reading[field]
    for (const [n, { word, start, end, barred }] of tokens.entries()) {
      see(word, field, start, end)
      const before = tokens[n - 1]
      if (before !== undefined && !barred) see(`${before.word} ${word}`, field, before.start, end)
    }
  }
  return spellings
}

/** The terms of a paper: at most 24 words and pairs, its topics, and at most eight authors, each term once. */
export const paperTerms = (paper: TastedPaper): PaperTerm[] => {
  const reading = readPaper(paper)
  const words = weighWords(reading)
  const spellings = spellingsOf(reading, new Set(words.map(([term]) => term)))
  const { length } = paper.authors
  const named =
    length <= MOST_AUTHORS ? paper.authors : [...paper.authors.slice(0, MOST_AUTHORS - 1), ...paper.authors.slice(-1)]
  const authors = new Map(named.map((name) => [AUTHOR + keyOfAuthor(name), name]))
  return [
    ...scaleTo(
      LENGTH_OF_WORDS,
      words.map(([term, weight]) => ({ term, label: spellings.get(term) ?? term, weight })),
    ),
    ...scaleTo(
      LENGTH_OF_TOPICS,
      paper.topics.map(({ topic, score }) => ({ term: termOfTopic(topic), label: topicLabel(topic), weight: score })),
    ),
    ...scaleTo(
      LENGTH_OF_AUTHORS,
      [...authors].map(([term, label]) => ({ term, label, weight: 1 })),
    ),
  ]
}

/** So many of the weightiest words and pairs of a paper are looked at for what says in a word what it is about. */
const MOST_TELLING = 8

/**
 * What says in a few words what a paper is about, as a reader is told what was learnt: its weightiest pairs of words, else
 * single words, else its topics; at most `most`, and none a part of another.
 */
export const tellingLabels = (terms: readonly PaperTerm[], most = 2): string[] => {
  const ofKind = (kind: TermKind) => terms.filter(({ term }) => kindOfTerm(term) === kind)
  const words = ofKind('words').slice(0, MOST_TELLING)
  const isPair = ({ term }: PaperTerm) => term.includes(' ')
  const chosen: PaperTerm[] = []
  for (const one of [...words.filter(isPair), ...words.filter((word) => !isPair(word))]) {
    const parts = new Set(one.term.split(' '))
    if (!chosen.some(({ term }) => term.split(' ').some((word) => parts.has(word)))) chosen.push(one)
  }
  const told = chosen.length > 0 ? chosen : ofKind('topic').toSorted((a, b) => b.weight - a.weight)
  return told.slice(0, most).map(({ label }) => label)
}
