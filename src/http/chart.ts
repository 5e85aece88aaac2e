/**
 * Charts as the lines and bars of an SVG without words in it, which stretches to any width, and the words to stand around it:
 * labels of its axes, a legend with the newest values, a description, and the same as a table. `parts/chart.liquid` draws them.
 *
 * Series differ by their dashes or hatching and by the place in the legend as much as by their colour. A value of `null` is
 * not known: a line breaks off there, and a span of which nothing is known is hatched, so that it is not taken for a zero.
 */

export const WIDTH = 700
export const HEIGHT = 200

export interface ChartPoint {
  /** What stands in the table and on the axis, such as `3 Nov`. */
  label: string
  /** Where it stands between the first (0) and the last (1); left out of points at equal distances. */
  position?: number
}

export interface ChartSeries {
  name: string
  /** One for each point, not negative; `null` where it is not known. */
  values: readonly (number | null)[]
}

export interface ChartSource {
  /** Unique on its page. */
  id: string
  title: string
  /** `line`: each series by itself. `bars`: one upon the other, the first at the bottom. */
  kind: 'line' | 'bars'
  /** What the points are, as the head of their column: `Day`. */
  of: string
  points: readonly ChartPoint[]
  series: readonly ChartSeries[]
  /** `share`: parts of 1, shown as per cent. */
  unit?: 'count' | 'share'
  /** A value that the series are compared with. */
  limit?: { name: string; value: number }
}

/** What a template draws: paths in units of the view box, and text. */
export interface Chart {
  id: string
  kind: ChartSource['kind']
  width: number
  height: number
  title: string
  text: string
  grid: string
  /** The spans of which nothing is known; empty where there are none. */
  unknown: string
  /** `mark`: from 1 on, for its colour and its dashes or hatching. Of bars `run` is filled, and there are no dots. */
  series: { mark: number; run: string; dots: string }[]
  /** In the order in which they stand from above; empty of a single line without a limit, where nothing is to be told apart. */
  legend: { name: string; mark: number; newest: string }[]
  /** A line across. */
  limit: { name: string; value: string; path: string } | null
  /** What is told of the point that a pointer is over. */
  spans: { x: number; width: number; text: string }[]
  /** Labels of the vertical axis, the highest first, and of points from the first to the last. */
  scale: string[]
  labels: { text: string; isMinor: boolean }[]
  table: { head: string[]; rows: { label: string; cells: string[] }[] }
}

/** Dots beyond this many touch each other. */
const MAX_DOTS = 60
const STEPS = 4
/** Of a bar's span. */
const BAR_SHARE = 0.8
const LABELS = 5

const count = new Intl.NumberFormat('en-GB')
const shortCount = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumSignificantDigits: 3 })
const share = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 2 })
const fineShare = new Intl.NumberFormat('en-GB', { style: 'percent', maximumSignificantDigits: 2 })

/** The least of 1, 2, 2.5 or 5 times a power of ten that is at least `least`; of counts a whole number. */
export const niceStep = (least: number, unit: 'count' | 'share' = 'count'): number => {
  const bounded = unit === 'count' ? Math.max(1, least) : Math.max(0.0001, least)
  const power = 10 ** Math.floor(Math.log10(bounded))
  const fits = (step: number) => step >= bounded && (unit === 'share' || Number.isInteger(step))
  return [1, 2, 2.5, 5, 10].map((n) => n * power).find(fits) ?? power * 10
}

const round = (value: number): number => Math.round(value * 10) / 10

/** A value in words: `1,204`, `0.08%`, `not known`. */
export const valueInWords = (value: number | null, unit: 'count' | 'share' = 'count'): string => {
  if (value === null) return 'not known'
  if (unit === 'count') return count.format(value)
  return value > 0 && value < 0.0001 ? fineShare.format(value) : share.format(value)
}

/** `null` where there is no point. Throws where a series has not one value for each point. */
export const chartOf = (source: ChartSource): Chart | null => {
  const { id, kind, title, points, series, unit = 'count', limit = null } = source
  if (points.length === 0 || series.length === 0) return null
  for (const { name, values } of series)
    if (values.length !== points.length)
      throw new Error(`${name} has ${values.length} values for ${points.length} points`)
  const step = niceStep(highest(source) / STEPS, unit)
  const y = (value: number) => round(HEIGHT - Math.min(1, value / (step * STEPS)) * HEIGHT)
  const rows = Array.from({ length: STEPS + 1 }, (_, n) => n)
  const spans = spansOf(source)
  const drawn = kind === 'bars' ? barsOf(source, spans, y) : linesOf(source, y)
  const words = (value: number | null) => valueInWords(value, unit)
  return {
    id,
    kind,
    width: WIDTH,
    height: HEIGHT,
    title,
    text: describe(source),
    grid: rows.map((n) => `M0 ${round((n / STEPS) * HEIGHT)}H${WIDTH}`).join(''),
    unknown: spans
      .filter((_, n) => series.every(({ values }) => values[n] === null))
      .map(({ x, width }) => `M${x} 0h${width}v${HEIGHT}h${-width}z`)
      .join(''),
    series: drawn.map((one, n) => ({ mark: n + 1, ...one })),
    legend: legendOf(source),
    limit:
      limit === null ? null : { name: limit.name, value: words(limit.value), path: `M0 ${y(limit.value)}H${WIDTH}` },
    spans: spans.map(({ x, width }, n) => ({
      x,
      width,
      text: `${points[n]?.label}: ${series.map(({ name, values }) => `${name.toLowerCase()} ${words(values[n] ?? null)}`).join(', ')}`,
    })),
    scale: rows.map((n) => {
      const value = step * (STEPS - n)
      return unit === 'share' ? words(value) : shortCount.format(value)
    }),
    labels: labelsOf(points),
    table: {
      head: [source.of, ...series.map(({ name }) => name)],
      rows: points.map(({ label }, n) => ({ label, cells: series.map(({ values }) => words(values[n] ?? null)) })),
    },
  }
}

