/** Composing digests: the frozen list of papers of a cohort, and the welcome of a new subscriber. */
import { localDateAt } from '../../core/calendar.ts'
import { standsOut } from '../../core/digest/at-once.ts'
import type { Choice } from '../../core/digest/choice.ts'
import { cohortKey } from '../../core/digest/cohort.ts'
import { selectCompact } from '../../core/digest/compact-papers.ts'
import type { DayRank, DigestEntry, DigestKind } from '../../core/digest/digest.ts'
import { ENOUGH_OWN_PAPERS, mostPapers } from '../../core/digest/digest-size.ts'
import { lastForgottenDate } from '../../core/digest/eligibility.ts'
import { isMissed, NOTHING_NEW, skippedAsEmpty } from '../../core/digest/empty-digest.ts'
import { endorsedBy } from '../../core/digest/endorsement.ts'
import { applyProfile, interestsOf } from '../../core/digest/interests.ts'
import { leastPapers, waitsForMore, withWaiting } from '../../core/digest/least-papers.ts'
import { selectUnsent } from '../../core/digest/near-duplicates.ts'
import { type InterestMatch, type RankedPaper, rankPapers, selectPapers } from '../../core/digest/ranking.ts'
import {
  joinSkipped,
  NOTHING_UNTOLD,
  type SkippedDigests,
  skippedFor,
  skippedForFew,
  type UntoldBefore,
  untoldLines,
  waitingOf,
} from '../../core/digest/skipped-digests.ts'
import { likedIn, rankByTaste } from '../../core/digest/taste-ranking.ts'
import { offerTopic } from '../../core/digest/topic-offer.ts'
import { selectTrendingExtras } from '../../core/digest/trending-extras.ts'
import type { GroupSection } from '../../core/groups/group-list.ts'
import type { FrozenNews } from '../../core/papers/paper-news.ts'
import type { Due } from '../../core/subscriber/due.ts'
import { offeredProfile } from '../../core/subscriber/offered-topics.ts'
import { type Frequency, type Profile, TRENDING } from '../../core/subscriber/preferences.ts'
import type { TasteFit } from '../../core/taste/term-index.ts'
import type { Database } from '../../store/database.ts'
import { type NewDigest, type PreviousDigest, readPreviousDigests } from '../../store/digests.ts'
import type { ListedDay } from '../../store/papers/papers.ts'
import { type ChosenColumns, preferencesOf, profileOf, type Subscriber } from '../../store/subscribers.ts'
import type { CandidatePool, DigestCandidate } from './candidate-pool.ts'

/** What one digest is composed from: what its subscribers chose, and what they were sent before. */
export interface DigestRequest {
  kind: DigestKind
  profile: Profile
  /** The subscribers' date, `YYYY-MM-DD`. */
  localDate: string
  /** Only papers that became eligible later are chosen. */
  since: Date
  /** Papers sent before that are still among the candidates. */
  recentlySent: string[]
  /** What the digest begins with: of topics that are gone (`goneTopicsLine`). */
  note: string | null
  /** What it is to tell of the digests before it (`untoldBefore`); absent where there is nothing. */
  untold?: UntoldBefore
  /** Slugs that its subscribers chose and that are no topics now; the profile is without them. */
  goneTopics?: readonly string[]
  /** What has become of papers sent before, and what of it is left for later digests (`sent-news`). */
  news: FrozenNews[]
  untoldNews?: FrozenNews[]
  /** What the lists of its readers' groups bring; absent mostly. */
  sections?: readonly GroupSection[]
}

/** Where a paper's upvotes stand among those of its list day. */
const dayRankOf = ({ listDay, upvotes }: DigestCandidate, listed: CandidatePool['listed']): DayRank => {
  const day = listed.get(listDay) ?? { papers: 0, upvotes: [] }
  const isCounted = upvotes !== null && upvotes > 0
  return {
    listDay,
    rank: isCounted ? 1 + day.upvotes.filter((count) => count > upvotes).length : null,
    shared: isCounted && day.upvotes.filter((count) => count === upvotes).length > 1,
    counted: day.upvotes.length,
    listed: day.papers,
  }
}

