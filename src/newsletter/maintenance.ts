/**
 * Maintenance: makes the months of deliveries that are to come, drops those that are old enough, and deletes what nobody
 * needs any more, so that a database does not grow with its age but with its readers. Nothing else in the service makes or
 * drops a table, so the other roles need no right to.
 *
 * There is no partition for "all other dates": what fell into it would have to be moved by hand before its month could
 * be made, and a month could not be dropped any more without stopping all mail. An edition whose month is missing is not
 * published, says so at each tick, and goes on once the month is there; nothing is lost by it.
 *
 * Kept as long as the database are: papers and their texts; editions with their totals; `suppressions` and their log, the
 * proof why an address is not written to and who decided that; and `mail_feedback`, one row for a mail that bounced or was
 * complained of (without addresses), from which a reader's and an edition's past can be told when the mails are gone.
 */
import { addDays, DAY } from '../core/calendar.ts'
import { TREND_LIST_DAYS } from '../core/digest/trend.ts'
import type { Database } from '../store/database.ts'
import { deleteGroupLists } from '../store/group-lists.ts'
import { deleteLeftMembers } from '../store/groups.ts'
import { countUnsettled, createMonth, dropMonth, monthAfter, readMonths, withMonths } from '../store/months.ts'
import { readListDays } from '../store/papers/papers.ts'
import {
  type DeleteOptions,
  deleteAnnouncementMails,
  deleteDigests,
  deleteLetterLimits,
  deleteLetters,
  deleteProviderEvents,
  deleteSignUpCounts,
  deleteWebhookMessages,
  thinObservations,
} from '../store/retention.ts'
import { deleteSuggestions } from '../store/suggestions.ts'

/** So many months beyond the present one stand ready: a maintenance that fails has weeks to be noticed. */
const MONTHS_AHEAD = 2
const LOCK_TRIES = 10
const LOCK_TIMEOUT = '55P03'

/** Rows that one statement deletes: it takes some tenths of a second, and is undone as soon when it is killed. */
const BATCH = 5_000
/** Days for which a suggestion is kept, decided or not: whoever still cares may suggest the paper again. */
const KEEP_SUGGESTIONS = 90
/** Days for which a webhook message and its attempts are kept: it is tried for three. */
const KEEP_WEBHOOK_MESSAGES = 30

/** Days after which somebody who unsubscribed is in no group any more: by then they cannot undo it. */
const KEEP_LEFT_MEMBERS = 1
/** Days for which the list of a group is kept: longer than a paper counts as sent. Digests have copies of their own. */
const KEEP_GROUP_LISTS = 60

export interface MaintenanceOptions {
  now: Date
  /** Deliveries are kept for at least so many days; then their month goes. */
  keepDays: number
  /** Months to make beside those that are due, such as `2026-04`. */
  months?: string[]
  /** Says what would be done and does nothing. */
  dryRun?: boolean
  /** Ends the deleting after the statement that is under way. */
  signal?: AbortSignal
}

export interface MaintainedMonths {
  created: string[]
  dropped: string[]
  /** Old months that stay because mail of theirs is not settled. */
  kept: { month: string; unsettled: number }[]
}

/** How many rows were deleted. */
export interface DeletedRows {
  letters: number
  announcementMails: number
  digests: number
  observations: number
  letterLimits: number
  signUpCounts: number
  providerEvents: number
  suggestions: number
  webhookMessages: number
  groupMembers: number
  groupLists: number
}

export interface Maintained extends MaintainedMonths {
  deleted: DeletedRows
}

/** Does what is due; a second time it finds nothing to do. `null` when another process is at it. */
export const maintain = async (db: Database, options: MaintenanceOptions): Promise<Maintained | null> => {
  const months = await maintainMonths(db, options)
  return months === null ? null : { ...months, deleted: await deleteOld(db, options, months.dropped) }
}

/** Tries again when a lock could not be had: somebody's long transaction must not hold up everybody else's. */
const patiently = async (work: () => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_TIMEOUT || tries >= LOCK_TRIES) throw error
    }
  }
}

