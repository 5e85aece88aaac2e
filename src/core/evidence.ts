/** How much a paper's words speak for each topic: BM25F over the topics' phrases, not yet comparable between topics. */
import { plainLatex } from './latex.ts'
import type { Paper } from './paper.ts'
import { createPhraseFinder, plainPhrase, tokenise } from './phrases.ts'
import { TOPICS } from './topics.ts'

/** How common the phrases are in a large number of papers, counted once and shipped. */
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
  inTitle: number
  inAbstract: number
  words: string
}

export interface Reading {
  sightings: Sighting[]
  /** Words of the abstract. */
  length: number
}

/** What speaks for one topic: `weight` is the sum over its phrases, of which `parts` holds each. */
export interface Evidence {
  topic: string
  weight: number
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

/** Finds the topics' phrases in a paper, as a reader sees it: LaTeX is plain text before anything is looked for. */
export const readEvidence = ({ title, abstract }: Pick<Paper, 'title' | 'abstract'>): Reading => {
  const sightings = new Map<string, Sighting>()
  const look = (text: string, field: 'inTitle' | 'inAbstract'): number => {
    const tokens = tokenise(text)
    for (const { phrase, start, end } of findPhrases(tokens)) {
      const known = sightings.get(phrase)
      if (known !== undefined) known[field]++
      else {
        const words = text.slice(start, end)
        sightings.set(phrase, { phrase, inTitle: 0, inAbstract: 0, words, [field]: 1 })
      }
    }
    return tokens.length
  }
  look(plainLatex(title), 'inTitle')
  const length = look(plainLatex(abstract), 'inAbstract')
  return { sightings: [...sightings.values()], length }
}

/** Weighs what was found for each topic that has any of it; a phrase that was never counted is a fault. */
export const weighEvidence = ({ sightings, length }: Reading, counts: PhraseCounts): Evidence[] => {
  const byTopic = new Map<string, Evidence>()
  const lengthNorm = 1 - B + (B * length) / counts.averageLength
  for (const sighting of sightings) {
    const frequency = counts.frequencies[sighting.phrase]
    if (frequency === undefined) throw new Error(`the phrase "${sighting.phrase}" was never counted`)
    const rarity = Math.log(1 + (counts.papers - frequency + 0.5) / (frequency + 0.5))
    const often = TITLE_WEIGHT * sighting.inTitle + sighting.inAbstract / lengthNorm
    const weight = (rarity * often) / (K1 + often)
    for (const { topic, strong } of uses.get(sighting.phrase) ?? []) {
      const evidence = byTopic.get(topic) ?? { topic, weight: 0, parts: [] }
      byTopic.set(topic, evidence)
      const part = { sighting, strong, weight: strong ? weight : WEAK * weight }
      evidence.weight += part.weight
      evidence.parts.push(part)
    }
  }
  return [...byTopic.values()]
}
