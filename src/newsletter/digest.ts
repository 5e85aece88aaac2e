/** Composing digests: from the papers that may be chosen to the frozen list of a cohort, and from there to the reader. */

import { DAY, HOUR, localDateAt } from '../core/calendar.ts'
import { cohortKey } from '../core/digest/cohort.ts'
import type { DigestEntry, DigestIssue, DigestKind, PaperCard } from '../core/digest/digest.ts'
import { isPartial, lastForgottenDate, RECENTLY_SENT_DAYS } from '../core/digest/eligibility.ts'
import { emptyDigestLine } from '../core/digest/empty-digest.ts'
import { applyProfile, interestsOf } from '../core/digest/interests.ts'
import { createSimilarityCheck, selectDistinct } from '../core/digest/near-duplicates.ts'
import { cardOf } from '../core/digest/paper-card.ts'
import { createPaperIndex, type PaperIndex } from '../core/digest/paper-index.ts'
import { type InterestMatch, rankPapers, selectPapers } from '../core/digest/ranking.ts'
import { digestReasonOf } from '../core/digest/reason.ts'
import { AGE_BUCKETS, createTrend, estimateTrend, TREND_LIST_DAYS } from '../core/digest/trend.ts'
import { ENOUGH_OWN_PAPERS, selectTrendingExtras } from '../core/digest/trending-extras.ts'
import type { Paper } from '../core/papers/paper.ts'
import { type FrozenNews, newsLine, newsSince } from '../core/papers/paper-news.ts'
import { GATE } from '../core/relevance/gate.ts'
import type { Profile } from '../core/subscriber/preferences.ts'
import { topicBySlug } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import {
  type Digest,
  type NewDigest,
  type PreviousDigest,
  readPreviousDigests,
  storeDigests,
} from '../store/digests.ts'
import { readNews } from '../store/paper-news.ts'
import {
  readCandidates,
  readFill,
  readListDays,
  readNewestObservation,
  readTexts,
  readTrendHistory,
} from '../store/papers.ts'
import { readStaleSources } from '../store/refreshes.ts'
import { profileOf, type Subscriber } from '../store/subscribers.ts'

/** How many papers a digest of a kind holds at most. */
export const MOST_PAPERS: Record<DigestKind, number> = { daily: 10, weekly: 15, welcome: 10 }
const WELCOME_LIST_DAYS = 7
/** A source without success for this long is said to be unreadable when a digest has nothing. */
const STALE_AFTER = 36 * 3_600_000

type DigestCandidate = Awaited<ReturnType<typeof readCandidates>>[number] & {
  trend: { percentile: number; topPercent: number | null }
}

/** The papers that may be chosen at a cut-off, each with its trend; loaded once for all cohorts of an edition. */
export interface CandidatePool {
  cutoff: Date
  papers: DigestCandidate[]
  /** When each of them became news, by its id. */
  byId: ReadonlyMap<string, Date>
  /** Where keywords, authors and muted words stand in them. */
  index: PaperIndex
  /** Whether two of them say nearly the same. */
  isAlike: (id: string, other: string) => boolean
  /** Why a digest without papers has none, should one turn out so. */
  whyEmpty: string
  /** The list day left out because it has come in only in part. */
  partialDay: string | null
  /** What became of papers lately, by paper; for as long as a digest remembers them. */
  news: Awaited<ReturnType<typeof readNews>>
}

