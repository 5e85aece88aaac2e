/** Measures the trend: how well the order on the morning of a list day predicts the settled upvotes. */
import { addDays } from '../../src/core/calendar.ts'
import { createTrend, TREND_LIST_DAYS, type Trend } from '../../src/core/digest/trend.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import type { EvaluatedPaper } from './judged-papers.ts'
import { type Estimate, estimate, ndcgByScore } from './metrics.ts'

/** A day with fewer papers of which both counts are known has no meaningful order. */
const MIN_PAPERS = 5
/** Morning counts are of one age, whatever it is: a list of the morning is compared with lists of the morning. */
const MORNING_AGE = 3
/** 28 list days lie within six weeks: weekends and holidays have none. */
const TREND_SPAN = Math.ceil((TREND_LIST_DAYS * 7) / 5) + 3

const NO_TREND: Trend = { percentile: 0, topPercent: null }

/** The trend of every paper by its morning count, against the papers of the last 28 list days, its own among them. */
export const trendsOf = (papers: readonly EvaluatedPaper[], past: readonly Listing[]): Trend[] => {
  const seen = new Map<string, { day: string; upvotes: number }>()
  for (const { paper, listDay, observation } of past)
    if (observation.upvotes !== null) seen.set(paper.id, { day: listDay, upvotes: observation.upvotes })
  for (const { id, listDay, morning } of papers) if (morning !== null) seen.set(id, { day: listDay, upvotes: morning })
  const byDay = new Map<string, ReturnType<typeof createTrend>>()
  for (const day of new Set(papers.map(({ listDay }) => listDay))) {
    const oldest = addDays(day, -TREND_SPAN)
    const peers = [...seen].filter(([, one]) => one.day > oldest && one.day <= day)
    const days = [...new Set(peers.map(([, one]) => one.day))].sort().slice(-TREND_LIST_DAYS)
    const first = days[0] ?? day
    byDay.set(
      day,
      createTrend(
        peers
          .filter(([, one]) => one.day >= first)
          .map(([paperId, { upvotes }]) => ({ paperId, ageHours: MORNING_AGE, upvotes })),
      ),
    )
  }
  return papers.map(({ listDay, morning }) => byDay.get(listDay)?.(MORNING_AGE, morning) ?? NO_TREND)
}

export interface TrendResult {
  /** nDCG@10 of the order by trend against settled upvotes, mean over list days. */
  ndcg10: number | null
  ci: Estimate['ci']
  /** The same of the plain count of the morning. */
  plainUpvotes: number | null
  /** And of chance. */
  chance: number | null
  days: number
  papers: number
}

/** Measured on list days of which five or more papers have both counts; `null` where there is none. */
export const studyTrend = (papers: readonly EvaluatedPaper[], trends: readonly Trend[]): TrendResult | null => {
  const known = papers.flatMap(({ listDay, morning, settled }, at) =>
    morning === null || settled === null
      ? []
      : [{ listDay, morning, settled, percentile: trends[at]?.percentile ?? 0 }],
  )
  const days = [...Map.groupBy(known, ({ listDay }) => listDay).values()].filter((day) => day.length >= MIN_PAPERS)
  if (days.length === 0) return null
  const measured = (scoreOf: (one: (typeof known)[number]) => number): Estimate =>
    estimate(days.map((day) => ndcgByScore(day.map((one) => ({ score: scoreOf(one), gain: one.settled })))))
  const { mean: ndcg10, ci } = measured(({ percentile }) => percentile)
  return {
    ndcg10,
    ci,
    plainUpvotes: measured(({ morning }) => morning).mean,
    chance: measured(() => 0).mean,
    days: days.length,
    papers: days.flat().length,
  }
}
