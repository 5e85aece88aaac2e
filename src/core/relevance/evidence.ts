/** The evidence for each topic in a paper: BM25F over the topics' phrases, not comparable between topics. */
import { createPhraseFinder, plainPhrase, quoteAt } from '../text/phrases.ts'
import type { Topic } from '../topics.ts'
import { FIELDS, type Field, type Reading } from './reading.ts'

/** What a topic is found by. */
export type PhraseTopic = Pick<Topic, 'slug' | 'strong' | 'weak'>

/** How common the phrases are in a large number of papers, counted once and shipped with the model. */
export interface PhraseCounts {
  papers: number
  /** Words of an abstract, on average. */
  averageLength: number
  /** In how many papers each phrase stands, by its plain form. */
  frequencies: Readonly<Record<string, number>>
}

/** A phrase found in a paper: how often, and how the paper writes it where it stands first (in the title, if there). */
export interface PhraseOccurrence {
  phrase: string
  title: number
  abstract: number
  words: string
}

/** The evidence for one topic: `weight` is the sum over its phrases, of which `parts` holds each. */
export interface Evidence {
  topic: string
  weight: number
  /** The same sum by strength and field of the phrases; a phrase in both fields counts in both. */
  strong: Record<Field, number>
  weak: Record<Field, number>
  parts: { occurrence: PhraseOccurrence; strong: boolean; weight: number }[]
}

/** Finds the phrases of some topics. */
export interface PhraseEvidence {
  /** The phrases of all topics in their plain forms, sorted. */
  phrases: readonly string[]
  /** The topics' phrases in a paper. */
  find(reading: Reading): PhraseOccurrence[]
  /** Weighs the phrases found, for each topic that has any. */
  weigh(reading: Reading, counts: PhraseCounts): Evidence[]
}

/** BM25F (Robertson, Zaragoza and Taylor, CIKM 2004) with the usual k1 and b; other values changed hardly anything. */
const TITLE_WEIGHT = 3
const K1 = 1.2
const B = 0.75
const WEAK = 0.35

/** A phrase that was never counted weighs as one that stands in so large a share of the papers: the median of the phrases that ship. */
const USUAL_SHARE = 0.003

/** A topic's phrases in their plain forms, each once. One that it lists twice counts as strong. */
export const phrasesOf = ({ strong, weak }: PhraseTopic): { phrase: string; strong: boolean }[] => {
  const strongPhrases = new Set(strong.map(plainPhrase))
  const all = new Set([...strongPhrases, ...weak.map(plainPhrase)])
  return [...all].map((phrase) => ({ phrase, strong: strongPhrases.has(phrase) }))
}

const saturated = (often: number): number => often / (K1 + often)

const noEvidence = (topic: string): Evidence => ({
  topic,
  weight: 0,
  strong: { title: 0, abstract: 0 },
  weak: { title: 0, abstract: 0 },
  parts: [],
})

const findIn = (reading: Reading, findPhrases: ReturnType<typeof createPhraseFinder>): PhraseOccurrence[] => {
  const occurrences = new Map<string, PhraseOccurrence>()
  for (const field of FIELDS) {
    const { text, tokens } = reading[field]
    for (const { phrase, start, end } of findPhrases(tokens)) {
      const known = occurrences.get(phrase)
      if (known !== undefined) known[field]++
      else occurrences.set(phrase, { phrase, title: 0, abstract: 0, words: quoteAt(text, start, end), [field]: 1 })
    }
  }
  return [...occurrences.values()]
}

export const createPhraseEvidence = (topics: readonly PhraseTopic[]): PhraseEvidence => {
  /** The topics that a phrase is evidence for. */
  const uses = new Map<string, { topic: string; strong: boolean }[]>()
  for (const topic of topics)
    for (const { phrase, strong } of phrasesOf(topic))
      uses.set(phrase, [...(uses.get(phrase) ?? []), { topic: topic.slug, strong }])
  const phrases = [...uses.keys()].sort()
  const findPhrases = createPhraseFinder(phrases)
  return {
    phrases,
    find: (reading) => findIn(reading, findPhrases),
    weigh(reading, counts) {
      const byTopic = new Map<string, Evidence>()
      const lengthNorm = 1 - B + (B * reading.abstract.tokens.length) / counts.averageLength
      for (const occurrence of findIn(reading, findPhrases)) {
        const frequency = counts.frequencies[occurrence.phrase] ?? USUAL_SHARE * counts.papers
        const rarity = Math.log(1 + (counts.papers - frequency + 0.5) / (frequency + 0.5))
        const often = { title: TITLE_WEIGHT * occurrence.title, abstract: occurrence.abstract / lengthNorm }
        const weight = rarity * saturated(often.title + often.abstract)
        for (const { topic, strong } of uses.get(occurrence.phrase) ?? []) {
          const evidence = byTopic.get(topic) ?? noEvidence(topic)
          byTopic.set(topic, evidence)
          const part = { occurrence, strong, weight: strong ? weight : WEAK * weight }
          evidence.weight += part.weight
          for (const field of FIELDS) evidence[strong ? 'strong' : 'weak'][field] += rarity * saturated(often[field])
          evidence.parts.push(part)
        }
      }
      return [...byTopic.values()]
    },
  }
}

/** Counts phrases over many papers. */
export const countPhrases = ({ phrases, find }: PhraseEvidence, readings: readonly Reading[]): PhraseCounts => {
  const frequencies: Record<string, number> = Object.fromEntries(phrases.map((phrase) => [phrase, 0]))
  let words = 0
  for (const reading of readings) {
    words += reading.abstract.tokens.length
    for (const { phrase } of find(reading)) frequencies[phrase] = (frequencies[phrase] ?? 0) + 1
  }
  return { papers: readings.length, averageLength: words / Math.max(1, readings.length), frequencies }
}