interface EntryContext {
  seeAlso?: readonly DigestCandidate[] | undefined
  isCompact?: boolean
  /** What was sent before and says nearly the same. */
  twinOf?: DigestCandidate | undefined
  dayRank?: DayRank | undefined
  /** What its reader seems to like in it. */
  liked?: string[]
}

/** The entry of a paper, frozen. */
export const entryOf = (
  paper: DigestCandidate & { first?: boolean },
  why: { topic: string | null; matches: InterestMatch[] },
  { seeAlso = [], isCompact = false, twinOf, dayRank, liked = [] }: EntryContext = {},
): DigestEntry => ({
  paperId: paper.id,
  revision: paper.revision,
  ...why,
  upvotes: paper.upvotes,
  comments: paper.comments,
  observedAt: paper.upvotes === null ? null : paper.observedAt.toISOString(),
  hourKnown: paper.hourKnown,
  topPercent: paper.trend.topPercent,
  ...endorsedBy(paper.endorsements, paper.first === true),
  ...(liked.length === 0 ? {} : { liked }),
  ...(dayRank === undefined ? {} : { dayRank }),
  ...(isCompact ? { compact: true } : {}),
  ...(twinOf === undefined ? {} : { twinOf: { paperId: twinOf.id, revision: twinOf.revision } }),
  ...(seeAlso.length === 0 ? {} : { seeAlso: seeAlso.map(({ id, revision }) => ({ paperId: id, revision })) }),
})

/**
 * For readers of what trends, what is pinned to the newest list day that a digest is chosen from comes first. A week's digest
 * has too many days for that, and what comes at once must stand out by itself.
 */
const putPinnedFirst = (
  open: DigestCandidate[],
  { kind, profile }: DigestRequest,
): (DigestCandidate & { first?: boolean })[] => {
  if (!profile.trending || kind === 'weekly' || kind === 'at-once') return open
  const newest = open.reduce((latest, { listDay }) => (listDay > latest ? listDay : latest), '')
  return open.map((paper) => (paper.pinnedTo === newest ? { ...paper, first: true } : paper))
}

const sectionEntries = ({ sections = [] }: Pick<DigestRequest, 'sections'>): DigestEntry[] =>
  sections.flatMap(({ entries }) => entries)

/** The papers that a request may choose from: news for its readers, and not sent to them yet. */
const openPapers = ({ papers }: Pick<CandidatePool, 'papers'>, request: DigestRequest): DigestCandidate[] => {
  // A paper that a group brings is not among those of one's own.
  const recentlySent = new Set([...request.recentlySent, ...sectionEntries(request).map(({ paperId }) => paperId)])
  const since = request.kind === 'welcome' ? Number.NEGATIVE_INFINITY : request.since.getTime()
  return papers.filter(
    (paper) =>
      paper.eligibleAt.getTime() > since &&
      !recentlySent.has(paper.id) &&
      (request.kind !== 'at-once' || standsOut(paper)),
  )
}

/** The first steps of a choice, which are the same for all tastes. */
export const rankOpenPapers = (pool: Pick<CandidatePool, 'papers' | 'index'>, request: DigestRequest) => {
  const open = openPapers(pool, request)
  const seen = applyProfile(putPinnedFirst(open, request), request.profile, pool.index)
  const interests = interestsOf(request.profile)
  const most = mostPapers(request.kind, request.profile.papers)
  return { open, seen, interests, most, ranked: rankPapers(seen, interests) }
}

/**
 * Chooses the papers of a request, and keeps each step for whoever asks why a paper came or did not: those of its own
 * interests and, where these are few, trending extras. `taste`: how well papers fit what its reader seems to like.
 */
