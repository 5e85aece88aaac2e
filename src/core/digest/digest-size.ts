/** How many papers a digest holds. */
import type { DigestSize } from '../subscriber/preferences.ts'
import { MOST_AT_ONCE } from './at-once.ts'
import type { DigestKind } from './digest.ts'

/** How many papers a digest of a kind usually holds at most. */
const USUAL_PAPERS: Readonly<Record<DigestKind, number>> = {
  daily: 10,
  weekly: 15,
  welcome: 10,
  'at-once': MOST_AT_ONCE,
}

/** How many papers a digest of a kind holds at most: as many as its readers asked for, or as are usual. */
export const mostPapers = (kind: DigestKind, asked: DigestSize | null): number =>
  kind === 'at-once' ? Math.min(asked ?? MOST_AT_ONCE, MOST_AT_ONCE) : (asked ?? USUAL_PAPERS[kind])

/** With fewer papers of the reader's own topics than this there is room for trending extras. */
export const ENOUGH_OWN_PAPERS: Readonly<Record<DigestKind, number>> = { daily: 5, weekly: 8, welcome: 5, 'at-once': 0 }
