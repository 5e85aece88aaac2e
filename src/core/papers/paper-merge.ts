/** Which source wins where several list one paper, or one lists it again: its texts, its list day, when it was first seen. */
import { COUNTS_NOTHING, type Listing, type Observation, type Paper, type SourceName } from './paper.ts'
import type { PaperNews } from './paper-news.ts'
import { tellsWithdrawal } from './withdrawal.ts'

/** What is held of a paper. */
export interface HeldPaper {
  paper: Paper
  /** Number of its texts' revision, from 1. */
  revision: number
  source: SourceName
  /** The earliest list day, `YYYY-MM-DD`. */
  listDay: string
  /** When a source first listed it. */
  firstSeenAt: Date
  /** Its first day on a Hugging Face list, and when that was first seen; `null` where it has not been on one. */
  listedOn: string | null
  listedAt: Date | null
}

/** A held paper with one more listing merged into it. */
export interface MergedPaper extends HeldPaper {
  /** `added`: it was not held. `changed`: its texts have a new revision. */
  change: 'added' | 'changed' | 'unchanged'
  /** `null` where it says nothing that is not held. */
  observation: Observation | null
  /** That a paper that was held has code now, or that its source says it is withdrawn. */
  news: PaperNews | null
}

/** Merges texts: what `paper` leaves out is filled from `other`, since a source that omits a link does not withdraw it. */
const fillTexts = (paper: Paper, other: Paper): Paper => ({
  ...paper,
  abstract: paper.abstract === '' ? other.abstract : paper.abstract,
  authors: paper.authors.length === 0 ? other.authors : paper.authors,
  publishedOn: paper.publishedOn ?? other.publishedOn,
  categories: paper.categories.length === 0 ? other.categories : paper.categories,
  codeUrl: paper.codeUrl ?? other.codeUrl,
  projectUrl: paper.projectUrl ?? other.projectUrl,
  discussionUrl: paper.discussionUrl ?? other.discussionUrl,
})

/**
 * Whether a listing's texts win over those held, which then only fill what it leaves out. The later of two wins, whichever
 * is read first. But of arXiv and Hugging Face the latter wins, whenever they are read: it names authors without LaTeX, and
 * two sources that spell a title differently must not make a new revision of it every hour.
 */
const winsOver = (
  held: { source: SourceName; lastObservedAt: Date },
  source: SourceName,
  observedAt: Date,
): boolean => {
  if (held.source === 'huggingface' && source === 'arxiv') return false
  if (held.source === 'arxiv' && source === 'huggingface') return true
  return observedAt >= held.lastObservedAt
}

const sameTexts = (a: Paper, b: Paper): boolean =>
  (Object.keys(a) as (keyof Paper)[]).every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]))

const earlierOf = <T extends Date | string>(held: T | null | undefined, listed: T): T =>
  held != null && held < listed ? held : listed

/**
 * Merges a listing of a source into what is held of its paper (`null`: nothing). The order of listings makes no difference
 * to the outcome, save that of equal times the one merged last wins. A held sample is replaced: its texts are our own.
 */
export const mergeListing = (
  held: (HeldPaper & { lastObservedAt: Date }) | null,
  source: SourceName,
  { paper, listDay, observation }: Listing,
): MergedPaper => {
  const real = held?.source === 'sample' ? null : held
  const texts =
    real === null
      ? paper
      : winsOver(real, source, observation.at)
        ? fillTexts(paper, real.paper)
        : fillTexts(real.paper, paper)
  const change = held === null ? 'added' : sameTexts(held.paper, texts) ? 'unchanged' : 'changed'
  const isListed = source === 'huggingface'
  const hasNewCode = real !== null && real.paper.codeUrl === null && texts.codeUrl !== null
  const kind = tellsWithdrawal({ abstract: paper.abstract }) ? 'withdrawn' : hasNewCode ? 'code' : null
  // Such an observation says only that the paper was there by then.
  const isKnown = COUNTS_NOTHING.has(source) && real !== null && real.firstSeenAt <= observation.at
  return {
    paper: texts,
    revision: (held?.revision ?? 0) + (change === 'unchanged' ? 0 : 1),
    source: real?.source === 'huggingface' ? 'huggingface' : source,
    listDay: earlierOf(real?.listDay, listDay),
    firstSeenAt: earlierOf(real?.firstSeenAt, observation.at),
    listedOn: isListed ? earlierOf(real?.listedOn, listDay) : (real?.listedOn ?? null),
    listedAt: isListed ? earlierOf(real?.listedAt, observation.at) : (real?.listedAt ?? null),
    change,
    observation: isKnown ? null : observation,
    news: kind === null ? null : { paperId: paper.id, kind, version: null, seenAt: observation.at },
  }
}

/** One listing per paper: of several the one observed last, of those the last, under the earliest list day of them all. */
export const mergeRepeatedListings = (listings: readonly Listing[]): Listing[] => {
  const byId = new Map<string, Listing>()
  for (const listing of listings) {
    const other = byId.get(listing.paper.id)
    const latest = other !== undefined && other.observation.at > listing.observation.at ? other : listing
    const institution = latest.institution ?? listing.institution ?? other?.institution
    byId.set(listing.paper.id, {
      ...latest,
      ...(institution === undefined ? {} : { institution }),
      listDay: earlierOf(other?.listDay, listing.listDay),
    })
  }
  return [...byId.values()]
}
