/**
 * Calling an edition off. One transaction marks it, and from its commit on nothing of it is claimed or published; what a
 * mailer has claimed is finished. Then, in chunks, each in a transaction of its own: what waits is canceled, and its
 * readers, and those whom the digest did not reach, go back to what they had before, so that its papers come with a later
 * digest. Killed at any point it is taken up again at the next tick, which also cancels what a mailer puts back meanwhile,
 * and draws the balance once no mailer has any of it.
 *
 * Readers are due next at their next regular time, or with `again` at once. Those whom the digest has reached keep it; if
 * it was published ahead of its time (a mistyped year) they are due at their next regular time, too, and do not wait for
 * the time that was typed. Those who were due and not published yet move on with the others.
 */
import { localDateAt } from '../core/calendar.ts'
import { isMissed } from '../core/digest/empty-digest.ts'
import { CANCELED, type SkippedDigests, skippedFor } from '../core/digest/skipped-digests.ts'
import type { Log } from '../core/log.ts'
import type { Actor } from '../core/operator.ts'
import { describeError } from '../core/redact.ts'
import type { MailState } from '../core/sending/ledger.ts'
import { isRegular } from '../core/subscriber/due.ts'
import { servedZone } from '../core/subscriber/time-zone.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { balanceEdition } from '../store/edition-balance.ts'
import {
  type AffectedReader,
  type Cancellation,
  cancelDeliveries,
  countClaimed,
  type DeliveryKey,
  lockReaders,
  markCanceled,
  type Return,
  readAffected,
  readCancellations,
  settleLastDigests,
  streamKeys,
} from '../store/edition-cancellation.ts'
import { markPublished, readEdition } from '../store/editions.ts'
import { UnusableEdition } from './edition-control.ts'
import { createNextDue, passOverDue } from './next-due.ts'

interface CancellationPorts {
  db: Database
  log: Log
  now: () => Date
}

/** What a cancellation did in one pass, or would do. */
export interface CancellationResult {
  /** Deliveries that were called off. */
  canceled: number
  /** Deliveries that waited, although an earlier copy may have arrived: they are unknown now. */
  unknown: number
  /** Readers whose papers come with a later digest. */
  returned: number
  /** Readers who stay without these papers: they have had a later digest or welcome, or what they had before is not known. */
  kept: number
  /** Readers who have the digest and are due earlier than it would have it. */
  settled: number
  /** Readers who were due and had not been published. */
  notPublished: number
  /** Deliveries that mailers have in hand, and finish. */
  beingSent: number
  /** When the first and the last of all these readers are due next; `null` where there is none. */
  firstDue: Date | null
  lastDue: Date | null
}

/** Who cancels an edition and why; `again`: its readers are due at once. Recorded as done by `actor`. */
export interface CancellationRequest {
  by: string | null
  why: string | null
  again: boolean
  actor?: Actor
}

const NOT_ARRIVED: MailState[] = ['queued', 'deferred', 'failed', 'skipped']
const ARRIVED: MailState[] = ['sent', 'unknown']

/**
 * Calls an edition off; one whose cancellation was broken off is taken up again. With `dryRun` nothing changes. Throws
 * `UnusableEdition` where there is no such edition, or nothing of it to call off.
 */
export const cancelEdition = async (
  ports: CancellationPorts,
  id: number,
  how: CancellationRequest & { dryRun: boolean },
): Promise<CancellationResult> => {
  const edition = await beginCancellation(ports, id, how, how.dryRun)
  const [underWay = edition] = await readCancellations(ports.db, id)
  return createPass(ports, underWay, how.dryRun).run()
}

/**
 * Only marks an edition as canceled, which stops it: `finishCancellations` does the rest at the next tick, however many its
 * readers are; returns `null`. Throws as `cancelEdition`.
 */
export const markEditionCanceled = async (
  ports: Omit<CancellationPorts, 'log'>,
  id: number,
  how: CancellationRequest,
): Promise<null> => {
  await beginCancellation(ports, id, how, false)
  return null
}

const beginCancellation = (
  { db, now }: Omit<CancellationPorts, 'log'>,
  id: number,
  how: CancellationRequest,
  dryRun: boolean,
): Promise<Cancellation> =>
  db.transaction().execute(async (trx) => {
    const row = await readEdition(trx, id, true)
    if (row === undefined) throw new UnusableEdition(`there is no edition ${id}`)
    if (row.completedAt !== null && row.canceledAt !== null)
      throw new UnusableEdition(`edition ${id} is canceled already`)
    if (row.completedAt !== null && row.cutoff <= now())
      throw new UnusableEdition(`edition ${id} is complete: nothing of it waits`)
    const { cutoff, publishedAt } = row
    if (!dryRun && row.canceledAt === null) {
      await markCanceled(trx, id, { by: how.by, why: how.why, dueAgain: how.again })
      const detail = { why: how.why, ...(how.again ? { again: true } : {}) }
      if (how.actor !== undefined)
        await recordAct(trx, { ...how.actor, action: 'edition.canceled', subject: `edition:${id}`, detail })
    }
    return { id, cutoff, publishedAt, dueAgain: how.again }
  })

