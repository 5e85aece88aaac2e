/** Choosing the papers of a digest: those of its readers' own interests, in an order, and trending extras where these are few. */
import type { Choice, ExplainedChoice } from '../../core/digest/choice.ts'
import { ENOUGH_OWN_PAPERS, mostPapers } from '../../core/digest/digest-size.ts'
import { applyProfile, findOwnFits, interestsOf, withoutMuted } from '../../core/digest/interests.ts'
import { leastPapers, waitsForMore, withWaiting } from '../../core/digest/least-papers.ts'
import { selectUnsent } from '../../core/digest/near-duplicates.ts'
import { type RankedPaper, rankPapers, selectPapers } from '../../core/digest/ranking.ts'
import { NOTHING_UNTOLD, waitingOf } from '../../core/digest/skipped-digests.ts'
import { rankByTaste } from '../../core/digest/taste-ranking.ts'
import { selectTrendingExtras } from '../../core/digest/trending-extras.ts'
import type { TasteFit } from '../../core/taste/term-index.ts'
import type { CandidatePool, DigestCandidate } from './candidate-pool.ts'
import { type DigestRequest, sectionEntries } from './digest-request.ts'
import { allOpen, daysOfOpen, findOpen, findTrending, type OpenPapers, openPapers } from './fresh-papers.ts'

/**
 * For readers of what trends, what is pinned to the newest list day that a digest is chosen from comes first. A week's digest
 * has too many days for that, and what comes at once must stand out by itself.
 */
const putPinnedFirst = (
  papers: DigestCandidate[],
  open: OpenPapers,
  { kind, profile }: DigestRequest,
): (DigestCandidate & { first?: boolean })[] => {
  if (!profile.trending || kind === 'weekly' || kind === 'at-once') return papers
  const newest = [...daysOfOpen(open).days].reduce((latest, day) => (day > latest ? day : latest), '')
  return papers.map((paper) => (paper.pinnedTo === newest ? { ...paper, first: true } : paper))
}

/** The first steps of a choice, which are the same for all tastes. */
export const rankOpenPapers = (pool: Pick<CandidatePool, 'papers' | 'index'>, request: DigestRequest) => {
  const { kind, profile } = request
  const open = openPapers(pool, request)
  const interests = interestsOf(profile)
  const own = findOwnFits(profile, pool.index)
  // What nothing brings is not ranked, so that it need not be looked at.
  const papers = putPinnedFirst(findOpen(open, interests, own.keys()), open, request)
  const ranked = rankPapers(applyProfile(papers, profile, pool.index, own), interests)
  return { open, interests, most: mostPapers(kind, profile.papers), ranked }
}

/**
 * Chooses the papers of a request, and keeps each step: those of its own interests and, where these are few, trending
 * extras. `taste`: how well papers fit what its reader seems to like.
 */
export const choosePapers = (
  pool: Pick<CandidatePool, 'papers' | 'byId' | 'index' | 'isAlike'>,
  request: DigestRequest,
  taste: TasteFit | null = null,
  first = rankOpenPapers(pool, request),
): Choice<DigestCandidate & { first?: boolean }> => {
  const { kind, profile, recentlySent, localDate: date, untold = NOTHING_UNTOLD } = request
  const { isAlike } = pool
  const { open, interests, most } = first
  const waiting = waitingOf(untold)
  const waited = new Set(waiting.papers)
  const ranked = taste === null ? first.ranked : rankByTaste(first.ranked, taste)
  const select = (some: readonly RankedPaper<(typeof ranked)[number]['paper']>[]) =>
    withWaiting(selectPapers(some, interests, most), some, waited, most)
  const selected = selectUnsent(ranked, select, isAlike, recentlySent)
  const { chosen, seeAlso, twins } = selected
  const least = leastPapers(kind, profile)
  // With what a group brings the digest comes in any case, and has what there is.
  const waits =
    sectionEntries(request).length === 0 && waitsForMore(chosen.length, { least, since: waiting.since, date })
  const steps = { interests, most, ranked, ...selected, waits }
  const sendsExtras = profile.whenEmpty === 'send' && kind !== 'at-once' && least === 1
  const isWanted = !waits && (chosen.length > 0 || sendsExtras || kind === 'welcome')
  // Nobody gets a digest for the sake of what they had before; and who gets what trends in all topics has the extras already.
  if (!isWanted || kind === 'at-once' || chosen.length >= ENOUGH_OWN_PAPERS[kind] || profile.trending)
    return { ...steps, extras: [], isWanted }
  const taken = [
    ...chosen.flatMap(({ paper }) => [paper, ...(seeAlso.get(paper.id) ?? [])]),
    ...twins.map(({ ranked: { paper } }) => paper),
    ...recentlySent.flatMap((id) => pool.byId.get(id) ?? []),
  ]
  const trending = withoutMuted(findTrending(open), profile, pool.index)
  const extras = selectTrendingExtras(trending, taken, isAlike).slice(0, most - chosen.length)
  return { ...steps, extras, isWanted }
}

/** The same, with what could be chosen from: for whoever asks why a paper came or did not. */
export const explainChoice = (
  pool: Pick<CandidatePool, 'papers' | 'byId' | 'index' | 'isAlike'>,
  request: DigestRequest,
  taste: TasteFit | null = null,
): ExplainedChoice<DigestCandidate & { first?: boolean }> => {
  const first = rankOpenPapers(pool, request)
  const open = allOpen(first.open)
  const seen = applyProfile(putPinnedFirst(open, first.open, request), request.profile, pool.index)
  return { ...choosePapers(pool, request, taste, first), open, seen }
}
