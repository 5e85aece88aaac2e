/** Composing digests: the frozen list of papers of a cohort, with what it says of the digests before it. */
import { cohortKey } from '../../core/digest/cohort.ts'
import type { DigestEntry } from '../../core/digest/digest.ts'
import { lastForgottenDate } from '../../core/digest/eligibility.ts'
import { isMissed, NOTHING_NEW } from '../../core/digest/empty-digest.ts'
import { hasInterests } from '../../core/digest/interests.ts'
import { leastPapers } from '../../core/digest/least-papers.ts'
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
import { offerTopic } from '../../core/digest/topic-offer.ts'
import { TRENDING } from '../../core/subscriber/preferences.ts'
import type { NewDigest, PreviousDigest } from '../../store/digests.ts'
import type { ListedDay } from '../../store/papers/papers.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { type DigestRequest, sectionEntries } from './digest-request.ts'
import { daysOfOpen, openPapers } from './fresh-papers.ts'
import { type FrozenChoice, freezeChoice } from './frozen-choice.ts'
import { choosePapers } from './paper-choice.ts'

/** The list days that a digest is chosen from, oldest first, those between included, with how many papers each listed. */
const listedAmong = (days: ReadonlySet<string>, listed: CandidatePool['listed']): [day: string, held: ListedDay][] => {
  const all = [...listed]
  return all.slice(
    all.findIndex(([day]) => days.has(day)),
    all.findLastIndex(([day]) => days.has(day)) + 1,
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

/**
 * Ids of papers to the date on which they are sent. It has no prototype: an object with one gets a shape for its keys, and
 * an edition would make a hundred thousand shapes.
 */
const datesOf = (ids: readonly string[], date: string): Record<string, string> => {
  const dates: Record<string, string> = Object.create(null)
  for (const id of ids) dates[id] = date
  return dates
}

/** The note of a digest with papers: the digests before it, and what kept papers away that its readers follow. */
const composeNote = (
  entries: readonly DigestEntry[],
  sent: readonly string[],
  { kind, note, untold = NOTHING_UNTOLD }: DigestRequest,
  { whyEmpty }: CandidatePool,
): string | null => {
  // That nothing matches is said where the papers are counted.
  const isSaid = whyEmpty === NOTHING_NEW || entries.some((entry) => entry.topic !== null)
  const told = untoldLines(untold, { sent: new Set(sent), isAtOnce: kind === 'at-once' })
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
  choice = freezeChoice(choosePapers(pool, request), pool),
): NewDigest => {
  const { waiting, byTaste } = choice
  const entries = [...choice.entries, ...sectionEntries(request)]
  const sent = sentIn(entries)
  const { days, hasSample } = daysOfOpen(openPapers(pool, request))
  const listed = listedAmong(days, pool.listed)
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
    sent: datesOf(sent, request.localDate),
    previous: { previousIds: previous.map(({ id }) => id), forgottenOn: lastForgottenDate(request.localDate) },
    emptySince: entries.length > 0 ? null : (emptyBefore ?? request.localDate),
    untold: untoldAfter({ entries, waiting }, request, pool),
    note: entries.length > 0 ? composeNote(entries, sent, request, pool) : waiting.length > 0 ? TOO_FEW : pool.whyEmpty,
    sample: hasSample,
    news: request.news,
    untoldNews: request.untoldNews ?? [],
    offer:
      entries.length === 0 || request.kind === 'at-once' || !hasInterests(request.profile)
        ? null
        : offerTopic(pool.topicPapers, request.profile, request.localDate, ownPapers(choice.entries)),
    byTaste,
    ...(request.kind === 'at-once' || waiting.length > 0 ? { keepsCutoff: true } : {}),
  }
}
