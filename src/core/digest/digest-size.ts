/** How many papers a digest holds. */
import type { DigestKind } from './digest.ts'

/** How many papers a digest of a kind holds at most, trending extras not counted. */
export const MAX_PAPERS: Readonly<Record<DigestKind, number>> = { daily: 10, weekly: 15, welcome: 10 }

/** With fewer papers of the reader's own topics than this there is room for trending extras. */
export const ENOUGH_OWN_PAPERS: Readonly<Record<DigestKind, number>> = { daily: 5, weekly: 8, welcome: 5 }
