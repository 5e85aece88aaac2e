/** What publishing at an instant would do, without doing it: who gets a digest, and when they are due next. */
import { DAY } from '../../core/calendar.ts'
import { latestDue, nextDue } from '../../core/subscriber/due.ts'
import { servedZone } from '../../core/subscriber/time-zone.ts'
import type { Database } from '../../store/database.ts'
import { readUnpublishedEditions } from '../../store/editions.ts'
import { readDueAddresses, readDueTimes } from '../../store/subscribers.ts'

export interface PublicationPlan {
  /** The cut-off of the edition. */
  at: Date
  /** By the service's clock. */
  now: Date
  /** Readers due by then; those who have a digest of that date already get no second one. */
  readers: { daily: number; weekly: number }
  /** Those who have been due longest, at most ten. */
  addresses: string[]
  /** When they are due now, and when they will be: the earliest and the latest; `null` where nobody is due. */
  due: { from: Date; to: Date } | null
  dueNext: { from: Date; to: Date } | null
  /** About how many digests would never come, since their time lies before `at`. */
  fallOut: number
  /** An edition that was not published to its end is finished first. */
  interrupted: number | null
}

const MAX_ADDRESSES = 10

const rangeOf = (times: Date[]): { from: Date; to: Date } | null => {
  let [from, to] = [times[0], times[0]]
  if (from === undefined || to === undefined) return null
  for (const time of times) {
    if (time < from) from = time
    if (time > to) to = time
  }
  return { from, to }
}

/** Reads what `publishDue` would do at an instant. */
export const planPublication = async (db: Database, at: Date, now: Date): Promise<PublicationPlan> => {
  const readers = { daily: 0, weekly: 0 }
  const next: Date[] = []
  let fallOut = 0
  const groups = await readDueTimes(db, at)
  for (const group of groups) {
    const time = { ...group, timeZone: servedZone(group.timeZone) }
    const due = latestDue(time, group.dueAt, at)
    const { at: dueNext } = nextDue(time, at, { date: due.localDate, at: due.at })
    const period = group.frequency === 'daily' ? DAY : 7 * DAY
    readers[group.frequency] += group.count
    next.push(dueNext)
    fallOut += group.count * Math.max(0, Math.round((dueNext.getTime() - group.dueAt.getTime()) / period) - 1)
  }
  return {
    at,
    now,
    readers,
    addresses: await readDueAddresses(db, at, MAX_ADDRESSES),
    due: rangeOf(groups.map((group) => group.dueAt)),
    dueNext: rangeOf(next),
    fallOut,
    interrupted: (await readUnpublishedEditions(db))[0]?.id ?? null,
  }
}
