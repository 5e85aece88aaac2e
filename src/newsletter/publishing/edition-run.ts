/** Publishing an edition to its end: chunk after chunk, and around those subscribers who make one fail. */
import type { Log } from '../../core/log.ts'
import { describeError } from '../../core/redact.ts'
import type { Database } from '../../store/database.ts'
import { CanceledEdition, markPublished } from '../../store/editions.ts'
import { forgetSetAside, readKnownSetAside, setAside } from '../../store/set-aside-subscribers.ts'
import { isolate } from '../isolation.ts'
import { ChunkBeforeFailed, type Edition, FailedChunk, type Published, publishChunk } from './chunk.ts'
import { type CohortPlanner, createCohortPlanner } from './cohort-planner.ts'

export interface PublisherPorts {
  db: Database
  log: Log
  /** Wakes the mailers; when a wake fails, the sweep of the next tick finds what waits. */
  wake: (queueName: 'letters' | 'deliveries') => Promise<void>
}

/** Subscribers of one transaction: enough to make the statements few, so few that a crash undoes little. */
const CHUNK = 5_000

/** Chunks under way: while the database writes one the next is composed. */
const AT_A_TIME = 2

/** Ids that a line of the log names; `set-aside list` has them all. */
const MOST_NAMED = 10

export const sum = (all: readonly Published[]): Published => ({
  subscribers: all.reduce((total, one) => total + one.subscribers, 0),
  owed: all.reduce((total, one) => total + one.owed, 0),
  digests: all.reduce((total, one) => total + one.digests, 0),
})

/**
 * Publishes an edition to everybody due who is not in `except`. Chunks that fail for what may lie with a subscriber come
 * last, and in parts: who makes them fail is set aside. Where nobody could be served, and several fail for the first time,
 * the cause is thought to lie elsewhere: they stay due, `except` gets their ids, and the error is thrown.
 */
export const publishEdition = async (
  ports: PublisherPorts,
  edition: Edition,
  except: string[],
): Promise<Published & { canceled: boolean }> => {
  const { db, log } = ports
  const planner = createCohortPlanner(db, edition, (timeZone) =>
    log.warn({ timeZone }, 'this runtime does not know a time zone; whoever has it is served by UTC'),
  )
  const published: Published[] = []
  /** One wake a chunk, so that several mailers wake and share a long edition. */
  const note = async (chunk: Published): Promise<void> => {
    published.push(chunk)
    await ports.wake('deliveries')
  }
  try {
    const culprits = await serveEverybody(db, edition, planner, except, note)
    const served = published.length > 0
    if (culprits.length > 0) await setAsideAll(ports, edition, culprits, { served, except })
  } catch (error) {
    if (!(error instanceof CanceledEdition)) throw error
    log.warn({ edition: edition.id, ...sum(published) }, 'the edition was canceled: publishing it ends')
    return { ...sum(published), canceled: true }
  }
  await forgetSetAside(db)
  await markPublished(db, edition.id)
  const total = sum(published)
  log.info({ edition: edition.id, cutoff: edition.cutoff, ...total }, 'edition published')
  return { ...total, canceled: false }
}

/** A subscriber who could not be published to, and what publishing to them alone threw. */
interface Culprit {
  id: string
  error: unknown
}

/** Publishes to everybody due who is not in `except` and can be published to; resolves to the others. */
const serveEverybody = async (
  db: Database,
  edition: Edition,
  planner: CohortPlanner,
  except: readonly string[],
  note: (chunk: Published) => Promise<void>,
): Promise<Culprit[]> => {
  /** Of chunks that failed: a subscriber may have been in two of them. */
  const suspects = new Set<string>()
  for (;;) {
    const failed = await publishChunks(db, edition, planner, [...except, ...suspects], note)
    if (failed.length === 0) break
    for (const chunk of failed) for (const id of chunk.subscribers) suspects.add(id)
    planner.forgetDigests()
  }
  const culprits = await isolate(
    [...suspects],
    CHUNK,
    (ids) => publishPart(db, edition, planner, ids, note),
    (error) => (error instanceof FailedChunk ? error : null),
  )
  return culprits.map(({ item, cause }) => ({ id: item, error: cause.cause }))
}

/** Publishes to these subscribers alone. */
const publishPart = async (
  db: Database,
  edition: Edition,
  planner: CohortPlanner,
  ids: readonly string[],
  note: (chunk: Published) => Promise<void>,
): Promise<void> => {
  try {
    const part = await publishChunk(db, edition, planner, { ids }, Promise.resolve(true))
    if (part !== null) await note(part)
  } catch (error) {
    planner.forgetDigests()
    throw error
  }
}

/** Publishes chunks until nobody is due any more or some fail for what may lie with a subscriber; resolves to these. */
const publishChunks = async (
  db: Database,
  edition: Edition,
  planner: CohortPlanner,
  except: readonly string[],
  note: (chunk: Published) => Promise<void>,
): Promise<FailedChunk[]> => {
  let newest = Promise.resolve(true)
  const publishOneByOne = async (): Promise<void> => {
    for (;;) {
      const before = newest
      const outcome = Promise.withResolvers<boolean>()
      newest = outcome.promise
      try {
        const chunk = await publishChunk(db, edition, planner, { most: CHUNK, except }, before)
        outcome.resolve(true)
        if (chunk === null) return
        await note(chunk)
      } catch (error) {
        outcome.resolve(false)
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: AT_A_TIME }, publishOneByOne))
  const thrown = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // One that only came after another says nothing that the other does not.
  for (const error of thrown) if (!(error instanceof FailedChunk) && !(error instanceof ChunkBeforeFailed)) throw error
  const failed = thrown.filter((error) => error instanceof FailedChunk)
  if (failed.length === 0 && thrown.length > 0) throw thrown[0]
  return failed
}

/** Sets culprits aside, and tells the operator of those for whom that is new, once for each reason. */
const setAsideAll = async (
  { db, log }: PublisherPorts,
  edition: Edition,
  culprits: Culprit[],
  { served, except }: { served: boolean; except: string[] },
): Promise<void> => {
  const known = await readKnownSetAside(
    db,
    culprits.map(({ id }) => id),
  )
  const isNew = ({ id }: Culprit) => !known.has(id)
  const [first, ...others] = culprits.filter(isNew)
  const isCommon = !served && others.length > 0
  const aside = isCommon ? culprits.filter((one) => !isNew(one)) : culprits
  await setAside(
    db,
    edition.cutoff,
    aside.map(({ id, error }) => ({ id, reason: describeError(error).message })),
  )
  if (isCommon) {
    except.push(...culprits.filter(isNew).map(({ id }) => id))
    throw first?.error
  }
  for (const [reason, some] of Map.groupBy(aside.filter(isNew), ({ error }) => describeError(error).message)) {
    const subscribers = some.slice(0, MOST_NAMED).map(({ id }) => id)
    log.error(
      { edition: edition.id, count: some.length, subscribers, reason, error: describeError(some[0]?.error) },
      'subscribers could not be published to and are set aside for a day; everybody else is served: set-aside list',
    )
  }
}
