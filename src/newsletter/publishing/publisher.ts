/** Publishing an edition: in chunks of due subscribers, a digest for each cohort and a delivery for each subscriber. */
import type { Log } from '../../core/log.ts'
import type { Database } from '../../store/database.ts'
import { addDue, beginEdition, CanceledEdition, markPublished, readUnpublishedEdition } from '../../store/editions.ts'
import { requireMonths } from '../../store/months.ts'
import { addDeliveries } from '../../store/outbox/outbox.ts'
import { isAnyoneDue, lockDue } from '../../store/subscribers.ts'
import { type CohortPlanner, createCohortPlanner } from './cohort-planner.ts'

export interface PublisherPorts {
  db: Database
  log: Log
  /** Wakes the mailers; when a wake fails, the sweep of the next tick finds what waits. */
  wake: (queueName: 'letters' | 'deliveries') => Promise<void>
}

/** Subscribers of one transaction: enough to make the statements few, so few that a crash undoes little. */
const CHUNK = 2_500

/** Chunks under way: while the database writes one the next is composed. */
const AT_A_TIME = 2

export interface Published {
  /** Subscribers who were due. */
  subscribers: number
  /** Deliveries stored; fewer than subscribers where some had one of that date already. */
  owed: number
  /** Digests composed. */
  digests: number
}

interface Edition {
  id: number
  cutoff: Date
}

const sum = (all: readonly Published[]): Published => ({
  subscribers: all.reduce((total, one) => total + one.subscribers, 0),
  owed: all.reduce((total, one) => total + one.owed, 0),
  digests: all.reduce((total, one) => total + one.digests, 0),
})

/**
 * Publishes everything due by an instant: finishes an edition that was interrupted, with the cut-off it was begun with,
 * then holds one for who else is due. Two publishers at once do no harm: each locks its own subscribers, and one digest
 * per subscriber and date is a key of the table.
 */
export const publishDue = async (ports: PublisherPorts, at: Date): Promise<Published> => {
  const published: Published[] = []
  const interrupted = await readUnpublishedEdition(ports.db)
  if (interrupted !== undefined) {
    const finished = await publishEdition(ports, interrupted)
    published.push(finished)
    // Its cancellation decides when those who are left are due.
    if (finished.canceled) return sum(published)
  }
  // The cut-off is stored before anything is composed, so that a publisher who goes on with the edition uses the same papers.
  if (await isAnyoneDue(ports.db, at)) published.push(await publishEdition(ports, await beginEdition(ports.db, at)))
  return sum(published)
}

const publishEdition = async (ports: PublisherPorts, edition: Edition): Promise<Published & { canceled: boolean }> => {
  const { db, log } = ports
  const planner = createCohortPlanner(db, edition)
  const chunks: Published[] = []
  let newest = Promise.resolve(true)

  const publishChunks = async (): Promise<void> => {
    for (;;) {
      const before = newest
      const outcome = Promise.withResolvers<boolean>()
      newest = outcome.promise
      try {
        const chunk = await publishChunk(db, edition, planner, before)
        outcome.resolve(true)
        if (chunk === null) return
        chunks.push(chunk)
      } catch (error) {
        outcome.resolve(false)
        throw error
      }
      // One wake a chunk, so that several mailers wake and share a long edition.
      await ports.wake('deliveries')
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: AT_A_TIME }, publishChunks))
  const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failures.some((reason) => reason instanceof CanceledEdition)) {
    log.warn({ edition: edition.id, ...sum(chunks) }, 'the edition was canceled: publishing it ends')
    return { ...sum(chunks), canceled: true }
  }
  if (failures.length > 0) throw failures[0]
  await markPublished(db, edition.id)
  const total = sum(chunks)
  log.info({ edition: edition.id, cutoff: edition.cutoff, ...total }, 'edition published')
  return { ...total, canceled: false }
}

/**
 * Publishes one chunk in its transaction; `null` when nobody is due any more. `before` resolves once the chunk before has
 * ended, to whether it was committed: what that chunk stored is referred to here, so it must have come to stay.
 */
const publishChunk = (
  db: Database,
  edition: Edition,
  planner: CohortPlanner,
  before: Promise<boolean>,
): Promise<Published | null> =>
  db.transaction().execute(async (trx) => {
    const due = await lockDue(trx, edition.cutoff, CHUNK)
    if (due.length === 0) return null
    const plan = await planner.compose(trx, due)
    if (!(await before)) throw new Error('the chunk before was not published')
    const { owed, digests } = await planner.store(trx, plan)
    await requireMonths(
      trx,
      owed.map((one) => one.slot.localDate),
    )
    const written = await addDeliveries(trx, edition, owed)
    await addDue(trx, edition.id, written)
    return { subscribers: due.reduce((total, { count }) => total + count, 0), owed: written, digests }
  })