/** Loads what may be chosen: papers that became news since an instant, or those of some list days. */
export const loadCandidatePool = async (
  db: Database,
  cutoff: Date,
  of: { since: Date } | { listDays: string[] },
): Promise<CandidatePool> => {
  const today = cutoff.toISOString().slice(0, 10)
  const candidates = await readCandidates(db, cutoff, of)
  const fill = await readFill(db, today, cutoff)
  // Only the day that is still open is held back; once it is over, what it has is what it is.
  const partialDay = 'since' in of && fill.count > 0 && isPartial(fill.count, fill.earlier) ? today : null
  const trend = createTrend(await readTrendHistory(db, cutoff, TREND_LIST_DAYS, AGE_BUCKETS))
  const revisions = candidates.map(({ id, revision }) => ({ paperId: id, revision }))
  const texts = [...(await readTexts(db, revisions)).values()]
  const news = await readNews(db, new Date(cutoff.getTime() - RECENTLY_SENT_DAYS * DAY), cutoff)
  const isWithdrawn = (id: string) => news.get(id)?.some(({ kind }) => kind === 'withdrawn') ?? false
  const stale = await readStaleSources(db, new Date(cutoff.getTime() - STALE_AFTER))
  const papers = candidates
    .filter((paper) => paper.listDay !== partialDay && !isWithdrawn(paper.id))
    .map((paper) => ({
      ...paper,
      // Every cohort looks at these; a topic that the paper hardly touches brings it to nobody.
      relevance: paper.relevance.filter(({ score }) => score >= GATE),
      trend:
        paper.upvotes === null
          ? estimateTrend({
              ageHours: (cutoff.getTime() - paper.eligibleAt.getTime()) / HOUR,
              categories: paper.categories,
            })
          : trend(paper.ageHours, paper.upvotes),
    }))
  return {
    cutoff,
    papers,
    byId: new Map(papers.map(({ id, eligibleAt }) => [id, eligibleAt])),
    index: createPaperIndex(texts),
    isAlike: createSimilarityCheck(texts),
    whyEmpty:
      partialDay !== null
        ? 'the list of the day was still coming in'
        : stale.length > 0
          ? 'the source of papers could not be read'
          : 'no new papers in your topics',
    partialDay,
    news,
  }
}

const entryOf = (
  paper: DigestCandidate,
  why: { topic: string | null; matches: InterestMatch[] },
  seeAlso: readonly DigestCandidate[] = [],
): DigestEntry => ({
  paperId: paper.id,
  revision: paper.revision,
  ...why,
  upvotes: paper.upvotes,
  comments: paper.comments,
  observedAt: paper.upvotes === null ? null : paper.observedAt.toISOString(),
  hourKnown: paper.hourKnown,
  topPercent: paper.trend.topPercent,
  ...(seeAlso.length === 0 ? {} : { seeAlso: seeAlso.map(({ id, revision }) => ({ paperId: id, revision })) }),
})

/** What a cohort is composed from: the wish, and what its members were sent before. */
export interface DigestRequest {
  kind: DigestKind
  profile: Profile
  localDate: string
  since: Date
  /** Paper ids sent before that are still among the papers to choose from. */
  recentlySent: string[]
  /** The line about digests that had nothing before this one. */
  note: string | null
  /** What has become of papers sent before (`newsSincePrevious`). */
  news: FrozenNews[]
}

/** The papers of a wish: its own, and where those are few what trends beyond them. */
const choosePapers = (
  open: DigestCandidate[],
  { kind, profile }: DigestRequest,
  { index, isAlike }: CandidatePool,
): DigestEntry[] => {
  const papers = applyProfile(open, profile, index)
  const interests = interestsOf(profile)
  const { chosen, seeAlso } = selectDistinct(
    rankPapers(papers, interests),
    (ranked) => selectPapers(ranked, interests, MOST_PAPERS[kind]),
    isAlike,
  )
  const own = chosen.map(({ paper, topic, matches }) => entryOf(paper, { topic, matches }, seeAlso.get(paper.id)))
  const isWanted = chosen.length > 0 || profile.whenEmpty === 'send' || kind === 'welcome'
  if (chosen.length >= ENOUGH_OWN_PAPERS[kind] || !isWanted) return own
  const taken = chosen.flatMap(({ paper }) => [paper, ...(seeAlso.get(paper.id) ?? [])])
  const trendingExtras = selectTrendingExtras(papers, taken, isAlike)
  return [...own, ...trendingExtras.map((paper) => entryOf(paper, { topic: null, matches: [] }))]
}

