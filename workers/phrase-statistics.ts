/**
 * Makes src/core/phrase-statistics.json: how common the topics' phrases are, and how much of them makes a paper pass.
 *
 *     node workers/phrase-statistics.ts PAPERS.jsonl[.gz] src/core/phrase-statistics.json
 *
 * The file in the project was counted over 7,461 papers of the daily lists of Hugging Face, May 2024 to March 2026
 * (JSON Lines with `title` and `abstract`); only counts went into it. Run this again when a topic or a phrase changes,
 * on some thousands of papers: on fewer, rare phrases look rarer than they are.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import {
  type Evidence,
  type PhraseCounts,
  type Reading,
  readEvidence,
  TOPIC_PHRASES,
  weighEvidence,
} from '../src/core/evidence.ts'
import type { Paper } from '../src/core/paper.ts'
import { GATE, type PhraseStatistics } from '../src/core/relevance.ts'
import { TOPICS } from '../src/core/topics.ts'

type Text = Pick<Paper, 'title' | 'abstract'>

const countPhrases = (readings: Reading[]): PhraseCounts => {
  const frequencies: Record<string, number> = Object.fromEntries(TOPIC_PHRASES.map((phrase) => [phrase, 0]))
  for (const { sightings } of readings) {
    for (const { phrase } of sightings) frequencies[phrase] = (frequencies[phrase] ?? 0) + 1
  }
  const words = readings.reduce((sum, reading) => sum + reading.length, 0)
  return { papers: readings.length, averageLength: round(words / readings.length), frequencies }
}

/** What stands in for a judgement: a strong phrase in the title, or two different ones in the abstract. */
const isLikely = ({ parts }: Evidence): boolean => {
  const strong = parts.filter((part) => part.strong)
  return strong.length >= 2 || strong.some((part) => part.sighting.inTitle > 0)
}

/** The evidence at which a paper is likely with the odds of `GATE`: a logistic regression on its logarithm (Platt). */
const fitPass = (samples: { weight: number; likely: boolean }[]): number => {
  const points = samples.map(({ weight, likely }) => ({ x: Math.log(weight), y: likely ? 1 : 0 }))
  let [offset, slope] = [0, 0]
  for (let step = 0; step < 100; step++) {
    // Newton's method; the small constants keep it finite where the labels part without an error.
    let [g0, g1, h00, h01, h11] = [0, -1e-3 * slope, 1e-9, 0, 1e-3]
    for (const { x, y } of points) {
      const p = 1 / (1 + Math.exp(-(offset + slope * x)))
      g0 += y - p
      g1 += (y - p) * x
      h00 += p * (1 - p)
      h01 += p * (1 - p) * x
      h11 += p * (1 - p) * x * x
    }
    const determinant = h00 * h11 - h01 * h01
    const [d0, d1] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant]
    offset += d0
    slope += d1
    if (Math.abs(d0) + Math.abs(d1) < 1e-9) break
  }
  const pass = Math.exp((Math.log(GATE / (1 - GATE)) - offset) / slope)
  if (!(slope > 0 && Number.isFinite(pass))) throw new Error('too few papers of a topic to fit where it passes')
  return round(pass)
}

const round = (value: number): number => Math.round(value * 1000) / 1000

/** Everything that `scoreTopics` needs to know of papers at large, from many of them. */
export const measurePhrases = (papers: Text[]): PhraseStatistics => {
  const readings = papers.map(readEvidence)
  const counts = countPhrases(readings)
  const samples = new Map<string, { weight: number; likely: boolean }[]>(TOPICS.map(({ slug }) => [slug, []]))
  const ratios: number[] = []
  readings.forEach((reading, at) => {
    const titleAlone = readEvidence({ title: papers[at]?.title ?? '', abstract: '' })
    const ofTitle = new Map(weighEvidence(titleAlone, counts).map(({ topic, weight }) => [topic, weight]))
    for (const evidence of weighEvidence(reading, counts)) {
      const likely = isLikely(evidence)
      samples.get(evidence.topic)?.push({ weight: evidence.weight, likely })
      const weight = ofTitle.get(evidence.topic)
      if (likely && weight !== undefined) ratios.push(evidence.weight / weight)
    }
  })
  return {
    ...counts,
    wholeOverTitle: round(ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1),
    passes: Object.fromEntries([...samples].map(([slug, ofTopic]) => [slug, fitPass(ofTopic)])),
  }
}

if (import.meta.main) {
  const [from, to] = process.argv.slice(2)
  if (from === undefined || to === undefined) {
    console.error('usage: node workers/phrase-statistics.ts PAPERS.jsonl[.gz] OUT')
    process.exit(2)
  }
  const bytes = readFileSync(from)
  const lines = (from.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n')
  const statistics = measurePhrases(lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Text))
  writeFileSync(to, `${JSON.stringify(statistics, null, 2)}\n`)
  console.log(`${statistics.papers} papers, ${Object.keys(statistics.frequencies).length} phrases`)
}
