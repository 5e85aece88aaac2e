/** How well topics are found by their phrases alone: each in turn as if it were new, by weights fitted to the others. */
import { createPhraseEvidence, type Evidence, type PhraseTopic } from '../../src/core/relevance/evidence.ts'
import { GATE } from '../../src/core/relevance/gate.ts'
import { phraseCountsOf } from '../../src/core/relevance/phrase-score.ts'
import { readPaper } from '../../src/core/relevance/reading.ts'
import { fitDense, sigmoid } from '../../src/core/relevance/regression.ts'
import type { JudgedPaper } from './training.ts'

interface Row {
  topic: string
  numbers: number[]
  relevant: number
}

export interface PhraseQuality {
  topic: string
  relevant: number
  passed: number
  hits: number
}

export interface PhraseStudy {
  /** Fitted to all topics: the offset, strong in title and abstract, weak in title and abstract. */
  weights: number[]
  qualities: PhraseQuality[]
}

const RIDGE = [0, 1, 1, 1, 1]

/** `titleAlone`: as if nothing were known of the papers but their titles. */
export const studyPhrases = (
  papers: readonly JudgedPaper[],
  topics: readonly PhraseTopic[],
  titleAlone = false,
): PhraseStudy => {
  const { weigh } = createPhraseEvidence(topics)
  const counts = { papers: 1, averageLength: 150, frequencies: {} }
  const numbersOf = (evidence: Evidence): number[] => [1, ...phraseCountsOf(evidence).map(Math.log1p)]
  const rows = papers.flatMap((paper): Row[] => {
    const evidence = weigh(readPaper(titleAlone ? { ...paper, abstract: '' } : paper), counts)
    return evidence.map((one) => ({
      topic: one.topic,
      numbers: numbersOf(one),
      relevant: Number((paper.grades[one.topic] ?? 0) > 0),
    }))
  })
  const fitTo = (some: readonly Row[]): Float64Array =>
    fitDense(
      some.map(({ numbers }) => numbers),
      some.map(({ relevant }) => relevant),
      RIDGE,
    )
  const qualities = topics.map(({ slug }): PhraseQuality => {
    const weights = fitTo(rows.filter(({ topic }) => topic !== slug))
    const passed = rows.filter(
      ({ topic, numbers }) =>
        topic === slug && sigmoid(numbers.reduce((sum, value, n) => sum + value * (weights[n] ?? 0), 0)) >= GATE,
    )
    return {
      topic: slug,
      relevant: papers.filter(({ grades }) => (grades[slug] ?? 0) > 0).length,
      passed: passed.length,
      hits: passed.reduce((sum, { relevant }) => sum + relevant, 0),
    }
  })
  return { weights: [...fitTo(rows)], qualities }
}
