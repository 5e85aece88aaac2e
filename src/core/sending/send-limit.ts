/**
 * Caps that an operator sets on what a route is sent, a second, an hour and a day, and the warm-up of a new sender.
 *
 * An hour and a day are the last 60 minutes and the last 24 hours, whatever the clock says: providers count so (Gmail and
 * SES: a rolling 24 hours), and what keeps to that keeps to a calendar day's quota, too. Counted is by the minute, and the
 * minute in which a window begins counts in full, so that a cap is never exceeded.
 */
import { DAY, MINUTE, SECOND } from '../calendar.ts'

export interface SendLimit {
  perSecond: number | null
  perHour: number | null
  perDay: number | null
  warmUp: WarmUp | null
}

/** A step of a warm-up, which lasts a day at least. */
export interface WarmUp {
  /** Mails in 24 hours. */
  limit: number
  /** The next step has so many times as many. */
  growth: number
  /** No step has more than this; after the last one the warm-up is over. */
  until: number
  /** When the step began. */
  since: Date
  /** Mails counted in this step. */
  sent: number
}

/** What was counted against a cap in the last hour and the last 24 hours. */
export interface Usage {
  hour: number
  day: number
}

export type LimitedStream = 'letters' | 'deliveries'

/** Of the mails of an hour and a day this share is kept for letters: a run of digests would leave nothing to sign-ups. */
const LETTERS_SHARE = 0.05

/** Whether there is any cap at all. */
export const capsAnything = ({ perSecond, perHour, perDay, warmUp }: SendLimit): boolean =>
  perSecond !== null || perHour !== null || perDay !== null || warmUp !== null

/** How many of a cap are kept for letters. */
export const keptForLetters = (cap: number): number => Math.floor(cap * LETTERS_SHARE)

/**
 * The step of a warm-up at `now`; `null` once it is over. A step that was used to less than half is not followed by a larger
 * one: providers trust what they saw, and not a plan.
 */
export const stepWarmUp = (step: WarmUp, now: Date): WarmUp | null => {
  const age = now.getTime() - step.since.getTime()
  if (age < DAY) return step
  // Steps follow each other day by day, and after a pause from the time of going on.
  const since = age < 2 * DAY ? new Date(step.since.getTime() + DAY) : now
  if (step.sent * 2 < step.limit) return { ...step, since, sent: 0 }
  const limit = Math.floor(step.limit * step.growth)
  return limit > step.until ? null : { ...step, limit, since, sent: 0 }
}

/**
 * How many mails of a stream the caps of an hour and a day leave. Digests leave some to letters; letters count in a warm-up
 * and do not wait for it.
 */
export const allowanceOf = (
  { perHour, perDay, warmUp }: Omit<SendLimit, 'perSecond'>,
  used: Usage,
  stream: LimitedStream,
): number => {
  const left = (cap: number | null, count: number) =>
    cap === null ? Number.POSITIVE_INFINITY : cap - count - (stream === 'letters' ? 0 : keptForLetters(cap))
  const ofWarmUp = warmUp === null || stream === 'letters' ? Number.POSITIVE_INFINITY : warmUp.limit - used.day
  return Math.max(0, Math.min(left(perHour, used.hour), left(perDay, used.day), ofWarmUp))
}

/** Slots of mails that begin one after the other, in milliseconds from now. */
export interface Slots {
  /** When each of them begins; none where the next slot is too far away. */
  begin: number[]
  /** The first slot after these. */
  next: number
}

/** A claim takes slots of this time alone, so that a mailer that dies wastes no more. */
const SLOT_HORIZON = SECOND

/** The slots of up to `count` mails at so many a second, the next free one in `nextInMs` or, where that is over, now. */
export const slotsOf = (perSecond: number | null, nextInMs: number, count: number): Slots => {
  if (perSecond === null) return { begin: Array(count).fill(0), next: 0 }
  const first = Math.max(0, nextInMs)
  const step = SECOND / perSecond
  const free = Math.max(0, Math.ceil((SLOT_HORIZON - first) / step))
  const begin = Array.from({ length: Math.min(count, free) }, (_, n) => first + n * step)
  return { begin, next: first + begin.length * step }
}

/** For longer than this nothing is foreseen. */
const HORIZON_DAYS = 366
const MINUTES_A_DAY = DAY / MINUTE

/**
 * When the last of so many digests may have been sent under a cap, at the earliest; `null`: not within a year. `counts` are
 * the mails counted in the minutes before `now`, by how many minutes ago.
 */
export const foreseeEnd = (
  limit: SendLimit,
  counts: ReadonlyMap<number, number>,
  pending: number,
  now: Date,
): Date | null => {
  // By minute, the newest last: what lies a day back falls out of the window.
  const sent = Array.from({ length: MINUTES_A_DAY + 1 }, (_, n) => counts.get(MINUTES_A_DAY - n) ?? 0)
  const used: Usage = { hour: 0, day: 0 }
  for (const [n, mails] of sent.entries()) {
    used.day += mails
    if (n >= MINUTES_A_DAY - 60) used.hour += mails
  }
  let { warmUp } = limit
  let left = pending
  let credit = 0
  for (let minute = 0; minute < HORIZON_DAYS * MINUTES_A_DAY; minute++) {
    const at = new Date(now.getTime() + minute * MINUTE)
    if (minute > 0) {
      sent.push(0)
      used.day -= sent[minute - 1] ?? 0
      used.hour -= sent[minute + MINUTES_A_DAY - 61] ?? 0
    }
    if (warmUp !== null) warmUp = stepWarmUp(warmUp, at)
    credit = limit.perSecond === null ? left : Math.min(credit, 1) + limit.perSecond * 60
    const going = Math.floor(Math.min(left, credit, allowanceOf({ ...limit, warmUp }, used, 'deliveries')))
    credit -= going
    left -= going
    if (left <= 0) return at
    sent[minute + MINUTES_A_DAY] = (sent[minute + MINUTES_A_DAY] ?? 0) + going
    used.day += going
    used.hour += going
    if (warmUp !== null) warmUp = { ...warmUp, sent: warmUp.sent + going }
  }
  return null
}
