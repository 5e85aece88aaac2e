/** The papers that the digests of one edition are chosen from, each span loaded once. */
import { DAY } from '../../core/calendar.ts'
import { NEWS_SPAN, RECENTLY_SENT_DAYS } from '../../core/digest/eligibility.ts'
import type { Database } from '../../store/database.ts'
import { type CandidatePool, loadCandidatePool } from './candidate-pool.ts'

/** Candidates are loaded for at most these spans before the cut-off, in milliseconds; nothing may reach beyond the last. */
const LONGEST_SPAN = RECENTLY_SENT_DAYS * DAY
const SPANS = [NEWS_SPAN, 7 * DAY, LONGEST_SPAN]

/** The papers to choose from could not be loaded: what was thrown says nothing of the subscribers who are due. */
export class NoCandidates extends Error {}

/** Loads the candidates since an instant, a whole span at once: a paper's own date says whether it lies after `since`. */
export const createEditionPools = (db: Database, cutoff: Date): ((since: Date) => Promise<CandidatePool>) => {
  const pools = new Map<number, Promise<CandidatePool>>()
  return (since) => {
    const span = SPANS.find((one) => cutoff.getTime() - one <= since.getTime()) ?? LONGEST_SPAN
    const known = pools.get(span)
    if (known !== undefined) return known
    const loading = loadCandidatePool(db, cutoff, { since: new Date(cutoff.getTime() - span) }).catch((error) => {
      pools.delete(span)
      throw new NoCandidates(`the papers to choose from could not be loaded: ${error.message}`, { cause: error })
    })
    pools.set(span, loading)
    return loading
  }
}
