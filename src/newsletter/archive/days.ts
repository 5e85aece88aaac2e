/** The lists of a day, of a week and of a month. */
import { addDays, daysOfMonth, daysOfWeek } from '../../core/calendar.ts'
import { readPins } from '../../store/curations.ts'
import type { Database } from '../../store/database.ts'
import { readBestOfDays, readListDayRange } from '../../store/papers/paper-lists.ts'
import { readListDays, readListDaysAround, readListedDays } from '../../store/papers/papers.ts'
import { type CardList, listCardOf, readCardList } from './card-list.ts'

/** What curators pinned to the day first, then the most upvoted; those withdrawn last, with nothing but their title and authors. */
export interface DayPage extends CardList {
  /** `YYYY-MM-DD` */
  listDay: string
  /** Up to five list days held, oldest first, for going from day to day; `listDay` is one of them. */
  days: string[]
}

/** A week or a month. */
export interface PeriodPage extends CardList {
  /** `2026-W16`, `2026-04` */
  name: string
  /** Its first and last day, `YYYY-MM-DD`. */
  first: string
  last: string
  /** Its list days with how many papers each has, oldest first. */
  days: { date: string; papers: number }[]
  /** The neighbours that lie within the archive. */
  before: string | null
  after: string | null
}

/** As many days as stand side by side on a phone. */
const DAYS_SHOWN = 5

/** Neighbouring days with the one shown among them, as near their middle as the ends allow. */
const neighboursOf = (days: string[], shown: string): string[] => {
  const start = Math.max(0, Math.min(days.indexOf(shown) - Math.floor(DAYS_SHOWN / 2), days.length - DAYS_SHOWN))
  return days.slice(start, start + DAYS_SHOWN)
}

/** A list day, or the newest; `null` when nothing is held (of it). */
export const readDayPage = async (
  db: Database,
  at: Date,
  listDay: string | undefined,
  page: number,
): Promise<DayPage | null> => {
  const days =
    listDay === undefined
      ? (await readListDays(db, at, DAYS_SHOWN)).reverse()
      : await readListDaysAround(db, at, listDay, DAYS_SHOWN - 1)
  const shown = listDay ?? days.at(-1)
  if (shown === undefined || !days.includes(shown)) return null
  const listed = (await readListedDays(db, at, shown, shown)).get(shown)
  const day = { counts: listed?.upvotes ?? [], total: listed?.papers ?? 0 }
  const pins = new Map((await readPins(db, [shown], at)).get(shown)?.map((pin) => [pin.paperId, pin]))
  const list = await readCardList(
    { db, at },
    page,
    (part) => readBestOfDays(db, at, { first: shown, last: shown }, part, { pinned: [...pins.keys()] }),
    (paper) =>
      listCardOf(paper, paper.listDay === shown ? day : undefined, undefined, pins.get(paper.paper.id) ?? null),
  )
  return { ...list, listDay: shown, days: neighboursOf(days, shown) }
}

/** A week or a month; `null` when nothing is held of it. */
export const readPeriodPage = async (
  db: Database,
  at: Date,
  name: string,
  nameOf: (date: string) => string,
  page: number,
): Promise<PeriodPage | null> => {
  const period = daysOfWeek(name) ?? daysOfMonth(name)
  const held = period === null ? null : await readListDayRange(db, at)
  if (period === null || held === null) return null
  const listed = await readListedDays(db, at, period.first, period.last)
  if (listed.size === 0) return null
  const list = await readCardList({ db, at }, page, (part) => readBestOfDays(db, at, period, part))
  const [dayBefore, dayAfter] = [addDays(period.first, -1), addDays(period.last, 1)]
  return {
    ...list,
    ...period,
    name,
    days: [...listed].map(([date, { papers }]) => ({ date, papers })),
    before: dayBefore < held.first ? null : nameOf(dayBefore),
    after: dayAfter > held.last ? null : nameOf(dayAfter),
  }
}
