/** Numbers over time, by day, week or month, for charts: of each day either a number that was counted, or that it is not known. */
import { MAX_SHARES, MIN_COUNTS } from '../core/bounces/edition-alarm.ts'
import { addDays, datesOfWeek, daysBetween, daysOfMonth, isoWeekOf } from '../core/calendar.ts'
import { topics } from '../core/topics.ts'
import {
  countPapers,
  countPapersByTopic,
  type DayCount,
  readDays,
  readFirstCounted,
  readFirstListDay,
  readLastCounted,
} from '../store/daily-figures.ts'
import type { Database } from '../store/database.ts'
import { KEPT_FIGURES, type KeptFigure } from './daily-figures.ts'

export const SPANS = ['day', 'week', 'month'] as const
export type Span = (typeof SPANS)[number]
/** Days back from today. */
export const RANGES = [30, 90, 365] as const
export type Range = (typeof RANGES)[number]

export interface ChartQuery {
  range: Range
  by: Span
}

/** A day, a week from Monday on, or a month: first and last day, `YYYY-MM-DD`. */
export interface Period {
  first: string
  last: string
}

export interface NumberSeries {
  /** Of the label of a figure: `sent`. */
  name: string
  /** One for each period; `null` where it is not known. */
  values: (number | null)[]
}

export interface NumbersOverTime {
  periods: Period[]
  series: NumberSeries[]
  /** The first day that is known; `null` where none is. */
  since: string | null
}

export interface TopicNumbers {
  /** A slug, or `trending`. */
  slug: string
  label: string
  /** Readers who follow it; `null` before the first count. */
  readers: number | null
  /** Papers listed under it in the range; `null` of what trends, which is no topic of papers. */
  papers: number | null
}

export interface Charts {
  /** Readers, `active` and `paused`. */
  readers: NumbersOverTime
  /** Who does not get mail: `pending`, `unsubscribed`, `suppressed`. */
  others: NumbersOverTime
  joined: NumbersOverTime
  imported: NumbersOverTime
  /** The first day of which it is known how many asked; `null` where none is. */
  requestsSince: string | null
  left: NumbersOverTime
  deliveries: NumbersOverTime
  /** Parts of 1 of the digests that were handed over; periods without any are left out. */
  bounceShare: NumbersOverTime
  complaintShare: NumbersOverTime
  papers: NumbersOverTime
  topics: TopicNumbers[]
  /** From which share, and how many, on an edition is paused. */
  limits: { shares: typeof MAX_SHARES; counts: typeof MIN_COUNTS }
  /** When figures were last counted; `null` before the first time. */
  countedAt: Date | null
}

/** The periods of a range up to today, whole but for the last: the first may begin before the range does. */
export const periodsOf = ({ range, by }: ChartQuery, today: string): Period[] => {
  const periods: Period[] = []
  for (let last = today; periods.length === 0 || daysBetween(last, today) < range; ) {
    const first = beginOf(last, by)
    periods.unshift({ first, last })
    last = addDays(first, -1)
  }
  return periods
}

const beginOf = (day: string, by: Span): string => {
  if (by === 'day') return day
  if (by === 'week') return datesOfWeek(isoWeekOf(day))?.[0] ?? day
  return daysOfMonth(day.slice(0, 7))?.first ?? day
}

/** Days of a figure, by day and label. */
type Days = Map<string, Map<string, number>>

const byDay = (counts: readonly DayCount[]): Days => {
  const days: Days = new Map()
  for (const { day, label, count } of counts) {
    const labels = days.get(day) ?? new Map()
    days.set(day, labels.set(label, (labels.get(label) ?? 0) + count))
  }
  return days
}

const daysIn = ({ first, last }: Period): string[] =>
  Array.from({ length: daysBetween(first, last) + 1 }, (_, n) => addDays(first, n))

/** What was counted in all of a period: not known where one of its days is not, for it would look like fewer. */
const total = (days: Days, period: Period, label: string): number | null => {
  let sum = 0
  for (const day of daysIn(period)) {
    const labels = days.get(day)
    if (labels === undefined) return null
    sum += labels.get(label) ?? 0
  }
  return sum
}

/** What there was at the end of a period, or when it was counted last in it. */
const lastOf = (days: Days, period: Period, label: string): number | null => {
  for (const day of daysIn(period).reverse()) {
    const labels = days.get(day)
    if (labels !== undefined) return labels.get(label) ?? 0
  }
  return null
}

const seriesOf = (
  days: Days,
  periods: readonly Period[],
  labels: readonly string[],
  pick: typeof total,
): NumberSeries[] => labels.map((name) => ({ name, values: periods.map((period) => pick(days, period, name)) }))

/** What the page of numbers over time reads. */
export interface ChartReader {
  read(query: ChartQuery): Promise<Charts>
  /** Digests by outcome, which is one of its numbers. */
  readDeliveries(query: ChartQuery): Promise<NumbersOverTime>
}

export const createChartReader = ({ db, now }: { db: Database; now: () => Date }): ChartReader => ({
  read: (query) => readCharts(db, now(), query),
  async readDeliveries(query) {
    const periods = periodsOf(query, now().toISOString().slice(0, 10))
    return deliveriesOver(periods, await readKept(db, 'deliveries', periods))
  },
})