const sentenceOf = (why: string): string => `${why.charAt(0).toUpperCase()}${why.slice(1)}.`

/** Of a digest that has something: the silence before it, and why it has nothing of its readers' own. */
const noteOf = (entries: DigestEntry[], { note }: DigestRequest, { whyEmpty }: CandidatePool): string | null => {
  const hasOwn = entries.some((entry) => entry.topic !== null)
  return [note, hasOwn ? null : sentenceOf(whyEmpty)].filter((line) => line !== null).join(' ') || null
}

/** Freezes the digest of one cohort. `pasts` are those of its members: their carries go on together. */
export const composeDigest = (
  choice: CandidatePool,
  request: DigestRequest,
  editionId: number | null,
  previousDigests: Iterable<Pick<PreviousDigest, 'id' | 'emptySince'>>,
  key = cohortKey({ ...request, cutoff: choice.cutoff }),
): NewDigest => {
  const recentlySent = new Set(request.recentlySent)
  const since = request.kind === 'welcome' ? Number.NEGATIVE_INFINITY : request.since.getTime()
  const open = choice.papers.filter((paper) => paper.eligibleAt.getTime() > since && !recentlySent.has(paper.id))
  const entries = choosePapers(open, request, choice)
  const earlier = [...previousDigests]
  const emptyBefore = earlier.map((previous) => previous.emptySince).find((day) => day !== null)
  return {
    editionId,
    cohortKey: key,
    kind: request.kind,
    localDate: request.localDate,
    topics: request.profile.topics,
    keywords: request.profile.keywords,
    authors: request.profile.authors,
    cutoff: choice.cutoff,
    entries,
    listDays: [...new Set(open.map((paper) => paper.listDay))].sort(),
    considered: open.length,
    recentlySent: Object.fromEntries(
      entries
        .flatMap((entry) => [entry.paperId, ...(entry.seeAlso ?? []).map(({ paperId }) => paperId)])
        .map((id) => [id, request.localDate]),
    ),
    after: { digests: earlier.map((previous) => previous.id), forget: lastForgottenDate(request.localDate) },
    emptySince: entries.length > 0 ? null : (emptyBefore ?? request.localDate),
    note: entries.length > 0 ? noteOf(entries, request, choice) : choice.whyEmpty,
    sample: open.some((paper) => paper.source === 'sample'),
    news: request.news,
  }
}

/** The line that a digest begins with when the one before it had nothing; its own note then holds why. */
export const emptyDigestNote = (previous: PreviousDigest | undefined): string | null =>
  previous?.emptySince == null
    ? null
    : emptyDigestLine(previous.emptySince, previous.localDate, previous.note ?? 'no new papers in your topics')

/** What has become of the papers that a past carries since its digest; one that had nothing told nothing of it either. */
export const newsSincePrevious = (
  previous: PreviousDigest | undefined,
  lastCutoff: Date | null,
  { news }: CandidatePool,
): FrozenNews[] =>
  previous === undefined || lastCutoff === null
    ? []
    : newsSince(news, {
        recentlySent: previous.recentlySent,
        cutoff: lastCutoff,
        untold: previous.emptySince === null ? [] : previous.news,
      })

/** What welcomes are chosen from: the seven newest list days, as they were at the last refresh. */
export const loadWelcomePool = async (db: Database, now: Date): Promise<CandidatePool> => {
  const cutoff = (await readNewestObservation(db, now)) ?? now
  return loadCandidatePool(db, cutoff, { listDays: await readListDays(db, cutoff, WELCOME_LIST_DAYS) })
}

/**
 * The welcome of somebody who just confirmed: the best of those days, so that equal profiles share one. What they were
 * sent in an earlier subscription does not come again.
 */
