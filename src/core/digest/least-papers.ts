/**
 * A least number of papers of a daily digest: with fewer it is not sent, and its papers come with a later one. While papers
 * wait, the reader's cut-off stays that of the last digest before, so that they remain candidates; they come first there.
 */
import { daysBetween } from '../calendar.ts'
import type { Profile } from '../subscriber/preferences.ts'
import type { DigestKind } from './digest.ts'
import { mostPapers } from './digest-size.ts'
import type { Rankable, RankedPaper } from './ranking.ts'

/**
 * Days after which papers wait no longer: then what there is comes, however little. Well within the time for which a paper
 * counts as recently sent, so that nothing that waits is forgotten.
 */
export const LONGEST_WAIT = 7

/** How many papers a digest of a kind has at least; 1 where nothing was asked for. */
export const leastPapers = (
  kind: DigestKind,
  { leastPapers, papers }: Pick<Profile, 'leastPapers' | 'papers'>,
): number => (kind === 'daily' ? Math.min(leastPapers, mostPapers(kind, papers)) : 1)

/**
 * Whether a digest of `date` with so many papers of its readers' own waits for more; `since` is the date of the first that
 * waited before, `null` where none did. Without any there is nothing that waits.
 */
export const waitsForMore = (
  papers: number,
  { least, since, date }: { least: number; since: string | null; date: string },
): boolean => papers > 0 && papers < least && (since === null || daysBetween(since, date) < LONGEST_WAIT)

/**
 * Puts those of ranked papers that wait (ids) into a choice of at most `most`, instead of the lowest others, in the order of
 * the ranking. They are fewer than a digest holds.
 */
export const withWaiting = <P extends Rankable>(
  chosen: RankedPaper<P>[],
  ranked: readonly RankedPaper<P>[],
  waiting: ReadonlySet<string>,
  most: number,
): RankedPaper<P>[] => {
  const taken = new Set(chosen)
  const missing = ranked.filter((one) => waiting.has(one.paper.id) && !taken.has(one))
  if (missing.length === 0) return chosen
  const kept = new Set(missing)
  for (const one of chosen) if (waiting.has(one.paper.id)) kept.add(one)
  for (const one of chosen) if (kept.size < most) kept.add(one)
  return ranked.filter((one) => kept.has(one))
}
