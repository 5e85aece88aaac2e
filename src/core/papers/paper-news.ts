/** News of papers that were in earlier digests: withdrawals, venues, code, many upvotes, other versions. */

export type NewsKind = 'withdrawn' | 'venue' | 'code' | 'upvotes' | 'version'

/** Upvotes whose first sighting is news, of a paper that was seen with fewer before. */
export const MANY_UPVOTES = 500

/** One thing that a source told of a paper it had listed before. */
export interface PaperNews {
  paperId: string
  kind: NewsKind
  /** Of a new version its number, else `null`. */
  version: number | null
  /** `accepted at ICML 2026`, of that kind alone (`core/papers/venue`). */
  venue?: string | null
  seenAt: Date
}

/** News of a paper that is held and not hidden, with the revision of the texts by which it is named. */
export type HeldNews = PaperNews & { revision: number }

/** The same as a digest holds it. */
export interface FrozenNews {
  paperId: string
  revision: number
  kind: NewsKind
  version: number | null
  venue?: string
  /** Of a withdrawal: the local date of the digest with the paper, `YYYY-MM-DD`. */
  sentOn?: string
}

/** What the mails say of a reader and a paper: sent on a local date, or under way and perhaps to arrive. */
export type SentPaper = { sentOn: string } | 'under way'

/** In order of importance; a digest has at most `MAX_NEWS`, and leaves at most `MAX_UNTOLD` for later ones. */
const ORDER: NewsKind[] = ['withdrawn', 'venue', 'code', 'upvotes', 'version']
const MAX_NEWS = 5
const MAX_UNTOLD = 20

/** What the digest before left, as it is to be told now: what was reinstated, or is not shown any more, is left out. */
export interface LeftNews {
  news: readonly FrozenNews[]
  /** Of the papers that it is about, those that are withdrawn now, and those that are hidden. */
  withdrawn: ReadonlySet<string>
  hidden: ReadonlySet<string>
}

/** Everything that a digest may tell: what was left, and what was seen since, of which the newest of a kind counts. */
export const newsToTell = (left: LeftNews, seen: readonly HeldNews[]): FrozenNews[] => {
  const stands = ({ paperId, kind }: FrozenNews): boolean =>
    !left.hidden.has(paperId) && (kind !== 'withdrawn' || left.withdrawn.has(paperId))
  const found = new Map(left.news.filter(stands).map((one) => [`${one.paperId} ${one.kind}`, one]))
  for (const { paperId, kind, version, venue, revision } of seen)
    found.set(`${paperId} ${kind}`, { paperId, revision, kind, version, ...(venue == null ? {} : { venue }) })
  const gone = new Set([...found.values()].filter(({ kind }) => kind === 'withdrawn').map(({ paperId }) => paperId))
  // Of a withdrawn paper nothing else is told.
  return [...found.values()]
    .filter(({ paperId, kind }) => kind === 'withdrawn' || !gone.has(paperId))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.paperId < b.paperId ? -1 : 1))
}

/**
 * What a digest tells those to whom papers were sent as `sent` says, and what it leaves for the next: that for which there
 * is no room, and that of papers under way. Of papers that are not in `sent` nothing is told or left.
 */
export const tellNews = (
  news: readonly FrozenNews[],
  sent: ReadonlyMap<string, SentPaper>,
): { told: FrozenNews[]; untold: FrozenNews[] } => {
  const told: FrozenNews[] = []
  const untold: FrozenNews[] = []
  for (const one of news) {
    const of = sent.get(one.paperId)
    if (of === undefined) continue
    if (of === 'under way' || told.length === MAX_NEWS) untold.push(one)
    else told.push(one.kind === 'withdrawn' ? { ...one, sentOn: of.sentOn } : one)
  }
  return { told, untold: untold.slice(0, MAX_UNTOLD) }
}

/** What of news makes digests differ. */
export const newsKey = ({ paperId, kind, version, venue, sentOn }: FrozenNews) => [
  paperId,
  kind,
  version,
  ...(venue === undefined && sentOn === undefined ? [] : [venue ?? null, sentOn ?? null]),
]

/** `version 3 is out`, `it was accepted at ICML 2026`: what follows a title and a colon; `dateInWords` words a local date. */
export const newsLine = (
  { kind, version, venue, sentOn }: Pick<FrozenNews, 'kind' | 'version' | 'venue' | 'sentOn'>,
  dateInWords: (date: string) => string,
): string => {
  switch (kind) {
    case 'withdrawn':
      return sentOn === undefined
        ? 'it was withdrawn'
        : `it was withdrawn. You got it in your digest of ${dateInWords(sentOn)}`
    case 'venue':
      return `it was ${venue}`
    case 'code':
      return 'code is available now'
    case 'upvotes':
      return `it has reached ${MANY_UPVOTES} upvotes`
    case 'version':
      return `version ${version} is out`
  }
}
