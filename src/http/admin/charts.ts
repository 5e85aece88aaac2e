/** `/admin/charts`: numbers over time as charts, each with its table and as CSV. */
import { Type } from 'typebox'
import { longDate, monthName } from '../../core/digest/headline.ts'
import { csvOf } from '../../core/text/csv.ts'
import {
  type ChartQuery,
  type Charts,
  type NumbersOverTime,
  type Period,
  RANGES,
  SPANS,
} from '../../newsletter/charts.ts'
import { type Chart, type ChartSource, chartOf, valueInWords } from '../chart.ts'
import type { App } from '../site.ts'
import { type AdminSite, requireRole, showAdmin } from './site.ts'
import { sourceName } from './words.ts'

const PATH = '/admin/charts'
const Query = Type.Object({ days: Type.Optional(Type.Unknown()), by: Type.Optional(Type.Unknown()) })

/** What is asked for, with the usual in place of what cannot be read. */
const queryOf = ({ days, by }: { days?: unknown; by?: unknown }): ChartQuery => ({
  range: RANGES.find((range) => String(range) === days) ?? 30,
  by: SPANS.find((span) => span === by) ?? 'day',
})

const hrefOf = ({ range, by }: ChartQuery, file = ''): string => `${PATH}${file}?days=${range}&by=${by}`

const RANGE_WORDS: Record<(typeof RANGES)[number], string> = { 30: '30 days', 90: '90 days', 365: 'a year' }

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

interface Drawing {
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

const DRAWINGS: readonly Drawing[] = [
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

const isEmpty = ({ series }: NumbersOverTime): boolean =>
  series.every(({ values }) => values.every((value) => value === null || value === 0))

const draw = (
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

/** A row for each period; what is not known is an empty cell, and no zero. */
const csvOfNumbers = ({ periods, series }: NumbersOverTime): string =>
  csvOf([
    ['from', 'to', ...series.map(({ name }) => name)],
    ...periods.map(({ first, last }, n) => [
      first,
      last,
      ...series.map(({ values }) => (typeof values[n] === 'number' ? String(values[n]) : '')),
    ]),
  ])

const csvOfTopics = ({ topics }: Charts): string =>
  csvOf([
    ['topic', 'label', 'readers', 'papers'],
    ...topics.map(({ slug, label, readers, papers }) => [slug, label, String(readers ?? ''), String(papers ?? '')]),
  ])

/** What stands above the charts: the newest number, or the sum of the range, and how it changed. */
const tilesOf = (charts: Charts, range: string) => {
  const totals = ({ periods, series }: NumbersOverTime): (number | null)[] =>
    periods.map((_, n) => {
      const values = series.map(({ values }) => values[n] ?? null)
      return values.every((value) => value === null)
        ? null
        : values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
    })
  const known = (numbers: NumbersOverTime) => totals(numbers).filter((value) => value !== null)
  const sum = (numbers: NumbersOverTime) => known(numbers).reduce((all, value) => all + value, 0)
  const only = (numbers: NumbersOverTime, name: string): NumbersOverTime => ({
    ...numbers,
    series: numbers.series.filter((one) => one.name === name),
  })
  const readers = known(charts.readers)
  const [first = 0, last = null] = [readers[0], readers.at(-1)]
  const change = (last ?? 0) - first
  const newest = (numbers: NumbersOverTime) => numbers.series[0]?.values.findLast((value) => value !== null) ?? null
  const limit = (value: number) => `editions pause at ${valueInWords(value, 'share')}`
  return [
    {
      name: 'Readers',
      value: valueInWords(last),
      note: `${change < 0 ? '−' : '+'}${valueInWords(Math.abs(change))} in ${range}`,
    },
    { name: 'Confirmed', value: valueInWords(sum(only(charts.joined, 'confirmed'))), note: `in ${range}` },
    { name: 'Lost', value: valueInWords(sum(charts.left)), note: `in ${range}` },
    { name: 'Digests sent', value: valueInWords(sum(only(charts.deliveries, 'sent'))), note: `in ${range}` },
    {
      name: 'Bounced',
      value: valueInWords(newest(charts.bounceShare), 'share'),
      note: limit(charts.limits.shares.hard),
    },
    {
      name: 'Complained',
      value: valueInWords(newest(charts.complaintShare), 'share'),
      note: limit(charts.limits.shares.complaints),
    },
  ]
}

const topicsView = ({ topics }: Charts) => {
  const most = (of: (one: Charts['topics'][number]) => number | null) =>
    Math.max(1, ...topics.map((one) => of(one) ?? 0))
  const [mostReaders, mostPapers] = [most(({ readers }) => readers), most(({ papers }) => papers)]
  const part = (value: number | null, whole: number): number => Math.round(((value ?? 0) / whole) * 1000) / 10
  return topics.map(({ slug, label, readers, papers }) => ({
    slug,
    label,
    readers: valueInWords(readers),
    papers: papers === null ? '' : valueInWords(papers),
    readersPart: part(readers, mostReaders),
    papersPart: part(papers, mostPapers),
  }))
}

export const chartRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, { config: requireRole('look'), schema: { querystring: Query } }, async (request, reply) => {
    const query = queryOf(request.query)
    const charts = await site.charts.read(query)
    return showAdmin(request, reply, site, 'charts', {
      ranges: RANGES.map((range) => ({
        label: RANGE_WORDS[range],
        href: hrefOf({ ...query, range }),
        current: range === query.range,
      })),
      spans: SPANS.map((by) => ({ label: by, href: hrefOf({ ...query, by }), current: by === query.by })),
      counted: charts.countedAt?.toISOString().slice(0, 16).replace('T', ' ') ?? null,
      tiles: tilesOf(charts, RANGE_WORDS[query.range]),
      drawings: DRAWINGS.filter(({ isRare, numbers }) => !(isRare && isEmpty(numbers(charts)))).map((drawing) => ({
        id: drawing.id,
        title: drawing.title,
        note: drawing.note(charts),
        chart: draw(drawing, drawing.numbers(charts), query, drawing.limit?.(charts)),
        csv: hrefOf(query, `/${drawing.id}.csv`),
      })),
      topics: topicsView(charts),
      topicsCsv: hrefOf(query, '/topics.csv'),
      range: RANGE_WORDS[query.range],
    })
  })

  const FileParam = Type.Object({ file: Type.String() })
  app.get(
    `${PATH}/:file`,
    { config: requireRole('look'), schema: { params: FileParam, querystring: Query } },
    async (request, reply) => {
      const name = /^([a-z-]+)\.csv$/.exec(request.params.file)?.[1]
      const drawing = DRAWINGS.find(({ id }) => id === name)
      if (drawing === undefined && name !== 'topics') return reply.callNotFound()
      const query = queryOf(request.query)
      const charts = await site.charts.read(query)
      const csv = drawing === undefined ? csvOfTopics(charts) : csvOfNumbers(drawing.numbers(charts))
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}-by-${query.by}.csv"`)
        .send(csv)
    },
  )
}
