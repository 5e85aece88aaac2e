/** How the service does at this moment, for the first of the admin pages: each fact by one query that an index answers. */
import { findMatters, type Matter } from '../core/attention.ts'
import { DAY, MINUTE } from '../core/calendar.ts'
import type { Actor } from '../core/operator.ts'
import type { LetterState } from '../core/sending/ledger.ts'
import { readAlarms } from '../store/alarms.ts'
import type { Database } from '../store/database.ts'
import { countSentSince } from '../store/editions.ts'
import { countFeedback } from '../store/feedback.ts'
import { readLastTick } from '../store/last-tick.ts'
import { readConfirmationFigures, readLetterFigures, readOpenEditions } from '../store/outbox/mail-counts.ts'
import { readThrottled, type ThrottledRoute } from '../store/outbox/throttled-routes.ts'
import { readRefreshes } from '../store/refreshes.ts'
import { readHold } from '../store/service-hold.ts'
import { countSetAside } from '../store/set-aside-subscribers.ts'
import { countSubscribers } from '../store/subscribers.ts'
import { type EditionSummary, equationOfOpen, listEditionsSince } from './editions.ts'
import { describeHold, holdService, resumeService, type ServiceHold, UnusableHold } from './service-hold.ts'

export interface Today {
  /** By the service’s clock. */
  now: Date
  /** What needs a person, the gravest first. */
  matters: Matter[]
  hold: ServiceHold | null
  /** Of this day by UTC, and all that are open, the newest first. */
  editions: EditionSummary[]
  /** Of the last 24 hours, and all that wait. `notIssued`: sign-ups for which no email was made yet. */
  confirmations: { states: Partial<Record<LetterState, number>>; notIssued: number; confirmed: number }
  /** Of the editions of the last seven days: hard bounces and complaints, of so many digests sent. */
  returned: { sent: number; hard: number; complaints: number }
  /** For how long the oldest mail that may be sent has waited, seconds; `null` where none waits. */
  lag: { digests: number | null; letters: number | null }
  /** Seconds since the scheduler ticked; `null` before the first tick. */
  sinceTick: number | null
  routes: ThrottledRoute[]
  sources: { source: string; triedAt: Date; succeededAt: Date | null; error: string | null }[]
  /** By state; of a large list up to five minutes old. */
  subscribers: Record<string, number>
}

export interface TodayReader {
  read(): Promise<Today>
  hold(by: Actor, why: string): Promise<void>
  /** A sentence where the service is not held. */
  resume(by: Actor): Promise<{ problem: string } | null>
}

/** Counting reads every subscriber: it takes at most a two-hundredth of the time, and is never older than this. */
const COUNT_SUBSCRIBERS_EVERY = 5 * MINUTE
const KEPT_TIMES = 200
const WEEK = 7 * DAY

/** `monotonic`: milliseconds of a clock that never jumps. */
export const createTodayReader = (
  { db, now }: { db: Database; now: () => Date },
  monotonic = () => performance.now(),
): TodayReader => {
  let keptUntil = Number.NEGATIVE_INFINITY
  let counted: Awaited<ReturnType<typeof countSubscribers>> = { states: {}, confirmed: 0 }
  return {
    async read() {
      const at = now()
      const begun = monotonic()
      if (begun >= keptUntil) {
        counted = await countSubscribers(db, new Date(at.getTime() - DAY))
        const took = monotonic() - begun
        keptUntil = begun + took + Math.min(COUNT_SUBSCRIBERS_EVERY, KEPT_TIMES * took)
      }
      return readToday(db, at, counted)
    },
    hold: (by, why) => holdService(db, by, why),
    async resume(by) {
      try {
        await resumeService(db, by, now(), { skipDue: false })
        return null
      } catch (error) {
        if (error instanceof UnusableHold) return { problem: 'The service is not held.' }
        throw error
      }
    },
  }
}

const readToday = async (
  db: Database,
  at: Date,
  counted: Awaited<ReturnType<typeof countSubscribers>>,
): Promise<Today> => {
  const open = await readOpenEditions(db)
  const midnight = new Date(`${at.toISOString().slice(0, 10)}T00:00:00Z`)
  const weekAgo = new Date(at.getTime() - WEEK)
  // One after the other: readers of the public site share the connections.
  const editions = await listEditionsSince(db, midnight, open)
  const hold = await readHold(db)
  const alarms = await readAlarms(db, 0)
  const feedback = await countFeedback(db, weekAgo)
  const sentBefore = await countSentSince(db, weekAgo)
  const letters = await readLetterFigures(db)
  const lastTick = await readLastTick(db)
  const setAside = await countSetAside(db)
  const waits = open.flatMap((one) => one.oldestWaiting ?? [])
  const returned = {
    sent: sentBefore + open.reduce((sum, one) => sum + equationOfOpen(one).sent, 0),
    hard: feedback.hard,
    complaints: feedback.complaint,
  }
  const sources = (await readRefreshes(db)).map(({ source, tried_at: triedAt, succeeded_at: succeededAt, error }) => ({
    source,
    triedAt,
    succeededAt,
    error,
  }))
  return {
    now: at,
    matters: findMatters({
      now: at,
      hold: hold === null ? null : describeHold(hold),
      alarms,
      editions: editions.map(({ id, status, paused, equation: { unknown, pending } }) => ({
        id,
        status,
        pausedWhy: paused?.why ?? null,
        unknown,
        pending,
      })),
      setAside,
      returned,
      sources,
    }),
    hold,
    editions,
    confirmations: { ...(await readConfirmationFigures(db)), confirmed: counted.confirmed },
    returned,
    lag: { digests: waits.length === 0 ? null : Math.max(...waits), letters: letters.oldestWaiting },
    sinceTick: lastTick === null ? null : Math.max(0, (at.getTime() - lastTick.getTime()) / 1000),
    routes: await readThrottled(db),
    sources,
    subscribers: counted.states,
  }
}