export const choosePapers = (
  pool: Pick<CandidatePool, 'papers' | 'index' | 'isAlike'>,
  request: DigestRequest,
  taste: TasteFit | null = null,
  first = rankOpenPapers(pool, request),
): Choice<DigestCandidate & { first?: boolean }> => {
  const { kind, profile, recentlySent, localDate: date, untold = NOTHING_UNTOLD } = request
  const { isAlike, papers: candidates } = pool
  const waiting = waitingOf(untold)
  const waited = new Set(waiting.papers)
  const { seen, interests, most } = first
  const ranked = taste === null ? first.ranked : rankByTaste(first.ranked, taste)
  const select = (some: readonly RankedPaper<(typeof ranked)[number]['paper']>[]) =>
    withWaiting(selectPapers(some, interests, most), some, waited, most)
  const selected = selectUnsent(ranked, select, isAlike, recentlySent)
  const { chosen, seeAlso, twins } = selected
  const least = leastPapers(kind, profile)
  // With what a group brings the digest comes in any case, and has what there is.
  const waits =
    sectionEntries(request).length === 0 && waitsForMore(chosen.length, { least, since: waiting.since, date })
  const steps = { ...first, ranked, ...selected, waits }
  const sendsExtras = profile.whenEmpty === 'send' && kind !== 'at-once' && least === 1
  const isWanted = !waits && (chosen.length > 0 || sendsExtras || kind === 'welcome')
  // Nobody gets a digest for the sake of what they had before; and who gets what trends in all topics has the extras already.
  if (!isWanted || kind === 'at-once' || chosen.length >= ENOUGH_OWN_PAPERS[kind] || profile.trending)
    return { ...steps, extras: [], isWanted }
  const sent = new Set(recentlySent)
  const taken = [
    ...chosen.flatMap(({ paper }) => [paper, ...(seeAlso.get(paper.id) ?? [])]),
    ...twins.map(({ ranked: { paper } }) => paper),
    ...candidates.filter(({ id }) => sent.has(id)),
  ]
  const extras = selectTrendingExtras(seen, taken, isAlike).slice(0, most - chosen.length)
  return { ...steps, extras, isWanted }
}

/** The entries of a digest with these papers. */
export const freezeEntries = (
  { chosen, seeAlso, twins, extras, isWanted, waits }: ReturnType<typeof choosePapers>,
  { listed, papers: candidates }: CandidatePool,
  taste: TasteFit | null = null,
): DigestEntry[] => {
  if (waits) return []
  const compact = selectCompact(chosen)
  const own = chosen.map((one) => {
    const { paper, topic, matches } = one
    return entryOf(
      paper,
      { topic, matches },
      {
        liked: taste === null ? [] : likedIn(one, taste),
        seeAlso: seeAlso.get(paper.id),
        isCompact: compact.has(paper),
        dayRank: topic === TRENDING ? dayRankOf(paper, listed) : undefined,
      },
    )
  })
  if (!isWanted) return own
  const named = twins.map(({ ranked: { paper, topic, matches }, of }) =>
    entryOf(paper, { topic, matches }, { isCompact: true, twinOf: candidates.find(({ id }) => id === of) }),
  )
  return [...own, ...named, ...extras.map((paper) => entryOf(paper, { topic: null, matches: [] }))]
}

/** The list days that a digest is chosen from, oldest first, those between included, with how many papers each listed. */
const listedAmong = (
  open: readonly DigestCandidate[],
  listed: CandidatePool['listed'],
): [day: string, held: ListedDay][] => {
  const days = new Set(open.map(({ listDay }) => listDay))
  const held = [...listed.keys()]
  return [...listed].slice(
    held.findIndex((day) => days.has(day)),
    held.findLastIndex((day) => days.has(day)) + 1,
  )
}

/** The papers that came for what readers follow, not for their trend. */
const ownPapers = (entries: readonly DigestEntry[]): Set<string> =>
  new Set(entries.flatMap(({ paperId, topic }) => (topic === null || topic === TRENDING ? [] : [paperId])))

/** Why a digest has none of the papers that wait for more. */
const TOO_FEW = 'there were fewer new papers than you asked for'

