/** How telling each topic's phrases are by themselves: of the judged papers that hold one, the share that is of the topic. */
import { createHash } from 'node:crypto'
import { DEFAULT_TOPICS, topics } from '../topics.ts'
import { type PhraseOccurrence, type PhraseTopic, phrasesOf } from './evidence.ts'
import shipped from './phrase-counts.json' with { type: 'json' }
import type { Field } from './reading.ts'

/** Judged papers that hold a phrase in the title, or in the abstract alone; of these the relevant ones, and those squarely about the topic. */
type Counts = readonly [papers: number, relevant: number, squarely: number]

/** By topic and phrase in its plain form: the counts of the title, then those of the abstract. Written by `npm run train`. */
export type JudgedPhrases = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>

export interface Precision {
  /** 0 to 1: how likely a paper is relevant to the topic, where nothing is known of it but that it holds the phrase there. */
  relevant: number
  /** The same for a paper that is squarely about the topic. */
  squarely: number
}

/** A phrase that few judged papers hold is as good as others of its kind; that mean counts as so many papers. */
const PRIOR_PAPERS = 4
const NONE: Counts = [0, 0, 0]

interface Known extends Record<Field, Precision> {
  /** A single word that only hints at the topic. */
  isHint: boolean
}

const countsOf = (judged: JudgedPhrases, topic: string, phrase: string, field: Field): Counts => {
  const six = judged[topic]?.[phrase]
  if (six === undefined) return NONE
  const [papers = 0, relevant = 0, squarely = 0] = field === 'title' ? six.slice(0, 3) : six.slice(3)
  return [papers, relevant, squarely]
}

/** What phrases of a kind have in common: strength, and whether they are a word or several. */
const kindOf = (strong: boolean, phrase: string): string => `${strong} ${phrase.includes(' ')}`

const withTopic = (topic: PhraseTopic) => phrasesOf(topic).map((one) => ({ topic: topic.slug, ...one }))

/**
 * Estimates the precision of every phrase of some topics: its share among judged papers, drawn towards that of all phrases
 * of the topics that ship that are as strong, of as many words and in the same field, the more the fewer papers hold it. Of
 * a topic without judgements that mean is all that is known.
 */
export const estimatePrecisions = (
  judged: JudgedPhrases,
  of: readonly PhraseTopic[] = DEFAULT_TOPICS.all,
): ReadonlyMap<string, ReadonlyMap<string, Known>> => {
  const sums = new Map<string, Counts>()
  for (const { topic, phrase, strong } of DEFAULT_TOPICS.all.flatMap(withTopic))
    for (const field of ['title', 'abstract'] as const) {
      const kind = `${kindOf(strong, phrase)} ${field}`
      const counts = countsOf(judged, topic, phrase, field)
      const [a, b, c] = sums.get(kind) ?? NONE
      sums.set(kind, [a + counts[0], b + counts[1], c + counts[2]])
    }
  const precisions = new Map<string, Map<string, Known>>()
  for (const { topic, phrase, strong } of of.flatMap(withTopic)) {
    const estimate = (field: Field): Precision => {
      const [papers, relevant, squarely] = countsOf(judged, topic, phrase, field)
      const sum = sums.get(`${kindOf(strong, phrase)} ${field}`) ?? NONE
      const share = (part: number, whole: number) =>
        (part + (PRIOR_PAPERS * whole) / Math.max(1, sum[0])) / (papers + PRIOR_PAPERS)
      return { relevant: share(relevant, sum[1]), squarely: share(squarely, sum[2]) }
    }
    const known = { title: estimate('title'), abstract: estimate('abstract'), isHint: !strong && !phrase.includes(' ') }
    precisions.set(topic, (precisions.get(topic) ?? new Map<string, Known>()).set(phrase, known))
  }
  return precisions
}

let precisions: ReturnType<typeof estimatePrecisions> | null = null

/** Of the topics in use, which are the same from the first time that they are asked for. */
const precisionsInUse = () => {
  precisions ??= estimatePrecisions(shipped, topics().all)
  return precisions
}

/** Eight hex digits that differ between counts. */
export const PHRASES_FINGERPRINT = createHash('sha256').update(JSON.stringify(shipped)).digest('hex').slice(0, 8)

/** From this precision on a phrase is quoted; a single word that only hints at the topic from the other, and in titles alone. */
const QUOTED_FROM = 0.4
const HINT_FROM = 0.8

/**
 * How telling a topic's phrase (in its plain form) is in a field, where it makes sense as a reason to a researcher; `null`
 * where it does not: too many papers that hold it are of other topics ("detection", "Image", "symbolic").
 */
export const precisionOf = (topic: string, phrase: string, field: Field): Precision | null => {
  const known = precisionsInUse().get(topic)?.get(phrase)
  if (known === undefined) return null
  if (known.isHint && field === 'abstract') return null
  return known[field].relevant < (known.isHint ? HINT_FROM : QUOTED_FROM) ? null : known[field]
}

/** Counts the phrases of judged papers: what a paper holds, and its grades by topic (2 squarely about it, 1 relevant). */
export const countJudgedPhrases = (
  papers: Iterable<{ phrases: readonly PhraseOccurrence[]; grades: Readonly<Record<string, number>> }>,
  of: readonly PhraseTopic[] = DEFAULT_TOPICS.all,
): JudgedPhrases => {
  const counts = new Map(
    of.map((topic) => [topic.slug, new Map(phrasesOf(topic).map((one) => [one.phrase, [0, 0, 0, 0, 0, 0]]))]),
  )
  for (const { phrases, grades } of papers)
    for (const { phrase, title } of phrases)
      for (const [topic, ofTopic] of counts) {
        const six = ofTopic.get(phrase)
        const from = title > 0 ? 0 : 3
        const grade = grades[topic] ?? 0
        // One more paper, and so many steps of relevance.
        for (let step = 0; six !== undefined && step <= grade; step++) six[from + step] = (six[from + step] ?? 0) + 1
      }
  return Object.fromEntries([...counts].map(([topic, ofTopic]) => [topic, Object.fromEntries(ofTopic)]))
}

/** The counts as the JSON of their file, a topic a line. */
export const writeJudgedPhrases = (judged: JudgedPhrases): string =>
  `{\n${Object.entries(judged)
    .map(([topic, counts]) => `  ${JSON.stringify(topic)}: ${JSON.stringify(counts)}`)
    .join(',\n')}\n}\n`
