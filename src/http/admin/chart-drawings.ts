/** Which charts the admin pages draw, with their words: each is one kind of number over time. */
import { longDate, monthName } from '../../core/digest/headline.ts'
import type { ChartQuery, Charts, NumbersOverTime, Period } from '../../newsletter/charts.ts'
import { type Chart, type ChartSource, chartOf, valueInWords } from '../chart.ts'
import type { AdminSite } from './site.ts'
import { sourceName } from './words.ts'

/** The names of labels in legends and tables; others are those of sources. */
const LABELS: Record<string, string> = {
  active: 'Active',
  paused: 'Paused',
  pending: 'Not confirmed yet',
  unsubscribed: 'Unsubscribed',
  suppressed: 'Suppressed',
  requested: 'Asked to subscribe',
  confirmed: 'Confirmed',
  imported: 'Imported',
  never: 'Asked never to be mailed',
  complaint: 'Complained',
  bounce: 'Bounced',
  erased: 'Erased',
  sent: 'Sent',
  failed: 'Failed',
  skipped: 'Skipped',
  unknown: 'Outcome unknown',
  canceled: 'Canceled',
  hard: 'Bounced for good',
}

const shortDate = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const dated = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })

const labelOfPeriod = ({ first }: Period, { range, by }: ChartQuery): string => {
  if (by === 'month') return monthName(first.slice(0, 7))
  const day = (range > 90 ? dated : shortDate).format(new Date(`${first}T00:00:00Z`))
  return by === 'week' ? `Week of ${day}` : day
}

const HEADS = { day: 'Day', week: 'Week', month: 'Month' } as const

export interface Drawing {
  /** Of the chart, of its anchor and of its CSV file. */
  id: string
  title: string
  kind: ChartSource['kind']
  numbers: (charts: Charts) => NumbersOverTime
  unit?: 'share'
  /** In place of `LABELS`. */
  labels?: Record<string, string>
  /** Left out where it shows nothing but zeros. */
  isRare?: boolean
  limit?: (charts: Charts) => { name: string; value: number }
  /** What it counts, and what cannot be known. */
  note: (charts: Charts) => string
}

const since = (day: string | null): string =>
  day === null ? 'Nothing has been counted yet.' : `Known since ${longDate(day)}.`

const DELIVERIES = {
  id: 'deliveries',
  title: 'Digests by outcome',
  kind: 'bars',
  labels: { pending: 'Still to be sent' },
} as const

export const DRAWINGS: readonly Drawing[] = [
  {
    id: 'readers',
    title: 'Readers',
    kind: 'line',
    numbers: ({ readers }) => readers,
    note: ({ readers }) =>
      `As counted last on each day. ${since(readers.since)} No record says how many there were before.`,
  },
  {
    id: 'others',
    title: 'Who gets no mail',
    kind: 'line',
    numbers: ({ others }) => others,
    note: ({ others }) => `As counted last on each day. ${since(others.since)}`,
  },
  {
    id: 'sign-ups',
    title: 'Sign-ups',
    kind: 'line',
    numbers: ({ joined }) => joined,
    note: ({ joined, requestsSince }) =>
      `${since(joined.since)} Requests that nobody confirms are deleted soon: they are ${requestsSince === null ? 'not known yet' : `known since ${longDate(requestsSince)}`}.`,
  },
  {
    id: 'imports',
    title: 'Imported readers',
    kind: 'bars',
    isRare: true,
    numbers: ({ imported }) => imported,
    note: () => 'Readers who came with a list.',
  },
  {
    id: 'leavers',
    title: 'Readers lost',
    kind: 'bars',
    numbers: ({ left }) => left,
    note: ({ left }) => `Each by what ended their mail. ${since(left.since)}`,
  },
  {
    ...DELIVERIES,
    numbers: ({ deliveries }) => deliveries,
    note: ({ deliveries }) =>
      `By the day of their edition. ${since(deliveries.since)} Counts stay when old deliveries are deleted.`,
  },
  {
    id: 'bounces',
    title: 'Bounces',
    kind: 'line',
    unit: 'share',
    numbers: ({ bounceShare }) => bounceShare,
    limit: ({ limits }) => ({ name: 'An edition is paused at', value: limits.shares.hard }),
    note: ({ limits }) =>
      `Addresses that do not exist, as a share of the digests that servers took or refused. An edition with at least ${limits.counts.hard} is paused at ${valueInWords(limits.shares.hard, 'share')}; Amazon SES reviews senders from 5%.`,
  },
  {
    id: 'complaints',
    title: 'Complaints',
    kind: 'line',
    unit: 'share',
    numbers: ({ complaintShare }) => complaintShare,
    limit: ({ limits }) => ({ name: 'An edition is paused at', value: limits.shares.complaints }),
    note: ({ limits }) =>
      `Readers who reported a digest as spam, where their provider tells. An edition with at least ${limits.counts.complaints} is paused at ${valueInWords(limits.shares.complaints, 'share')}; Amazon SES and Gmail act from 0.1%.`,
  },
  {
    id: 'papers',
    title: 'New papers',
    kind: 'bars',
    numbers: ({ papers }) => papers,
    note: ({ papers }) =>
      `By list day and by the source that brought them; hidden papers are left out. ${since(papers.since)}`,
  },
]

const seriesOf = ({ series }: NumbersOverTime, labels: Record<string, string> = {}): ChartSource['series'] =>
  series.map(({ name, values }) => ({ name: labels[name] ?? LABELS[name] ?? sourceName(name), values }))

export const isEmpty = ({ series }: NumbersOverTime): boolean =>
  series.every(({ values }) => values.every((value) => value === null || value === 0))

export const draw = (
  { id, title, kind, labels, unit }: Pick<Drawing, 'id' | 'title' | 'kind' | 'labels' | 'unit'>,
  numbers: NumbersOverTime,
  query: ChartQuery,
  limit?: ChartSource['limit'],
): Chart | null =>
  chartOf({
    id: `${id}-chart`,
    title,
    kind,
    of: HEADS[query.by],
    points: numbers.periods.map((period) => ({ label: labelOfPeriod(period, query) })),
    series: seriesOf(numbers, labels),
    ...(unit === undefined ? {} : { unit }),
    ...(limit === undefined ? {} : { limit }),
  })

const MONTH_BACK: ChartQuery = { range: 30, by: 'day' }

/** Digests of the last 30 days by outcome, without outcomes that none had; `null` where there were no digests. */
export const recentDeliveries = async ({ charts }: Pick<AdminSite, 'charts'>): Promise<Chart | null> => {
  const numbers = await charts.readDeliveries(MONTH_BACK)
  const series = numbers.series.filter((one) => !isEmpty({ ...numbers, series: [one] }))
  return draw(DELIVERIES, { ...numbers, series }, MONTH_BACK)
}