interface Kept {
  days: Days
  since: string | null
}

const readKept = async (db: Database, name: KeptFigure, [first]: readonly Period[]): Promise<Kept> => ({
  days: first === undefined ? new Map() : byDay(await readDays(db, name, first.first)),
  since: await readFirstCounted(db, name),
})

const deliveriesOver = (periods: Period[], { days, since }: Kept): NumbersOverTime => ({
  periods,
  series: seriesOf(days, periods, KEPT_FIGURES.deliveries, total),
  since,
})

/** Everything that the page of numbers over time shows; nothing of it reads subscribers or deliveries. */
export const readCharts = async (db: Database, now: Date, query: ChartQuery): Promise<Charts> => {
  const today = now.toISOString().slice(0, 10)
  const periods = periodsOf(query, today)
  const kept = (name: KeptFigure) => readKept(db, name, periods)
  const [subscribers, requests, joined, left, deliveries, returns] = [
    await kept('subscribers'),
    await kept('requests'),
    await kept('joined'),
    await kept('left'),
    await kept('deliveries'),
    await kept('returns'),
  ]
  const over = (series: NumberSeries[], since: string | null): NumbersOverTime => ({ periods, series, since })
  const [sent = [], refused = []] = [
    seriesOf(deliveries.days, periods, ['sent'], total)[0]?.values,
    seriesOf(returns.days, periods, ['refused'], total)[0]?.values,
  ]
  const handed = periods.map((_, n) => add(sent[n], refused[n]))
  const share = (label: string): NumbersOverTime => {
    const returned = seriesOf(returns.days, periods, [label], total)[0]?.values ?? []
    const shown = periods.map((period, n) => ({ period, of: handed[n] ?? null, back: returned[n] ?? null }))
    const some = shown.filter(({ of }) => of !== 0)
    const values = some.map(({ of, back }) => (of === null || back === null ? null : Math.min(1, back / of)))
    return { periods: some.map(({ period }) => period), series: [{ name: label, values }], since: returns.since }
  }
  const states = (labels: readonly string[]) =>
    over(seriesOf(subscribers.days, periods, labels, lastOf), subscribers.since)
  return {
    readers: states(['active', 'paused']),
    others: states(['pending', 'unsubscribed', 'suppressed']),
    joined: over(
      [
        ...seriesOf(requests.days, periods, KEPT_FIGURES.requests, total),
        ...seriesOf(joined.days, periods, ['confirmed'], total),
      ],
      joined.since,
    ),
    imported: over(seriesOf(joined.days, periods, ['imported'], total), joined.since),
    requestsSince: requests.since,
    left: over(seriesOf(left.days, periods, KEPT_FIGURES.left, total), left.since),
    deliveries: deliveriesOver(periods, deliveries),
    bounceShare: share('hard'),
    complaintShare: share('complaint'),
    papers: await readPapersOverTime(db, periods, today),
    topics: await readTopicNumbers(db, addDays(today, 1 - query.range), today),
    limits: { shares: MAX_SHARES, counts: MIN_COUNTS },
    countedAt: (await readLastCounted(db, ['subscribers'])).get('subscribers')?.countedAt ?? null,
  }
}

const add = (a: number | null | undefined, b: number | null | undefined): number | null =>
  a === null || a === undefined ? null : a + (b ?? 0)

/** Papers stay, so they are counted where they are: days before the first list are not known. */
const readPapersOverTime = async (db: Database, periods: Period[], today: string): Promise<NumbersOverTime> => {
  const since = await readFirstListDay(db)
  const counts = await countPapers(db, periods[0]?.first ?? today, today)
  const days = byDay(counts)
  if (since !== null)
    for (const day of periods.flatMap(daysIn)) if (day >= since && !days.has(day)) days.set(day, new Map())
  const sources = [...new Set(counts.map(({ label }) => label))].sort()
  return { periods, series: seriesOf(days, periods, sources, total), since }
}

/** Topics by their readers, the most first; those without readers and papers come last, by name. */
const readTopicNumbers = async (db: Database, from: string, today: string): Promise<TopicNumbers[]> => {
  const last = (await readLastCounted(db, ['topics'])).get('topics')?.day ?? null
  const readers = byDay(last === null ? [] : await readDays(db, 'topics', last)).get(last ?? today)
  const papers = new Map((await countPapersByTopic(db, from)).map(({ topic, count }) => [topic, count]))
  const known = new Map(topics().all.map(({ slug, label }) => [slug, label]))
  const slugs = new Set(['trending', ...known.keys(), ...papers.keys(), ...(readers?.keys() ?? [])])
  return [...slugs]
    .map((slug) => ({
      slug,
      label: slug === 'trending' ? 'Trending' : (known.get(slug) ?? slug),
      readers: readers === undefined ? null : (readers.get(slug) ?? 0),
      papers: slug === 'trending' ? null : (papers.get(slug) ?? 0),
    }))
    .sort(
      (a, b) =>
        (b.readers ?? 0) - (a.readers ?? 0) || (b.papers ?? 0) - (a.papers ?? 0) || (a.label < b.label ? -1 : 1),
    )
}