export const composeWelcome = async (
  db: Database,
  subscriber: Subscriber,
  now: Date,
): Promise<{ digestId: number; cutoff: Date }> => {
  const choice = await loadWelcomePool(db, now)
  const { cutoff } = choice
  const previous =
    subscriber.last_digest_id === null
      ? []
      : [...(await readPreviousDigests(db, [subscriber.last_digest_id], choice.byId.keys())).values()]
  const request: DigestRequest = {
    kind: 'welcome',
    profile: profileOf(subscriber),
    localDate: localDateAt(now, subscriber.time_zone),
    since: new Date(0),
    recentlySent: previous.flatMap((one) => one.recentlySent),
    note: null,
    news: [],
  }
  const [stored] = await storeDigests(db, [{ ...composeDigest(choice, request, null, previous), emptySince: null }])
  if (stored === undefined) throw new Error('a welcome was not stored')
  return { digestId: stored.id, cutoff }
}

/** What `readIssue` needs of a digest, stored or not. */
export type Composed = Pick<
  Digest,
  | 'kind'
  | 'local_date'
  | 'topics'
  | 'keywords'
  | 'authors'
  | 'entries'
  | 'list_days'
  | 'considered'
  | 'note'
  | 'sample'
  | 'news'
>

/** Of the papers of a week, ranked, those of each topic together; the topic of the best comes first. */
const groupByTopic = (entries: DigestEntry[]): { topic: string | null; entries: DigestEntry[] }[] => {
  const groups = new Map<string | null, DigestEntry[]>()
  for (const entry of entries) groups.set(entry.topic, [...(groups.get(entry.topic) ?? []), entry])
  return [...groups].map(([topic, own]) => ({ topic, entries: own }))
}

/** A digest as its readers see it: the frozen list, with the texts of the revisions it was composed from. */
export const readIssue = async (db: Database, digest: Composed): Promise<DigestIssue> => {
  const texts = await readTexts(db, [
    ...digest.entries.flatMap((entry) => [entry, ...(entry.seeAlso ?? [])]),
    ...digest.news,
  ])
  const textOf = ({ paperId, revision }: { paperId: string; revision: number }): Paper => {
    const paper = texts.get(paperId)
    if (paper === undefined) throw new Error(`paper ${paperId} has no revision ${revision}`)
    return paper
  }
  const cardsOf = (entries: DigestEntry[]): PaperCard[] =>
    entries.map((entry) =>
      cardOf(textOf(entry), {
        reason: digestReasonOf(entry, digest.local_date),
        upvotes: entry.upvotes,
        comments: entry.comments,
        seeAlso: (entry.seeAlso ?? []).map(textOf),
      }),
    )
  const labels = [
    ...digest.topics.map((slug) => topicBySlug(slug)?.label ?? slug),
    ...digest.keywords.map((keyword) => `“${keyword}”`),
    ...digest.authors,
  ]
  // In the order of the labels.
  const interests = interestsOf(digest)
  const own = digest.entries.filter((entry) => entry.topic !== null)
  const groups = digest.kind === 'weekly' ? groupByTopic(own) : []
  return {
    kind: digest.kind,
    localDate: digest.local_date,
    listDays: digest.list_days,
    topics: labels,
    cards: cardsOf(groups.length === 0 ? own : groups.flatMap((group) => group.entries)),
    groups:
      groups.length < 2
        ? []
        : groups.map(({ topic, entries }) => ({
            label: labels[interests.indexOf(topic ?? '')] ?? topic ?? '',
            papers: entries.length,
          })),
    trendingExtras: cardsOf(digest.entries.filter((entry) => entry.topic === null)),
    news: digest.news.map((one) => {
      const { title, url } = cardOf(textOf(one), { reason: '', upvotes: null, comments: null })
      return { title, url: one.kind === 'code' ? textOf(one).codeUrl : url, line: newsLine(one) }
    }),
    considered: digest.considered,
    note: digest.note,
    sample: digest.sample,
  }
}

/** The same of one that is looked at before, or without, being stored. */
export const readUnstoredIssue = (db: Database, digest: NewDigest): Promise<DigestIssue> =>
  readIssue(db, { ...digest, local_date: digest.localDate, list_days: digest.listDays })
