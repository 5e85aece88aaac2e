/** A paper's upvotes over time as a chart. */
import { dateRange } from '../../core/digest/headline.ts'
import { type Chart, chartOf } from '../chart.ts'

export interface SeenUpvotes {
  at: Date
  upvotes: number
  /** The instant in words. */
  seen: string
}

/** `null` for fewer than two counts, which make no line. Counts are in the order of time. */
export const upvoteChart = (history: readonly SeenUpvotes[]): Chart | null => {
  const [first, last] = [history[0], history.at(-1)]
  if (first === undefined || last === undefined || history.length < 2) return null
  const dateOf = ({ at }: SeenUpvotes) => at.toISOString().slice(0, 10)
  const span = Math.max(1, last.at.getTime() - first.at.getTime())
  const chart = chartOf({
    id: 'upvotes-chart',
    title: `Upvotes, ${dateRange(dateOf(first), dateOf(last))}`,
    kind: 'line',
    of: 'Seen',
    points: history.map(({ at, seen }) => ({ label: seen, position: (at.getTime() - first.at.getTime()) / span })),
    series: [{ name: 'Upvotes', values: history.map(({ upvotes }) => upvotes) }],
  })
  const ends = [first, last].map((end) => ({ text: `${shortDate.format(end.at)}: ${end.upvotes}`, isMinor: false }))
  // What each count was stands in the table: a page that many read carries it once.
  return chart === null ? null : { ...chart, labels: ends, spans: [] }
}

const shortDate = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
