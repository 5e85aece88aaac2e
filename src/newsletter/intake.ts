/** Papers coming in: refreshing from the sources, importing by hand, and the sample that stands in when nothing comes. */
import { addDays, DAY, daysBetween, utcMidnight, weekdayOf } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import type { Listing, Paper, SourceName } from '../core/paper.ts'
import { scoreTopics } from '../core/relevance.ts'
import { scrub } from '../core/scrub.ts'
import type { Database } from '../store/database.ts'
import { holdsAnyPapers, holdsRealPapers, readListDays, type StoredCounts, storeListings } from '../store/papers.ts'
import { readRefresh, storeRefresh } from '../store/refreshes.ts'

/** A source with lists by day (Hugging Face), or one that is read whole each time (files). */
export type Source =
  | {
      kind: 'days'
      name: SourceName
      label: string
      fetchDay: (day: string, now: Date) => Promise<{ rows: Listing[]; problems: { where: string; problem: string }[] }>
    }
  | { kind: 'whole'; label: string; read: (now: Date) => AsyncIterable<{ source: SourceName; listings: Listing[] }> }

export interface IntakePorts {
  db: Database
  now: () => Date
  log: Log
}

/** Enough list days for a trend over the last 28 of them. */
const ARCHIVE_DAYS = 40
/** Lists grow until the night and counts for days, so the last three days are read again each time. */
const GROWING_DAYS = 3
const BATCH = 200

const score = (paper: Paper) => scoreTopics(paper)

/** Stores listings in batches of transactions that each stand alone. */
export const storeAll = async (db: Database, source: SourceName, listings: Listing[]): Promise<StoredCounts> => {
  const total: StoredCounts = { added: 0, changed: 0, unchanged: 0 }
  for (let at = 0; at < listings.length; at += BATCH) {
    const counts = await storeListings(db, source, listings.slice(at, at + BATCH), score)
    add(total, counts)
  }
  return total
}

const add = (total: StoredCounts, counts: StoredCounts): void => {
  total.added += counts.added
  total.changed += counts.changed
  total.unchanged += counts.unchanged
}

/** The list days to read, newest first: the growing ones, those missed since the last success, at first the archive. */
export const daysToRead = (today: string, lastSuccess: Date | null): string[] => {
  const gap = lastSuccess === null ? ARCHIVE_DAYS : daysBetween(lastSuccess.toISOString().slice(0, 10), today)
  const span = Math.min(ARCHIVE_DAYS, GROWING_DAYS + Math.max(0, gap))
  const days = Array.from({ length: span }, (_, back) => addDays(today, -back))
  // Weekend lists are empty; today's is asked for all the same, should that ever change.
  return days.filter((day, back) => back === 0 || weekdayOf(day) <= 5)
}

/**
 * Reads every source once. A source that fails leaves what is stored untouched and is tried again next time; the
 * others go on. Returns the labels of those that answered.
 */
export const refreshPapers = async ({ db, now, log }: IntakePorts, sources: Source[]): Promise<string[]> => {
  const answered: string[] = []
  for (const source of sources) {
    const startedAt = now()
    try {
      const counts =
        source.kind === 'days' ? await refreshDays({ db, now, log }, source) : await refreshWhole(db, source, startedAt)
      await storeRefresh(db, source.label, startedAt, null)
      answered.push(source.label)
      log.info({ source: source.label, ...counts }, 'papers refreshed')
    } catch (error) {
      const trouble = scrub(error instanceof Error ? error.message : String(error))
      await storeRefresh(db, source.label, startedAt, trouble)
      log.warn({ source: source.label, trouble }, 'source could not be read; what is stored stays as it is')
    }
  }
  return answered
}

const refreshDays = async ({ db, now, log }: IntakePorts, source: Source & { kind: 'days' }): Promise<StoredCounts> => {
  const today = now().toISOString().slice(0, 10)
  const last = await readRefresh(db, source.label)
  const total: StoredCounts = { added: 0, changed: 0, unchanged: 0 }
  for (const day of daysToRead(today, last?.succeeded_at ?? null)) {
    // A day is stored whole or not at all: a fetch that fails on its second page gives no listings.
    const { rows, problems } = await source.fetchDay(day, now())
    for (const { where, problem } of problems) log.warn({ source: source.label, day, where, problem }, 'row skipped')
    add(total, await storeAll(db, source.name, rows))
  }
  return total
}

const refreshWhole = async (db: Database, source: Source & { kind: 'whole' }, now: Date): Promise<StoredCounts> => {
  // All of it is read before any of it is stored: a file cut in half changes nothing.
  const batches: { source: SourceName; listings: Listing[] }[] = []
  for await (const batch of source.read(now)) batches.push(batch)
  const total: StoredCounts = { added: 0, changed: 0, unchanged: 0 }
  for (const batch of batches) add(total, await storeAll(db, batch.source, batch.listings))
  return total
}

/** Puts the sample in when no paper at all is held; says whether it did. */
export const fillWithSample = async ({ db, log }: IntakePorts, sample: Listing[]): Promise<boolean> => {
  if (await holdsAnyPapers(db)) return false
  const counts = await storeAll(db, 'sample', sample)
  log.warn({ papers: counts.added }, 'no source could be read: showing the sample papers that ship with the project')
  return counts.added > 0
}

/** What the service holds, in words for the log and the start: list days, and whether they are the sample. */
export const describeHoldings = async (db: Database, now: Date): Promise<string> => {
  const days = await readListDays(db, now, ARCHIVE_DAYS)
  const [newest] = days
  if (newest === undefined) return 'no papers yet'
  const oldest = days.at(-1) ?? newest
  const age = Math.floor((now.getTime() - utcMidnight(newest).getTime()) / DAY)
  const span = days.length === 1 ? newest : `${days.length} list days, ${oldest} to ${newest}`
  if (!(await holdsRealPapers(db))) return `the sample that ships with the project (${span})`
  return age > 4 ? `${span} (the newest is ${age} days old)` : span
}
