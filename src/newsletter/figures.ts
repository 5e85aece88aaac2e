/** What is measured of the newsletter, for metrics: cheap enough to be read again and again. */
import { DAY, MINUTE } from '../core/calendar.ts'
import type { LetterState, MailState } from '../core/sending/ledger.ts'
import { countAlarms } from '../store/alarms.ts'
import type { Database } from '../store/database.ts'
import { countFeedback } from '../store/feedback.ts'
import { readLastTick } from '../store/last-tick.ts'
import {
  countRecent,
  type OpenEdition,
  readLetterFigures,
  readOldestUnsentLetter,
  readOpenEditions,
} from '../store/outbox/mail-counts.ts'
import { isAnythingCapped } from '../store/outbox/send-limits.ts'
import { isRelayThrottled } from '../store/outbox/throttled-routes.ts'
import { isReadOnly } from '../store/read-only.ts'
import { readSourceTimes } from '../store/refreshes.ts'
import { readHold } from '../store/service-hold.ts'
import { countSetAside } from '../store/set-aside-subscribers.ts'
import { countSubscribers, readFirstDue } from '../store/subscribers.ts'
import { equationOfOpen } from './editions.ts'

export interface Figures {
  openEditions: number
  pausedEditions: number
  brokenEditions: number
  /** Of the editions that are not complete. */
  deliveries: Record<MailState, number>
  resentDeliveries: number
  /** Of the editions of the last 24 hours: how many digests were due, and of how many nobody knows whether they arrived once. */
  recent: { due: number; uncertain: number }
  /** For how long the first subscriber who is due has waited to be published to, seconds; 0 when nobody is due. */
  overdue: number
  /** For how long the oldest delivery that may be claimed has been ready, seconds; `null` when none waits. */
  oldestDelivery: number | null
  /** Of the last 24 hours, and all that wait. */
  letters: Record<LetterState, number>
  /** The same of letters. */
  oldestLetter: number | null
  /** For how long the oldest request of a letter waits that no mailbox refused, seconds; `null` when none does. */
  oldestRequest: number | null
  /** Feedback on the editions of the last seven days, by class. */
  feedback: Record<string, number>
  /** Seconds since the last tick, never negative; `null` before the first. */
  sinceTick: number | null
  /** By state, of at most five minutes ago: it takes a reading of every subscriber. */
  subscribers: Record<string, number>
  /** Subscribers who confirmed in the last 24 hours, as old as `subscribers`. */
  confirmed: number
  /** Seconds since each source was read last, by its label. */
  sourceAges: Record<string, number>
  /** Whether a relay takes less than it is given, or nothing. */
  relayThrottled: boolean
  /** Whether an operator capped what the relay or a destination is sent. */
  capped: boolean
  /** Whether an operator holds the service, or the database is read-only. */
  held: boolean
  /** Alarms that stand, by kind. */
  alarms: Record<string, number>
  /** What failed for a reason of its own and waits for an operator. */
  setAside: { subscribers: number; signUps: number }
}

const COUNT_SUBSCRIBERS_EVERY = 5 * MINUTE

/** Returns what reads the figures by the service's clock. `monotonic`: milliseconds of a clock that never jumps. */
export const createFigureReader = (
  db: Database,
  now: () => Date,
  monotonic = () => performance.now(),
): (() => Promise<Figures>) => {
  let countedAt = Number.NEGATIVE_INFINITY
  let counted: Awaited<ReturnType<typeof countSubscribers>> = { states: {}, confirmed: 0 }
  return async () => {
    const at = now()
    if (monotonic() - countedAt >= COUNT_SUBSCRIBERS_EVERY) {
      counted = await countSubscribers(db, new Date(at.getTime() - DAY))
      countedAt = monotonic()
    }
    return { ...(await readFigures(db, at)), subscribers: counted.states, confirmed: counted.confirmed }
  }
}

const secondsSince = (at: Date, now: Date): number => Math.max(0, (now.getTime() - at.getTime()) / 1000)

/** The figures that indexes answer. */
export const readFigures = async (db: Database, now: Date): Promise<Omit<Figures, 'subscribers' | 'confirmed'>> => {
  const open = await readOpenEditions(db)
  const letters = await readLetterFigures(db)
  const lastTick = await readLastTick(db)
  const firstDue = await readFirstDue(db)
  const sum = (of: (one: OpenEdition) => number) => open.reduce((total, one) => total + of(one), 0)
  const ages = open.flatMap((one) => one.oldestWaiting ?? [])
  return {
    openEditions: open.length,
    pausedEditions: open.filter((one) => one.pausedAt !== null && one.canceledAt === null).length,
    brokenEditions: open.filter((one) => one.missing !== 0).length,
    deliveries: {
      queued: sum((one) => one.queued),
      sending: sum((one) => one.sending),
      deferred: sum((one) => one.deferred),
      sent: sum((one) => equationOfOpen(one).sent),
      failed: sum((one) => one.failed),
      skipped: sum((one) => one.skipped),
      unknown: sum((one) => one.unknown),
      canceled: sum((one) => one.canceled),
    },
    resentDeliveries: sum((one) => one.resent),
    recent: await countRecent(db),
    overdue: firstDue === null ? 0 : secondsSince(firstDue, now),
    oldestDelivery: ages.length === 0 ? null : Math.max(...ages),
    letters: letters.states,
    oldestLetter: letters.oldestWaiting,
    oldestRequest: await readOldestUnsentLetter(db, now),
    feedback: await countFeedback(db),
    sinceTick: lastTick === null ? null : secondsSince(lastTick, now),
    sourceAges: Object.fromEntries(
      (await readSourceTimes(db)).map(({ source, at }) => [source, secondsSince(at, now)]),
    ),
    relayThrottled: await isRelayThrottled(db),
    capped: await isAnythingCapped(db),
    held: (await readHold(db)) !== null || (await isReadOnly(db)),
    alarms: await countAlarms(db),
    setAside: await countSetAside(db),
  }
}