/** Makes and drops months, and nothing else. `null` when another process is at it. */
export const maintainMonths = (db: Database, options: MaintenanceOptions): Promise<MaintainedMonths | null> =>
  withMonths(db, async (connection) => {
    const { now, keepDays, months = [], dryRun = false } = options
    const today = now.toISOString().slice(0, 10)
    // Somewhere it is yesterday still.
    const wanted = new Set([...months, addDays(today, -1).slice(0, 7)])
    for (let next = today.slice(0, 7), ahead = 0; ahead <= MONTHS_AHEAD; next = monthAfter(next), ahead++)
      wanted.add(next)

    const done: MaintainedMonths = { created: [], dropped: [], kept: [] }
    const standing = await readMonths(connection)
    const there = new Set(standing.map((one) => one.month))
    for (const missing of [...wanted].filter((one) => !there.has(one)).sort()) {
      if (!dryRun) await patiently(() => createMonth(connection, missing))
      done.created.push(missing)
    }
    const oldest = addDays(today, -keepDays)
    for (const one of standing) {
      // The first day after it must be old enough, too.
      if (wanted.has(one.month) || `${monthAfter(one.month)}-01` > oldest) continue
      const unsettled = one.stands === 'in use' ? await countUnsettled(connection, one.month) : 0
      if (unsettled > 0) {
        done.kept.push({ month: one.month, unsettled })
        continue
      }
      if (!dryRun) await dropPatiently(connection, one.month)
      done.dropped.push(one.month)
    }
    return done
  })

/** A try that was broken off may have begun the dropping, so each begins with what stands. */
const dropPatiently = (connection: Database, month: string): Promise<void> =>
  patiently(async () => {
    const standing = (await readMonths(connection)).find((one) => one.month === month)
    if (standing !== undefined) await dropMonth(connection, standing)
  })

/**
 * Deletes rows that are old and that nothing points to. Killed half-way it has done half, and the next one does the rest.
 * `dropped`: months that a dry run would have dropped.
 */
export const deleteOld = async (
  db: Database,
  options: MaintenanceOptions,
  dropped: string[] = [],
): Promise<DeletedRows> => {
  const { now, keepDays, dryRun = false, signal } = options
  const before = new Date(now.getTime() - keepDays * DAY)
  const batch: DeleteOptions = { limit: BATCH, dryRun }
  const inBatches = async (work: () => Promise<number>): Promise<number> => {
    let deleted = 0
    while (signal?.aborted !== true) {
      const count = await work()
      deleted += count
      if (dryRun || count < BATCH) break
    }
    return deleted
  }
  return {
    // First, for a welcome's digest is kept as long as its letter.
    letters: await inBatches(() => deleteLetters(db, before, batch)),
    announcementMails: await inBatches(() => deleteAnnouncementMails(db, before, batch)),
    digests: await deleteOldDigests(db, before, dropped, options),
    observations: await thinOldObservations(db, options),
    letterLimits: await inBatches(() => deleteLetterLimits(db, batch)),
    signUpCounts: await inBatches(() => deleteSignUpCounts(db, batch)),
    providerEvents: await inBatches(() => deleteProviderEvents(db, batch)),
    suggestions: await inBatches(() => deleteSuggestions(db, new Date(now.getTime() - KEEP_SUGGESTIONS * DAY), batch)),
    webhookMessages: await inBatches(() => deleteWebhookMessages(db, KEEP_WEBHOOK_MESSAGES, batch)),
    groupMembers: await inBatches(() =>
      deleteLeftMembers(db, new Date(now.getTime() - KEEP_LEFT_MEMBERS * DAY), batch),
    ),
    groupLists: await inBatches(() =>
      deleteGroupLists(db, addDays(now.toISOString().slice(0, 10), -KEEP_GROUP_LISTS), batch),
    ),
  }
}

/**
 * Deletes the digests that nobody points to. Those that some still point to, such as readers who left, are walked past
 * again each time: they are looked at by id, without their papers.
 */
const deleteOldDigests = async (
  db: Database,
  before: Date,
  dropped: string[],
  { dryRun = false, signal }: MaintenanceOptions,
): Promise<number> => {
  const months = (await readMonths(db)).map(({ month }) => month)
  const which = { before, monthsHeld: months.filter((month) => !dropped.includes(month)) }
  let deleted = 0
  for (let after: number | null = 0; after !== null && signal?.aborted !== true; ) {
    const walk = await deleteDigests(db, after, which, { limit: BATCH, dryRun })
    deleted += walk.deleted
    after = walk.young ? null : walk.lastId
  }
  return deleted
}

/**
 * Thins what was observed of papers that no trend is compared with any more: a trend wants a count of each paper for each
 * of its first hours, over so many list days; what remains is enough for a chart by the day.
 */
const thinOldObservations = async (
  db: Database,
  { now, dryRun = false, signal }: MaintenanceOptions,
): Promise<number> => {
  const listDays = await readListDays(db, now, Number.MAX_SAFE_INTEGER)
  let deleted = 0
  for (const listDay of listDays.slice(TREND_LIST_DAYS)) {
    if (signal?.aborted) break
    deleted += await thinObservations(db, listDay, { dryRun })
  }
  return deleted
}