const sentenceOf = (why: string): string => `${why.charAt(0).toUpperCase()}${why.slice(1)}.`

/** All papers that a digest sends, those that stand under others among them. */
const sentIn = (entries: readonly DigestEntry[]): string[] =>
  entries.flatMap((entry) => [entry.paperId, ...(entry.seeAlso ?? []).map(({ paperId }) => paperId)])

/** The note of a digest with papers: the digests before it, and what kept papers away that its readers follow. */
const composeNote = (
  entries: DigestEntry[],
  { kind, note, untold = NOTHING_UNTOLD }: DigestRequest,
  { whyEmpty }: CandidatePool,
): string | null => {
  // That nothing matches is said where the papers are counted.
  const isSaid = whyEmpty === NOTHING_NEW || entries.some((entry) => entry.topic !== null)
  const told = untoldLines(untold, { sent: new Set(sentIn(entries)), isAtOnce: kind === 'at-once' })
  return [note, told, isSaid ? null : sentenceOf(whyEmpty)].filter((line) => line !== null).join(' ') || null
}

/** What is left to tell after a digest: of one with papers only what came at once, until the regular one. */
const untoldAfter = (
  { entries, waiting }: Pick<FrozenChoice, 'entries' | 'waiting'>,
  { kind, localDate, profile, untold = NOTHING_UNTOLD }: DigestRequest,
  { whyEmpty, cutoff }: CandidatePool,
): UntoldBefore | null => {
  const { skipped, atOnce } = untold
  if (entries.length > 0)
    return kind === 'at-once' ? { skipped: [], atOnce: [...atOnce, { date: localDate, papers: entries.length }] } : null
  const waited = new Set(waitingOf(untold).papers)
  const added = waiting.filter((id) => !waited.has(id))
  const frequency = kind === 'daily' ? 'daily' : 'weekly'
  const own: SkippedDigests[] =
    added.length > 0
      ? [skippedForFew(localDate, added, leastPapers(kind, profile))]
      : isMissed(cutoff, frequency)
        ? [skippedFor(localDate, whyEmpty)]
        : []
  return { skipped: joinSkipped(skipped, own), atOnce }
}

/** The papers of a digest, chosen and frozen. */
export interface FrozenChoice {
  open: readonly DigestCandidate[]
  entries: DigestEntry[]
  /** The papers that come with a later digest, since they are too few: then it has none. */
  waiting: string[]
  /** Whether a taste ordered it. */
  byTaste: boolean
}

/** The papers of a choice that wait for more. */
export const waitingIn = ({ chosen, waits }: Pick<Choice, 'chosen' | 'waits'>): string[] =>
  waits ? chosen.map(({ paper }) => paper.id) : []

export const freezeChoice = (pool: CandidatePool, request: DigestRequest): FrozenChoice => {
  const choice = choosePapers(pool, request)
  return { open: choice.open, entries: freezeEntries(choice, pool), waiting: waitingIn(choice), byTaste: false }
}

/**
 * Composes the digest of one cohort, ready to be stored. `previousDigests` are what its members were sent last: what
 * these hold as recently sent goes on in the new digest.
 */
