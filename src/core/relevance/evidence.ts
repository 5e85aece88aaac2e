/** How much a paper's phrases speak for each topic: BM25F over the topics' phrases, not yet comparable between topics. */
import { createPhraseFinder, plainPhrase } from '../text/phrases.ts'
import { TOPICS } from '../topics.ts'
import { FIELDS, type Field, type Reading } from './reading.ts'

/** How common the phrases are in a large number of papers, counted once and shipped with the model. */
export interface PhraseCounts {
  papers: number
  /** Words of an abstract, on average. */
  averageLength: number
  /** In how many papers each phrase stands, by its plain form. */
  frequencies: Readonly<Record<string, number>>
}

/** A phrase found in a paper: how often, and how the paper writes it where it stands first (in the title, if there). */
export interface Sighting {
  phrase: string
  title: number
  abstract: number
  words: string
}

/** What speaks for one topic: `weight` is the sum over its phrases, of which `parts` holds each. */
export interface Evidence {
  topic: string
  weight: number
  /** The same sum apart by where and how surely the phrases speak; a phrase in both fields counts in both. */
  strong: Record<Field, number>
  weak: Record<Field, number>
  parts: { sighting: Sighting; strong: boolean; weight: number }[]
}

/** BM25F (Robertson, Zaragoza and Taylor, CIKM 2004) with the usual k1 and b; other values changed next to nothing. */
const TITLE_WEIGHT = 3
const K1 = 1.2
const B = 0.75
const WEAK = 0.35

/** Which topics a phrase speaks for, by its plain form. A phrase that a topic lists twice counts as strong. */
const uses = new Map<string, { topic: string; strong: boolean }[]>()
for (const { slug, strong, weak } of TOPICS) {
  const strongPhrases = new Set(strong.map(plainPhrase))
  for (const phrase of new Set([...strongPhrases, ...weak.map(plainPhrase)])) {
    const use = { topic: slug, strong: strongPhrases.has(phrase) }
    uses.set(phrase, [...(uses.get(phrase) ?? []), use])
  }
}

/** The phrases of all topics in their plain forms. */
export const TOPIC_PHRASES: readonly string[] = [...uses.keys()].sort()

const findPhrases = createPhraseFinder(TOPIC_PHRASES)

/** The topics' phrases in a paper. */
export const sightPhrases = (reading: Reading): Sighting[] => {
  const sightings = new Map<string, Sighting>()
  for (const field of FIELDS) {
    const { text, tokens } = reading[field]
    for (const { phrase, start, end } of findPhrases(tokens)) {
      const known = sightings.get(phrase)
      if (known !== undefined) known[field]++
      else sightings.set(phrase, { phrase, title: 0, abstract: 0, words: text.slice(start, end), [field]: 1 })
    }
  }
  return [...sightings.values()]
}

/** Counts phrases over many papers. */
export const countPhrases = (readings: readonly Reading[]): PhraseCounts => {
  const frequencies: Record<string, number> = Object.fromEntries(TOPIC_PHRASES.map((phrase) => [phrase, 0]))
  let words = 0
  for (const reading of readings) {
    words += reading.abstract.tokens.length
    for (const { phrase } of sightPhrases(reading)) frequencies[phrase] = (frequencies[phrase] ?? 0) + 1
  }
  return { papers: readings.length, averageLength: words / Math.max(1, readings.length), frequencies }
}

const saturated = (often: number): number => often / (K1 + often)

const nothingFor = (topic: string): Evidence => ({
  topic,
  weight: 0,
  strong: { title: 0, abstract: 0 },
  weak: { title: 0, abstract: 0 },
  parts: [],
})

/** Weighs what is found for each topic that has any of it; a phrase that was never counted is a fault. */
export const weighEvidence = (reading: Reading, counts: PhraseCounts): Evidence[] => {
  const byTopic = new Map<string, Evidence>()
  const lengthNorm = 1 - B + (B * reading.abstract.tokens.length) / counts.averageLength
  for (const sighting of sightPhrases(reading)) {
    const frequency = counts.frequencies[sighting.phrase]
    if (frequency === undefined) throw new Error(`the phrase "${sighting.phrase}" was never counted: train again`)
    const rarity = Math.log(1 + (counts.papers - frequency + 0.5) / (frequency + 0.5))
    const often = { title: TITLE_WEIGHT * sighting.title, abstract: sighting.abstract / lengthNorm }
    const weight = rarity * saturated(often.title + often.abstract)
    for (const { topic, strong } of uses.get(sighting.phrase) ?? []) {
      const evidence = byTopic.get(topic) ?? nothingFor(topic)
      byTopic.set(topic, evidence)
      const part = { sighting, strong, weight: strong ? weight : WEAK * weight }
      evidence.weight += part.weight
      for (const field of FIELDS) evidence[strong ? 'strong' : 'weak'][field] += rarity * saturated(often[field])
      evidence.parts.push(part)
    }
  }
  return [...byTopic.values()]
}
