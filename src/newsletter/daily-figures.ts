/**
 * Figures by the UTC day, counted once an hour and kept, for what they are counted from is not: how many subscribers there
 * were in each state stands nowhere, requests that nobody confirmed go after a week, records of those who left after years.
 *
 * What records still tell of the days before is counted the first time. Of states and topics nothing tells it: they are known
 * from the first count on. A day is counted again while it may change.
 */
import { addDays, HOUR } from '../core/calendar.ts'
import { STANDARD_RETENTION } from '../core/subscriber/retention.ts'
import { topics } from '../core/topics.ts'
import {
  countJoined,
  countLeft,
  countRequests,
  countReturns,
  countSettled,
  countStatesOn,
  countTopicsOn,
  type DayCount,
  readFirstConsent,
  readFirstEdition,
  readLastCounted,
  storeDays,
} from '../store/daily-figures.ts'
import type { Database } from '../store/database.ts'
import { readOpenEditions } from '../store/outbox/mail-counts.ts'
import { equationOfOpen } from './editions.ts'

/** The figures that are kept, with the labels that each day has whatever was counted. */
export const KEPT_FIGURES = {
  subscribers: ['active', 'paused', 'pending', 'unsubscribed', 'suppressed', 'erased'],
  // Not known before the settings are read.
  get topics(): readonly string[] {
    return ['trending', ...topics().all.map(({ slug }) => slug)]
  },
  requests: ['requested'],
  joined: ['confirmed', 'imported'],
  left: ['unsubscribed', 'never', 'complaint', 'bounce', 'erased'],
  deliveries: ['sent', 'failed', 'skipped', 'unknown', 'canceled', 'pending'],
  returns: ['hard', 'soft', 'ours', 'unknown', 'complaint', 'refused'],
} as const satisfies Record<string, readonly string[]>
export type KeptFigure = keyof typeof KEPT_FIGURES

const COUNT_EVERY = HOUR
/** A server may try for days, and say later still that a mail came back. */
const UNSETTLED_DAYS = 14

export interface DailyFigureOptions {
  now: Date
  /** Days for which a request that nobody confirmed is kept. */
  keepUnconfirmed?: number | undefined
}

interface Counting {
  db: Database
  today: string
  /** The last day that is kept of the figure; `null` where none is. */
  last: string | null
  keepUnconfirmed: number
}

interface Counted {
  from: string
  counts: DayCount[]
}

const later = (a: string, b: string): string => (a > b ? a : b)

/** From the last day that was counted on, or from the first of which records tell; `null` where there is nothing to count. */
const fromRecords = async (
  { last, today }: Counting,
  readFirst: () => Promise<string | null>,
  count: (from: string) => Promise<DayCount[]>,
): Promise<Counted> => {
  const from = last ?? (await readFirst()) ?? today
  return { from, counts: await count(from) }
}

const COUNT: Record<KeptFigure, (counting: Counting) => Promise<Counted>> = {
  subscribers: async ({ db, today }) => ({ from: today, counts: await countStatesOn(db, today) }),
  topics: async ({ db, today }) => ({ from: today, counts: await countTopicsOn(db, today) }),
  requests: async ({ db, today, last, keepUnconfirmed }) => {
    // Of days before these some are gone.
    const whole = addDays(today, 1 - keepUnconfirmed)
    const from = later(last ?? (await readFirstConsent(db)) ?? today, whole)
    return { from, counts: await countRequests(db, from) }
  },
  joined: (counting) =>
    fromRecords(
      counting,
      () => readFirstConsent(counting.db),
      (from) => countJoined(counting.db, from),
    ),
  left: (counting) =>
    fromRecords(
      counting,
      () => readFirstConsent(counting.db),
      (from) => countLeft(counting.db, from),
    ),
  deliveries: async ({ db, today, last }) => {
    const from = await unsettledFrom(db, last, today)
    return { from, counts: [...(await countSettled(db, from)), ...(await countOpen(db, from))] }
  },
  returns: async ({ db, today, last }) => {
    const from = await unsettledFrom(db, last, today)
    return { from, counts: await countReturns(db, from) }
  },
}

/** From which edition on deliveries may have changed since they were counted. */
const unsettledFrom = async (db: Database, last: string | null, today: string): Promise<string> => {
  const first = (await readFirstEdition(db)) ?? today
  return last === null ? first : later(first, addDays(last, -UNSETTLED_DAYS))
}

/** The deliveries of editions that are not complete, by the day of the edition. */
const countOpen = async (db: Database, from: string): Promise<DayCount[]> =>
  (await readOpenEditions(db)).flatMap((open) => {
    const day = open.cutoff.toISOString().slice(0, 10)
    const { sent, failed, skipped, unknown, canceled, pending } = equationOfOpen(open)
    const counts = { sent: Math.max(0, sent), failed, skipped, unknown, canceled, pending }
    return day < from ? [] : Object.entries(counts).map(([label, count]) => ({ day, label, count }))
  })

/** Adds up what has the same day and label. */
const summed = (counts: readonly DayCount[]): DayCount[] => {
  const sums = new Map<string, DayCount>()
  for (const { day, label, count } of counts) {
    const key = `${day} ${label}`
    sums.set(key, { day, label, count: (sums.get(key)?.count ?? 0) + count })
  }
  return [...sums.values()]
}

/** Counts what is due, each figure in a transaction of its own; returns the names of those that were. */
export const countDailyFigures = async (
  db: Database,
  { now, keepUnconfirmed = STANDARD_RETENTION.unconfirmed }: DailyFigureOptions,
): Promise<KeptFigure[]> => {
  const today = now.toISOString().slice(0, 10)
  const counted: KeptFigure[] = []
  const names = Object.keys(KEPT_FIGURES) as KeptFigure[]
  const last = await readLastCounted(db, names)
  for (const name of names) {
    const before = last.get(name)
    if (before !== undefined && before.day === today && now.getTime() - before.countedAt.getTime() < COUNT_EVERY)
      continue
    await db.transaction().execute(async (trx) => {
      const { from, counts } = await COUNT[name]({ db: trx, today, last: before?.day ?? null, keepUnconfirmed })
      await storeDays(trx, name, { from, to: today }, KEPT_FIGURES[name], summed(counts), now)
    })
    counted.push(name)
  }
  return counted
}