export const composeDigest = (
  pool: CandidatePool,
  request: DigestRequest,
  editionId: number | null,
  previousDigests: Iterable<Pick<PreviousDigest, 'id' | 'emptySince'>>,
  key = cohortKey({ ...request, cutoff: pool.cutoff }),
  choice = freezeChoice(pool, request),
): NewDigest => {
  const { open, waiting, byTaste } = choice
  const entries = [...choice.entries, ...sectionEntries(request)]
  const listed = listedAmong(open, pool.listed)
  const previous = [...previousDigests]
  const emptyBefore = previous.map(({ emptySince }) => emptySince).find((day) => day !== null)
  return {
    editionId,
    cohortKey: key,
    kind: request.kind,
    localDate: request.localDate,
    trending: request.profile.trending,
    // An empty digest is not mailed, so that what it would have told of topics is untold still.
    topics: entries.length > 0 ? request.profile.topics : [...request.profile.topics, ...(request.goneTopics ?? [])],
    keywords: request.profile.keywords,
    authors: request.profile.authors,
    cutoff: pool.cutoff,
    entries,
    listDays: listed.map(([day]) => day),
    listed: listed.reduce((total, [, { papers }]) => total + papers, 0),
    sent: Object.fromEntries(sentIn(entries).map((id) => [id, request.localDate])),
    previous: { previousIds: previous.map(({ id }) => id), forgottenOn: lastForgottenDate(request.localDate) },
    emptySince: entries.length > 0 ? null : (emptyBefore ?? request.localDate),
    untold: untoldAfter({ entries, waiting }, request, pool),
    note: entries.length > 0 ? composeNote(entries, request, pool) : waiting.length > 0 ? TOO_FEW : pool.whyEmpty,
    sample: open.some((paper) => paper.source === 'sample'),
    news: request.news,
    untoldNews: request.untoldNews ?? [],
    offer:
      entries.length === 0 || request.kind === 'at-once' || interestsOf(request.profile).length === 0
        ? null
        : offerTopic(pool.topicPapers, request.profile, request.localDate, ownPapers(choice.entries)),
    byTaste,
    ...(request.kind === 'at-once' || waiting.length > 0 ? { keepsCutoff: true } : {}),
  }
}

/**
 * What a digest due at `now` is to tell: what the one before it left, and digests that were due since and not published
 * (`missed`). Of an empty one of the release before, its note holds why it was.
 */
export const untoldBefore = (
  previous: PreviousDigest | undefined,
  missed: readonly SkippedDigests[],
  frequency: Frequency,
  now: Due,
): UntoldBefore => {
  if (previous === undefined) return { ...NOTHING_UNTOLD, skipped: joinSkipped([...missed]) }
  const { untold, emptySince, localDate, note } = previous
  const empty =
    untold === null && emptySince !== null
      ? skippedAsEmpty({ from: emptySince, to: localDate, frequency }, now, note ?? NOTHING_NEW)
      : []
  const { skipped, atOnce } = untold ?? NOTHING_UNTOLD
  return { skipped: joinSkipped(skipped, empty, [...missed]), atOnce }
}

type WelcomedSubscriber = ChosenColumns & Pick<Subscriber, 'last_digest_id'>

/** What of a subscriber their welcome is composed from: while it is the same, so is the welcome. */
const welcomeBasisOf = (subscriber: WelcomedSubscriber) => ({
  profile: offeredProfile(profileOf(subscriber)).profile,
  timeZone: preferencesOf(subscriber).timeZone,
  lastDigestId: subscriber.last_digest_id,
})

/** Whether a welcome that was composed for a subscriber as they were is the welcome of the subscriber as they are. */
export const isSameWelcome = (before: Subscriber, now: Subscriber): boolean =>
  JSON.stringify(welcomeBasisOf(before)) === JSON.stringify(welcomeBasisOf(now))

/**
 * Composes the welcome of a subscriber who confirms: the best of the newest list days as they were at the last refresh, so
 * that equal profiles share one. What was sent in an earlier subscription does not come again. Stores nothing.
 */
export const composeWelcome = async (
  db: Database,
  pool: CandidatePool,
  subscriber: WelcomedSubscriber,
  now: Date,
): Promise<NewDigest> => {
  const { profile, timeZone, lastDigestId } = welcomeBasisOf(subscriber)
  const previous =
    lastDigestId === null ? [] : [...(await readPreviousDigests(db, [lastDigestId], pool.byId.keys())).values()]
  const request: DigestRequest = {
    kind: 'welcome',
    profile,
    localDate: localDateAt(now, timeZone),
    since: new Date(0),
    recentlySent: previous.flatMap((one) => one.recentlySent),
    note: null,
    news: [],
  }
  return { ...composeDigest(pool, request, null, previous), emptySince: null, untold: null }
}
