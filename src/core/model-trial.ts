/** Whether a newly trained relevance model may take the place of the one in use: both order days that it did not see. */

import type { EvaluatedPaper } from '../../test/evaluation/judged-papers.ts'
import { estimate, mean } from '../../test/evaluation/metrics.ts'
import { cellsOf, type Scores } from '../../test/evaluation/relevance-study.ts'
import { LEAST_PAPERS, type TrainingPaper } from '../../test/evaluation/training.ts'
import { isoWeekOf } from './calendar.ts'
import { weighEvidence } from './relevance/evidence.ts'
import { createJudge, type RelevanceModel } from './relevance/model.ts'
import { type Reading, readPaper } from './relevance/reading.ts'

export interface ModelTrial {
  /** Papers held back, and the pairs of a topic and a week among them that the measure is a mean of. */
  papers: number
  cells: number
  /** nDCG@10 of both; `null` where no topic had enough papers. */
  candidate: number | null
  current: number | null
  /** By how much the candidate is better, on average, and its 95 % interval. */
  gain: number | null
  ci: readonly [number, number] | null
}

export type DatedPaper = TrainingPaper & { listDay: string }

/** The newest list days of an archive, one of five, are held back. */
const HELD_BACK = 1 / 5
/** Smaller differences come and go with the days. */
const NOISE = 0.01

/** Papers that a trial's model is trained on at least: what is left of a just large enough archive, days being uneven. */
export const LEAST_OF_TRIAL = Math.floor(LEAST_PAPERS * (1 - HELD_BACK) * 0.9)

/** Cuts an archive into what is learnt from and the newest list days, which are not. */
export const holdBack = <Dated extends { listDay: string }>(
  papers: readonly Dated[],
): { learnt: Dated[]; heldBack: Dated[] } => {
  const days = [...new Set(papers.map(({ listDay }) => listDay))].sort()
  const first = days[Math.floor(days.length * (1 - HELD_BACK))] ?? ''
  return {
    learnt: papers.filter(({ listDay }) => listDay < first),
    heldBack: papers.filter(({ listDay }) => listDay >= first),
  }
}

/**
 * What nobody judged is graded by its phrases: a strong one in the title makes a paper squarely the topic's, two different
 * ones in the abstract make it relevant. Coarse, but the same for both models, and a model that has gone wrong shows.
 */
const gradesOf = (reading: Reading, model: RelevanceModel): Record<string, number> =>
  Object.fromEntries(
    weighEvidence(reading, model.phrases).flatMap(({ topic, parts }) => {
      const strong = parts.filter((part) => part.strong).map(({ sighting }) => sighting)
      if (strong.some(({ title }) => title > 0)) return [[topic, 2]]
      return new Set(strong.map(({ phrase }) => phrase)).size >= 2 ? [[topic, 1]] : []
    }),
  )

/** Lets both models order the held-back papers, week by week and topic by topic. */
export const tryModel = (
  candidate: RelevanceModel,
  current: RelevanceModel,
  heldBack: readonly DatedPaper[],
): ModelTrial => {
  const readings = heldBack.map(readPaper)
  const papers = heldBack.map(
    ({ title, abstract, listDay }, at): EvaluatedPaper => ({
      id: String(at),
      title,
      abstract,
      listDay,
      week: isoWeekOf(listDay),
      grades: gradesOf(readings[at] as Reading, current),
      morning: null,
      settled: null,
    }),
  )
  const scoresOf = (model: RelevanceModel): Scores => {
    const judge = createJudge(model)
    return readings.map((reading) => judge(reading).verdicts.map(({ logit }) => logit))
  }
  const [ours, theirs] = [candidate, current].map((model) =>
    cellsOf(papers, scoresOf(model)).map(({ ndcg10 }) => ndcg10),
  ) as [number[], number[]]
  const { mean: gain, ci } = estimate(ours.map((value, at) => value - (theirs[at] ?? 0)))
  const measured = ours.length > 0
  return {
    papers: papers.length,
    cells: ours.length,
    candidate: measured ? mean(ours) : null,
    current: measured ? mean(theirs) : null,
    gain,
    ci,
  }
}

/** Whether a candidate may be used: it was measured at all, and is no worse than by what is noise. */
export const mayReplace = ({ gain }: ModelTrial): boolean => gain !== null && gain >= -NOISE
