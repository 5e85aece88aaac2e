/** Replays list days for simulated subscribers by the service's own rules, and counts the papers that any of them would get twice. */

import { addDays, weekdayOf } from '../../src/core/calendar.ts'
import { mostPapers } from '../../src/core/digest/digest-size.ts'
import { eligibleAt, eligibleSince, mergeRecentlySent } from '../../src/core/digest/eligibility.ts'
import { rankPapers, selectPapers } from '../../src/core/digest/ranking.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import type { JudgedCandidate } from './blend-study.ts'
import { simulateSubscribers } from './subscribers.ts'

const SUBSCRIBERS = 200
const LISTED = 'T09:00:00Z'
const SENT = 'T12:00:00Z'
const FRIDAY = 5

export interface ReplayResult {
  /** Papers that a subscriber was sent more than once; must be 0. */
  repeats: number
  digests: number
  papers: number
}

/** Every second subscriber gets daily digests, the others weekly ones on Fridays. */
export const replay = (papers: readonly JudgedCandidate[]): ReplayResult => {
  const days = [...new Set(papers.map(({ listDay }) => listDay))].sort()
  const [first, last] = [days[0], days.at(-1)]
  const result = { repeats: 0, digests: 0, papers: 0 }
  if (first === undefined || last === undefined) return result
  const news = papers.map((paper) => ({ paper, at: eligibleAt(paper.listDay, new Date(paper.listDay + LISTED)) }))
  const subscribers = simulateSubscribers(
    DEFAULT_TOPICS.all.map(({ slug }) => slug),
    SUBSCRIBERS,
  )
  for (const [number, topics] of subscribers.entries()) {
    const frequency = number % 2 === 0 ? 'daily' : 'weekly'
    const sent = new Set<string>()
    let recentlySent: Record<string, string> = {}
    let previous: Date | null = null
    for (let day = first; day <= addDays(last, 7); day = addDays(day, 1)) {
      if (frequency === 'weekly' && weekdayOf(day) !== FRIDAY) continue
      const cutoff = new Date(day + SENT)
      const since = eligibleSince(frequency, cutoff, previous)
      const open = news.filter(({ paper, at }) => at > since && at <= cutoff && recentlySent[paper.id] === undefined)
      const ranked = rankPapers(
        open.map(({ paper }) => paper),
        topics,
      )
      const chosen = selectPapers(ranked, topics, mostPapers(frequency, null)).map(({ paper }) => paper.id)
      result.repeats += chosen.filter((id) => sent.has(id)).length
      result.digests += Number(chosen.length > 0)
      result.papers += chosen.length
      for (const id of chosen) sent.add(id)
      recentlySent = mergeRecentlySent([recentlySent], chosen, day)
      previous = cutoff
    }
  }
  return result
}
