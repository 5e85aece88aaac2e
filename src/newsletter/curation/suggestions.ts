/** Readers suggest papers: stored for a curator to decide, and nothing of who suggested. */
import { DAY } from '../../core/calendar.ts'
import { isHasty } from '../../core/subscriber/form-stamp.ts'
import type { Keys } from '../../core/token.ts'
import { lockCuratedPaper, readInForce, readPaperState } from '../../store/curations.ts'
import type { Database } from '../../store/database.ts'
import { addSuggestion, countWaitingSuggestions, readNewestSuggestion } from '../../store/suggestions.ts'

/** Suggestions that may wait; more would be read by nobody. */
export const MOST_WAITING = 300
/** What a curator declined is not asked of them again for this long, milliseconds. */
const DECLINED_FOR = 30 * DAY

export type SuggestResult =
  | 'stored'
  /** The paper is in the archive. */
  | 'held'
  /** A curator took the paper off the site. */
  | 'hidden'
  /** A curator picked it, and it comes when arXiv answers. */
  | 'picked'
  /** Somebody suggested it before, and it waits. */
  | 'waiting'
  | 'declined'
  /** As many wait as may. */
  | 'full'
  /** The form came back faster than anybody types: it is to be sent again. */
  | 'hasty'

export interface Suggestions {
  /** `stamp`: that of the form, left out by a program. */
  suggest(paper: { paperId: string; note: string | null }, stamp?: string): Promise<SuggestResult>
}

export interface SuggestionPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Rejects while there is too little space for more; left out where that cannot be known. */
  requireSpace?: () => Promise<void>
  /** How many may wait. */
  most?: number
}

export const createSuggestions = ({
  db,
  keys,
  now,
  requireSpace,
  most = MOST_WAITING,
}: SuggestionPorts): Suggestions => ({
  async suggest({ paperId, note }, stamp) {
    const at = now()
    if (stamp !== undefined && isHasty(keys, stamp, at)) return 'hasty'
    await requireSpace?.()
    return db.transaction().execute(async (trx) => {
      await lockCuratedPaper(trx, paperId)
      const known = await readKnown(trx, paperId, at)
      if (known !== null) return known
      if ((await countWaitingSuggestions(trx)) >= most) return 'full'
      return (await addSuggestion(trx, { paperId, note, at })) ? 'stored' : 'waiting'
    })
  },
})

/** Why a paper is not to be suggested; `null` where it is. */
const readKnown = async (trx: Database, paperId: string, at: Date): Promise<SuggestResult | null> => {
  const state = await readPaperState(trx, paperId)
  if (state !== 'unknown') return state
  const inForce = await readInForce(trx, paperId)
  if (inForce.some(({ action }) => action === 'pick')) return 'picked'
  const before = await readNewestSuggestion(trx, paperId)
  if (before === undefined) return null
  if (before.decidedAt === null) return 'waiting'
  return before.decision === 'declined' && at.getTime() - before.decidedAt.getTime() < DECLINED_FOR ? 'declined' : null
}
