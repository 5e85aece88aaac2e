/** `/admin/charts`: numbers over time as charts, each with its table and as CSV. */
import { Type } from 'typebox'
import { csvOf } from '../../core/text/csv.ts'
import { type ChartQuery, type Charts, type NumbersOverTime, RANGES, SPANS } from '../../newsletter/charts.ts'
import { valueInWords } from '../chart.ts'
import type { App } from '../site.ts'
import { DRAWINGS, draw, isEmpty } from './chart-drawings.ts'
import { type AdminSite, requireRole, showAdmin } from './site.ts'

const PATH = '/admin/charts'
const Query = Type.Object({ days: Type.Optional(Type.Unknown()), by: Type.Optional(Type.Unknown()) })

/** What is asked for, with the usual in place of what cannot be read. */
const queryOf = ({ days, by }: { days?: unknown; by?: unknown }): ChartQuery => ({
  range: RANGES.find((range) => String(range) === days) ?? 30,
  by: SPANS.find((span) => span === by) ?? 'day',
})

const hrefOf = ({ range, by }: ChartQuery, file = ''): string => `${PATH}${file}?days=${range}&by=${by}`

const RANGE_WORDS: Record<(typeof RANGES)[number], string> = { 30: '30 days', 90: '90 days', 365: 'a year' }

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
