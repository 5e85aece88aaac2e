/** A paper's upvotes over time as the lines of a small SVG, in units of its view box. */
import { dateRange } from '../../core/digest/headline.ts'

export const WIDTH = 700
export const HEIGHT = 200

export interface Chart {
  width: number
  height: number
  /** Paths: the counts as a line, as dots, and the lines of the axis. */
  run: string
  dots: string
  grid: string
  /** Labels of the axis of counts, the highest first. */
  counts: number[]
  /** What it shows, in words. */
  title: string
  text: string
  first: { date: string; upvotes: number }
  last: { date: string; upvotes: number }
}

/** Dots beyond this many touch each other. */
const MAX_DOTS = 60
const STEPS = 4

/** The least even number of the form 1, 2, 2.5 or 5 times a power of ten that is at least `least`. */
const niceStep = (least: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)))
  return [1, 2, 2.5, 5, 10].map((n) => n * power).find((step) => step >= least && Number.isInteger(step)) ?? power * 10
}

const round = (value: number): number => Math.round(value * 10) / 10

/** `null` for fewer than two counts, which make no line. Counts are in the order of time. */
export const chartOf = (history: readonly { at: Date; upvotes: number }[]): Chart | null => {
  const [first, last] = [history[0], history.at(-1)]
  if (first === undefined || last === undefined || history.length < 2) return null
  const most = Math.max(...history.map(({ upvotes }) => upvotes))
  const step = niceStep(most / STEPS)
  const span = Math.max(1, last.at.getTime() - first.at.getTime())
  const points = history.map(
    ({ at, upvotes }) =>
      `${round(((at.getTime() - first.at.getTime()) / span) * WIDTH)} ${round(HEIGHT - (upvotes / (step * STEPS)) * HEIGHT)}`,
  )
  const every = Math.ceil(points.length / MAX_DOTS)
  const dotted = points.filter((_, n) => n % every === 0 || n === points.length - 1)
  const rows = Array.from({ length: STEPS + 1 }, (_, n) => n)
  const dateOf = ({ at }: { at: Date }) => at.toISOString().slice(0, 10)
  const ends = {
    first: { date: dateOf(first), upvotes: first.upvotes },
    last: { date: dateOf(last), upvotes: last.upvotes },
  }
  return {
    width: WIDTH,
    height: HEIGHT,
    run: `M${points.join('L')}`,
    dots: dotted.map((point) => `M${point}h0`).join(''),
    grid: rows.map((n) => `M0 ${round((n / STEPS) * HEIGHT)}H${WIDTH}`).join(''),
    counts: rows.map((n) => step * (STEPS - n)),
    title: `Upvotes, ${dateRange(ends.first.date, ends.last.date)}`,
    text: `From ${first.upvotes} to ${last.upvotes}, seen ${history.length} times.`,
    ...ends,
  }
}
