/** The papers of a digest as they are frozen in it, with the numbers and words that its reasons are made of. */
import { selectCompact } from '../../core/digest/compact-papers.ts'
import type { DayRank, DigestEntry } from '../../core/digest/digest.ts'
import { endorsedBy } from '../../core/digest/endorsement.ts'
import type { InterestMatch } from '../../core/digest/ranking.ts'
import { likedIn } from '../../core/digest/taste-ranking.ts'
import { TRENDING } from '../../core/subscriber/preferences.ts'
import type { TasteFit } from '../../core/taste/term-index.ts'
import type { CandidatePool, DigestCandidate } from './candidate-pool.ts'
import type { choosePapers } from './paper-choice.ts'

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

/** The entries of a digest with these papers. */
const freezeEntries = (
  { chosen, seeAlso, twins, extras, isWanted, waits }: ReturnType<typeof choosePapers>,
  { listed, byId }: CandidatePool,
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
    entryOf(paper, { topic, matches }, { isCompact: true, twinOf: byId.get(of) }),
  )
  return [...own, ...named, ...extras.map((paper) => entryOf(paper, { topic: null, matches: [] }))]
}

/** The papers of a digest, chosen and frozen. */
export interface FrozenChoice {
  entries: DigestEntry[]
  /** The papers that come with a later digest, since they are too few: then it has none. */
  waiting: string[]
  /** Whether a taste ordered it. */
  byTaste: boolean
}

/** Freezes a choice; `taste` is that by which it was made. */
export const freezeChoice = (
  choice: ReturnType<typeof choosePapers>,
  pool: CandidatePool,
  taste: TasteFit | null = null,
): FrozenChoice => ({
  entries: freezeEntries(choice, pool, taste),
  waiting: choice.waits ? choice.chosen.map(({ paper }) => paper.id) : [],
  byTaste: taste !== null,
})
