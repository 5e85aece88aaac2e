/** Simulated readers with hidden tastes, who vote for papers of their digests, and a curator who picks. */
import { rankPapers, selectPapers } from '../../src/core/digest/ranking.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { gradeFor, type JudgedCandidate } from './blend-study.ts'
import { CUTOFF, gainOf, mean } from './metrics.ts'
import { simulateSubscribers } from './subscribers.ts'

/** A paper whose settled upvotes are known. */
export type SettledPaper = JudgedCandidate & { settled: number }

/** How much papers appeal to the readers here as a whole. */
export interface Taste {
  /** In standard deviations of the papers of the same day. */
  appealOf: (paper: SettledPaper) => number
  /** The upvotes that a paper would have got in the end from a crowd of that taste. */
  countOf: (paper: SettledPaper) => number
}

/** A reader votes on so many of the days, for one paper at most. */
const VOTES_ON = 0.3
/** The chance that the next place of a digest is looked at falls as 1 / (1 + this × places before). */
const TIRED = 0.2
/** Only what appeals by more than so many deviations is voted for, and fit with the reader's topics adds to the appeal. */
const LEAST_APPEAL = 1
const APPEAL_OF_FIT = 0.3
/** How unsure a curator is of what appeals to the readers. */
const CURATORS_NOISE = 0.5

const drawNormal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

const logOf = ({ settled }: SettledPaper): number => Math.log(1 + settled)

/**
 * The taste of the readers here: `shared` is its correlation, 0 to 1, with that of the crowd whose upvotes are counted. What
 * is their own is drawn once for each paper, the same for the same seed.
 */
export const createTaste = (papers: readonly SettledPaper[], shared: number, seed = 99): Taste => {
  const random = createRandom(seed)
  const days = new Map(
    [...Map.groupBy(papers, ({ listDay }) => listDay)].map(([day, all]) => {
      const average = mean(all.map(logOf))
      const deviation = Math.sqrt(mean(all.map((paper) => (logOf(paper) - average) ** 2))) || 1
      return [day, { average, deviation }] as const
    }),
  )
  const appeals = new Map(
    papers.map((paper) => {
      const { average = 0, deviation = 1 } = days.get(paper.listDay) ?? {}
      const ofCrowd = (logOf(paper) - average) / deviation
      return [paper.id, shared * ofCrowd + Math.sqrt(1 - shared * shared) * drawNormal(random)] as const
    }),
  )
  const appealOf = ({ id }: SettledPaper): number => appeals.get(id) ?? 0
  return {
    appealOf,
    countOf: (paper) => {
      const { average = 0, deviation = 1 } = days.get(paper.listDay) ?? {}
      return Math.max(0, Math.exp(average + deviation * appealOf(paper)) - 1)
    },
  }
}

/** How many of `count` readers voted for each paper: each for one of the ten of a day's digest that appeals to them. */
export const simulateVotes = (
  days: readonly (readonly SettledPaper[])[],
  count: number,
  { appealOf }: Taste,
): Map<string, number> => {
  const random = createRandom(count + 1)
  const readers = simulateSubscribers(
    DEFAULT_TOPICS.all.map(({ slug }) => slug),
    count,
    // Others than those whose digests are measured.
    count + 101,
  )
  const votes = new Map<string, number>()
  for (const papers of days)
    for (const topics of readers) {
      if (random() >= VOTES_ON) continue
      let best: { id: string; appeal: number } | undefined
      for (const [place, { paper }] of selectPapers(rankPapers(papers, topics), topics, CUTOFF).entries()) {
        if (random() >= 1 / (1 + TIRED * place)) continue
        const appeal = appealOf(paper) + drawNormal(random) + APPEAL_OF_FIT * gainOf(gradeFor(paper, topics))
        if (appeal > (best?.appeal ?? LEAST_APPEAL)) best = { id: paper.id, appeal }
      }
      if (best !== undefined) votes.set(best.id, (votes.get(best.id) ?? 0) + 1)
    }
  return votes
}

/** What a curator picks who names one paper a day: what they think appeals most, which is not sure. */
export const simulatePicks = (days: readonly (readonly SettledPaper[])[], { appealOf }: Taste): Set<string> => {
  const random = createRandom(7)
  return new Set(
    days.flatMap((papers) => {
      const [best] = papers
        .map((paper) => ({ id: paper.id, appeal: appealOf(paper) + CURATORS_NOISE * drawNormal(random) }))
        .sort((a, b) => b.appeal - a.appeal)
      return best === undefined ? [] : [best.id]
    }),
  )
}