/** Goes on with the cancellations that are not finished; one that fails is logged and tried again at the next tick. */
export const finishCancellations = async (ports: CancellationPorts): Promise<void> => {
  for (const edition of await readCancellations(ports.db)) {
    try {
      await createPass(ports, edition, false).run()
    } catch (error) {
      ports.log.error(
        { edition: edition.id, error: describeError(error) },
        'a canceled edition could not be taken back completely; it is tried again in a minute',
      )
    }
  }
}

const createPass = ({ db, log, now }: CancellationPorts, edition: Cancellation, dryRun: boolean) => {
  const result: CancellationResult = {
    canceled: 0,
    unknown: 0,
    returned: 0,
    kept: 0,
    settled: 0,
    notPublished: 0,
    beingSent: 0,
    firstDue: null,
    lastDue: null,
  }
  const at = now()
  const dueAfter = createNextDue(at)

  const noteDue = (due: Date): Date => {
    if (result.firstDue === null || due < result.firstDue) result.firstDue = due
    if (result.lastDue === null || due > result.lastDue) result.lastDue = due
    return due
  }

  /** When a reader without this digest is due next; `null` where that stays. */
  const dueWithout = (reader: AffectedReader): Date | null => {
    if (!reader.active) return null
    if (isDueAgain(reader) && reader.dueAt !== null) return noteDue(reader.dueAt)
    return noteDue(
      dueAfter(reader, reader.hasPrevious ? { date: reader.previousLocalDate, at: reader.previousDueAt } : NEVER),
    )
  }

  /** Whether a reader is due again at once, and not at their next regular time. */
  const isDueAgain = ({ dueAt }: AffectedReader): boolean => edition.dueAgain && dueAt !== null && dueAt <= at

  /** What a reader misses by the cancellation, for a later digest to tell. */
  const missedBy = (reader: AffectedReader): SkippedDigests | null => {
    const { localDate, frequency, dueAt } = reader
    const isTold = !isDueAgain(reader) && isRegular(localDate, reader) && isMissed(dueAt ?? edition.cutoff, frequency)
    return isTold ? skippedFor(localDate, CANCELED) : null
  }

  const takeBack = async (trx: Database, readers: AffectedReader[]): Promise<void> => {
    const returns: Return[] = []
    for (const reader of readers) {
      const { subscriberId, localDate, state, isLast, hasPrevious, mayHaveArrived } = reader
      const waiting = state === 'queued' || state === 'deferred'
      const back = !mayHaveArrived && isLast
      if (!waiting && !back) continue
      if (mayHaveArrived) result.unknown++
      else if (back && hasPrevious) result.returned++
      else result.kept++
      if (dryRun && waiting && !mayHaveArrived) result.canceled++
      const nextDueAt = back ? dueWithout(reader) : null
      const missed = back && hasPrevious ? missedBy(reader) : null
      returns.push({ subscriberId, localDate, history: back && hasPrevious, nextDueAt, waiting, missed })
    }
    if (!dryRun) result.canceled += await cancelDeliveries(trx, edition.id, returns)
  }

  const settle = async (trx: Database, readers: AffectedReader[]): Promise<void> => {
    const early = readers
      .filter(({ isLast, dueAt }) => isLast && dueAt !== null && dueAt > at)
      .map((reader) => {
        const localDate = localDateAt(at, servedZone(reader.timeZone))
        const nextDueAt = reader.active ? noteDue(dueAfter(reader, { date: localDate, at })) : null
        return { subscriberId: reader.subscriberId, localDate, nextDueAt }
      })
    result.settled += early.length
    if (!dryRun && early.length > 0) await settleLastDigests(trx, at, early)
  }

  const takeKeys = (keys: DeliveryKey[]): Promise<void> =>
    db.transaction().execute(async (trx) => {
      if (!dryRun) await lockReaders(trx, keys)
      const readers = await readAffected(trx, edition.id, keys)
      await takeBack(
        trx,
        readers.filter((reader) => NOT_ARRIVED.includes(reader.state)),
      )
      await settle(
        trx,
        readers.filter((reader) => ARRIVED.includes(reader.state) || reader.mayHaveArrived),
      )
    })

  return {
    async run(): Promise<CancellationResult> {
      // Before all else: what these mails come to is seen by the next pass, if not by this one.
      result.beingSent = await countClaimed(db, edition.id)
      const states = edition.cutoff > at ? [...NOT_ARRIVED, ...ARRIVED] : NOT_ARRIVED
      await streamKeys(db, edition.id, states, takeKeys)
      if (dryRun) return result
      if (edition.publishedAt === null) {
        if (!edition.dueAgain)
          result.notPublished = await passOverDue(db, earlier(edition.cutoff, at), at, CANCELED, noteDue)
        await markPublished(db, edition.id)
      }
      if (result.beingSent > 0) return result
      const balance = await db.transaction().execute(async (trx) => {
        await readEdition(trx, edition.id, true)
        return balanceEdition(trx, edition.id)
      })
      if (balance.complete) log.info({ edition: edition.id, ...result }, 'edition canceled')
      else if (balance.missing !== 0)
        log.error({ edition: edition.id, due: balance.due, missing: balance.missing }, 'an edition does not add up')
      return result
    },
  }
}

const NEVER = { date: null, at: null }

const earlier = (one: Date, other: Date): Date => (one < other ? one : other)