const legendOf = ({ kind, series, unit, limit }: ChartSource): Chart['legend'] => {
  if (series.length === 1 && limit === undefined) return []
  const entries = series.map(({ name, values }, n) => ({
    name,
    mark: n + 1,
    newest: valueInWords(values.at(-1) ?? null, unit),
  }))
  return kind === 'bars' ? entries.reverse() : entries
}

/** What the scale must hold. */
const highest = ({ kind, points, series, limit }: ChartSource): number => {
  let most = limit?.value ?? 0
  for (let n = 0; n < points.length; n++) {
    const values = series.map(({ values }) => values[n] ?? 0)
    most = Math.max(most, kind === 'bars' ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values))
  }
  return most
}

/** The part of the width that belongs to each point. */
const spansOf = ({ kind, points }: ChartSource): { x: number; width: number }[] => {
  if (kind === 'bars') {
    const width = WIDTH / points.length
    return points.map((_, n) => ({ x: round(n * width), width: round(width) }))
  }
  const at = positionsOf(points)
  return at.map((x, n) => {
    const from = n === 0 ? 0 : ((at[n - 1] ?? 0) + x) / 2
    const to = n === at.length - 1 ? WIDTH : (x + (at[n + 1] ?? 0)) / 2
    return { x: round(from), width: round(Math.max(0, to - from)) }
  })
}

/** Where points stand from left to right; one alone in the middle. */
const positionsOf = (points: readonly ChartPoint[]): number[] =>
  points.map(({ position }, n) =>
    points.length === 1 ? WIDTH / 2 : round((position ?? n / (points.length - 1)) * WIDTH),
  )

interface Drawn {
  run: string
  dots: string
}

/** A line breaks off where a value is not known; one between two such values is a dot. */
const linesOf = ({ points, series }: ChartSource, y: (value: number) => number): Drawn[] => {
  const at = positionsOf(points)
  return series.map(({ values }) => {
    const isKnown = (n: number) => typeof values[n] === 'number'
    const places = values.map((value, n) => (value === null ? null : `${at[n]} ${y(value)}`))
    const run = places.map((place, n) => (place === null ? '' : `${isKnown(n - 1) ? 'L' : 'M'}${place}`)).join('')
    const dotted = places.filter(
      (place, n) => place !== null && (points.length <= MAX_DOTS || !(isKnown(n - 1) || isKnown(n + 1))),
    )
    return { run, dots: dotted.map((place) => `M${place}h0`).join('') }
  })
}

const barsOf = (
  { series }: ChartSource,
  spans: readonly { x: number; width: number }[],
  y: (value: number) => number,
): Drawn[] => {
  const heights = spans.map(() => 0)
  return series.map(({ values }) => ({
    run: spans
      .map(({ x, width }, n) => {
        const value = values[n] ?? 0
        if (value === 0) return ''
        const [from, to] = [heights[n] ?? 0, (heights[n] ?? 0) + value]
        heights[n] = to
        const left = round(x + ((1 - BAR_SHARE) / 2) * width)
        const wide = round(width * BAR_SHARE)
        return `M${left} ${y(from)}V${y(to)}h${wide}V${y(from)}z`
      })
      .join(''),
    dots: '',
  }))
}

/** As many as fit a wide page; a narrow one leaves out the minor ones. */
const labelsOf = (points: readonly ChartPoint[]): Chart['labels'] => {
  const wanted = Math.min(LABELS, points.length)
  const chosen = Array.from({ length: wanted }, (_, n) =>
    wanted === 1 ? 0 : Math.round((n / (wanted - 1)) * (points.length - 1)),
  )
  return chosen.map((at, n) => ({
    text: points[at]?.label ?? '',
    isMinor: n !== 0 && n !== wanted - 1 && !(wanted === LABELS && n === 2),
  }))
}

/** What it shows, for those who do not see it: ends and highest of each series. */
const describe = ({ points, series, unit = 'count', limit }: ChartSource): string => {
  const sentences = series.map(({ name, values }) => {
    const known = values.flatMap((value, n) => (value === null ? [] : [{ value, label: points[n]?.label ?? '' }]))
    const [first, last] = [known[0], known.at(-1)]
    if (first === undefined || last === undefined) return `${name}: not known.`
    const words = (value: number) => valueInWords(value, unit)
    const most = known.reduce((best, one) => (one.value > best.value ? one : best), first)
    if (known.length === 1) return `${name}: ${words(first.value)} (${first.label}).`
    return `${name}: from ${words(first.value)} (${first.label}) to ${words(last.value)} (${last.label}), at most ${words(most.value)} (${most.label}).`
  })
  const compared = limit === undefined ? [] : [`${limit.name}: ${valueInWords(limit.value, unit)}.`]
  return [...sentences, ...compared].join(' ')
}
