/** News of papers that were in earlier digests: code, another version, a withdrawal. */

export type NewsKind = 'code' | 'version' | 'withdrawn'

/** One thing that a source told of a paper it had listed before. */
export interface PaperNews {
  paperId: string
  kind: NewsKind
  /** Of a new version its number, else `null`. */
  version: number | null
  seenAt: Date
}

/** The same as a digest holds it, with the revision of the texts by which the paper is named. */
export interface FrozenNews {
  paperId: string
  revision: number
  kind: NewsKind
  version: number | null
}

/** In order of importance; a digest has at most `MAX_NEWS`. */
const ORDER: NewsKind[] = ['withdrawn', 'code', 'version']
const MAX_NEWS = 5

/**
 * What to tell of the papers that were sent before: what was seen after the last digest's cut-off, and what that digest, having been
 * empty, could not tell. Of a withdrawn paper nothing else is told.
 */
export const newsSince = (
  held: ReadonlyMap<string, readonly (PaperNews & { revision: number })[]>,
  last: { recentlySent: readonly string[]; cutoff: Date; untold: readonly FrozenNews[] },
): FrozenNews[] => {
  // What was withdrawn before that digest and has since been reinstated is not held as withdrawn any more.
  const untold = last.untold.filter(
    ({ paperId, kind }) => kind !== 'withdrawn' || held.get(paperId)?.some((one) => one.kind === 'withdrawn'),
  )
  const found = new Map(untold.map((one) => [`${one.paperId} ${one.kind}`, one]))
  for (const paperId of last.recentlySent)
    for (const { kind, version, revision, seenAt } of held.get(paperId) ?? [])
      if (seenAt > last.cutoff) found.set(`${paperId} ${kind}`, { paperId, revision, kind, version })
  const gone = new Set([...found.values()].filter(({ kind }) => kind === 'withdrawn').map(({ paperId }) => paperId))
  return [...found.values()]
    .filter(({ paperId, kind }) => kind === 'withdrawn' || !gone.has(paperId))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.paperId < b.paperId ? -1 : 1))
    .slice(0, MAX_NEWS)
}

/** `withdrawn`, `version 3 is out`, `code is available now`: what follows a title and a colon. */
export const newsLine = ({ kind, version }: Pick<FrozenNews, 'kind' | 'version'>): string => {
  if (kind === 'withdrawn') return 'it was withdrawn'
  return kind === 'code' ? 'code is available now' : `version ${version} is out`
}
