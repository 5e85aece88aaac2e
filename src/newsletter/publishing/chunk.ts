/** One chunk of an edition: some of those who are due get their deliveries and are moved on, in one transaction. */
import { isOutage } from '../../core/database-error.ts'
import type { Database } from '../../store/database.ts'
import { addDue, CanceledEdition } from '../../store/editions.ts'
import { MissingMonth, requireMonths } from '../../store/months.ts'
import { addDeliveries, passReaders } from '../../store/outbox/outbox.ts'
import { type DueSelection, lockDue } from '../../store/subscribers.ts'
import { proposeInDigests } from '../../store/taste-proposals.ts'
import { tellInDigests } from '../../store/told-changes.ts'
import type { CohortPlanner } from './cohort-planner.ts'
import { NoCandidates } from './edition-pools.ts'

export interface Published {
  /** Subscribers who were due. */
  subscribers: number
  /** Deliveries stored; fewer than subscribers where some had one of that date already. */
  owed: number
  /** Digests composed. */
  digests: number
}

export interface Edition {
  id: number
  cutoff: Date
}

/** A chunk failed for what may be a reason of one of its subscribers; the error is its `cause`. */
export class FailedChunk extends Error {
  /** Group by group: those who are alike stand together. */
  readonly subscribers: readonly string[]

  constructor(subscribers: readonly string[], cause: unknown) {
    super('a chunk could not be published', { cause })
    this.subscribers = subscribers
  }
}

/** The chunk before was not committed, so this one cannot refer to what that one stored. */
export class ChunkBeforeFailed extends Error {}

/** What any chunk would have met, whoever is in it. */
const isNobodysFault = (error: unknown): boolean =>
  error instanceof ChunkBeforeFailed ||
  error instanceof NoCandidates ||
  error instanceof CanceledEdition ||
  error instanceof MissingMonth ||
  isOutage(error)

/**
 * Publishes one chunk in its transaction; `null` when nobody of the selection is due any more. `before` resolves once the
 * chunk before has ended, to whether it was committed: what that chunk stored is referred to here, so it must have come to
 * stay. Throws `FailedChunk` for what may lie with a subscriber, and everything else as it is.
 */
export const publishChunk = (
  db: Database,
  edition: Edition,
  planner: CohortPlanner,
  which: DueSelection,
  before: Promise<boolean>,
): Promise<Published | null> =>
  db.transaction().execute(async (trx) => {
    const due = await lockDue(trx, edition.cutoff, which)
    if (due.length === 0) return null
    try {
      const plan = await planner.compose(trx, due)
      if (!(await before)) throw new ChunkBeforeFailed('the chunk before was not published')
      const { owed, passed, digests } = await planner.store(trx, plan)
      await requireMonths(
        trx,
        owed.map((one) => one.slot.localDate),
      )
      const written = await addDeliveries(trx, edition, owed)
      await passReaders(trx, passed)
      const toTell = due.flatMap((group) => group.toTell ?? [])
      if (toTell.length > 0) {
        await tellInDigests(trx, edition.id, toTell)
        await proposeInDigests(trx, edition.id, toTell)
      }
      await addDue(trx, edition.id, written)
      return { subscribers: due.reduce((total, { members }) => total + members.length, 0), owed: written, digests }
    } catch (error) {
      if (isNobodysFault(error)) throw error
      throw new FailedChunk(
        due.flatMap(({ members }) => members),
        error,
      )
    }
  })
