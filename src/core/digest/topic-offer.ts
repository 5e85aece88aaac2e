/** The topic that a digest offers its readers: one that they do not follow, near to what they do, with papers in the week before. */
import { daysBetween } from '../calendar.ts'
import { followsOnlyTrending } from '../subscriber/followed.ts'
import { type Profile, TRENDING } from '../subscriber/preferences.ts'
import { topics } from '../topics.ts'
import { LEAST_IN_FULL } from './compact-papers.ts'
import type { TopicOffer } from './digest.ts'
import type { Rankable } from './ranking.ts'

/** List days of so many days before a digest are its week. */
export const WEEK_DAYS = 7
/** Fewer good papers a week are no reason to follow a topic. */
const LEAST_PAPERS = 3
/** Each topic has its turn every so many days: no two days in a row offer the same, nor do a weekend or two weeks apart. */
const TURN_EVERY = 5
/** Dates whose turn is kept: working one out takes longer than all else of an offer. */
const MOST_DATES = 100

type ListedPaper = Rankable & { listDay: string }

/** The papers of a week that are squarely about a topic, by the topics that have several. */
export type TopicPapers = ReadonlyMap<string, readonly ListedPaper[]>

export const findTopicPapers = (week: readonly ListedPaper[]): TopicPapers => {
  const found = new Map<string, ListedPaper[]>()
  for (const paper of week)
    for (const { topic, score, squarely = score } of paper.relevance)
      if (topic !== TRENDING && squarely >= LEAST_IN_FULL) found.set(topic, [...(found.get(topic) ?? []), paper])
  return new Map([...found].filter(([, papers]) => papers.length >= LEAST_PAPERS))
}

/** The topics of a date, by its turn: every cohort of an edition asks for those of the same two or three dates. */
const turns = new Map<number, string[]>()
const days = new Map<string, number>()
const topicsOfTurn = (date: string): string[] => {
  if (days.size > MOST_DATES) days.clear()
  const day = days.get(date) ?? daysBetween('1970-01-01', date)
  days.set(date, day)
  const turn = day % TURN_EVERY
  const known = turns.get(turn) ?? topics().all.flatMap(({ slug }, n) => ((n + turn) % TURN_EVERY === 0 ? [slug] : []))
  turns.set(turn, known)
  return known
}

/**
 * What a digest of `date` (`YYYY-MM-DD`) offers: of the topics whose turn it is and that are not followed the one that shares
 * the largest part of its papers with what its readers follow; for those who get only what trends the one of which most
 * papers trend. `chosen` are the papers of the digest itself, by id, which say what keywords and authors are about. `null`
 * where none shares any.
 */
export const offerTopic = (
  topicPapers: TopicPapers,
  profile: Profile,
  date: string,
  chosen: ReadonlySet<string>,
): TopicOffer | null => {
  const byTrend = followsOnlyTrending(profile)
  const followed = new Set(byTrend ? [TRENDING] : profile.topics)
  const isNear = ({ id, relevance }: Rankable): boolean =>
    relevance.some(({ topic }) => followed.has(topic)) || (!byTrend && chosen.has(id))
  const offers = topicsOfTurn(date).flatMap((slug) => {
    const papers = topicPapers.get(slug)
    if (papers === undefined || profile.topics.includes(slug)) return []
    const near = papers.filter(isNear).length
    return near === 0 ? [] : [{ topic: slug, papers: papers.length, nearness: byTrend ? near : near / papers.length }]
  })
  const [best] = offers.sort((a, b) => b.nearness - a.nearness || b.papers - a.papers)
  if (best === undefined) return null
  const listDays = [...new Set(topicPapers.get(best.topic)?.map(({ listDay }) => listDay))].sort()
  return { topic: best.topic, papers: best.papers, listDays }
}
