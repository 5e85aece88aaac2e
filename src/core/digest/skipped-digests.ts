/** Digests that were due and not sent, what was sent at once, and the lines by which the next digest tells of them. */
import { addDays } from '../calendar.ts'
import { onDays } from './headline.ts'

/** Of a digest that was due while the service was held or down, or was passed over. */
export const NOT_IN_TIME = 'it could not be sent in time'
/** Of a digest whose edition an operator called off. */
export const CANCELED = 'it was canceled'

/** Digests in a row that were due and not sent, for one reason. Dates are local, `YYYY-MM-DD`. */
interface Skipped {
  from: string
  to: string
  /** How many they are: fewer than the dates between where days on which no list comes lie between. */
  days: number
}

/** They had fewer papers than were asked for, each of them as many; `papers` are the ids of those of all. */
type SkippedForFew = Skipped & { papers: string[]; each: number; least: number }

/** `why`: why none came, a clause without a full stop. */
export type SkippedDigests = (Skipped & { why: string }) | SkippedForFew

/** What was sent at once on a local date, before the regular digest. */
export interface SentAtOnce {
  date: string
  papers: number
}

/** What the next digest is to tell. */
export interface UntoldBefore {
  /** Oldest first. */
  skipped: SkippedDigests[]
  atOnce: SentAtOnce[]
}

export const NOTHING_UNTOLD: UntoldBefore = { skipped: [], atOnce: [] }

/** One digest that was not sent for a reason. */
export const skippedFor = (date: string, why: string): SkippedDigests => ({ from: date, to: date, days: 1, why })

/** One digest that had fewer papers than were asked for at least. */
export const skippedForFew = (date: string, papers: string[], least: number): SkippedDigests => ({
  from: date,
  to: date,
  days: 1,
  papers,
  each: papers.length,
  least,
})

/** `former`, and those after it: with the last of `former` as one where they have one reason. */
const join = (former: SkippedDigests[], next: SkippedDigests): SkippedDigests[] => {
  const last = former.at(-1)
  const span = { from: last?.from ?? '', to: next.to, days: (last?.days ?? 0) + next.days }
  if (last !== undefined && 'why' in last && 'why' in next && last.why === next.why)
    return [...former.slice(0, -1), { ...last, ...span }]
  if (last !== undefined && 'each' in last && 'each' in next && last.each === next.each && last.least === next.least)
    return [...former.slice(0, -1), { ...last, ...span, papers: [...last.papers, ...next.papers] }]
  return [...former, next]
}

/** All of them in the order of their dates, each date once: of two that hold one, the first given. */
export const joinSkipped = (...lists: readonly SkippedDigests[][]): SkippedDigests[] =>
  lists
    .flat()
    .filter((one, n, all) => !all.slice(0, n).some(({ from, to }) => from <= one.to && one.from <= to))
    .sort((a, b) => (a.from < b.from ? -1 : 1))
    .reduce(join, [])

/** The papers that wait for a digest with enough of them, ids; and since when the first does, `null` where none waits. */
export const waitingOf = ({ skipped }: UntoldBefore): { papers: string[]; since: string | null } => {
  const few = skipped.filter((one) => 'papers' in one)
  return { papers: few.flatMap(({ papers }) => papers), since: few[0]?.from ?? null }
}

/** The dates of a run, as far as `onDays` needs them. */
const daysOf = ({ from, to, days }: Skipped): string[] =>
  days < 3 ? [...new Set([from, to])] : [from, addDays(from, 1), to]

const SPAN = /^(?:on|from) /

/** `Monday 13 and Tuesday 14 April had 1 paper each` */
const fewClause = (one: SkippedForFew, isFirst: boolean): string =>
  `${onDays(daysOf(one)).replace(SPAN, '')} had ${one.each}${isFirst ? ` paper${one.each === 1 ? '' : 's'}` : ''}${one.days > 1 ? ' each' : ''}`

const listOf = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`

/**
 * `Monday 13 and Tuesday 14 April had 1 paper each, fewer than the 3 you asked for: they are here.` Of papers that are not
 * all in the digest (`sent`, ids) nothing is said.
 */
const fewLine = (few: readonly SkippedForFew[], sent: ReadonlySet<string>): string => {
  const papers = few.flatMap((one) => one.papers)
  const here = papers.every((id) => sent.has(id)) ? `: ${papers.length === 1 ? 'it is' : 'they are'} here` : ''
  return `${listOf(few.map((one, n) => fewClause(one, n === 0)))}, fewer than the ${few[0]?.least} you asked for${here}.`
}

/** The lines about digests that were not sent, in the order of their dates; `sent` are the papers of the digest that tells. */
const skippedLines = (skipped: readonly SkippedDigests[], sent: ReadonlySet<string>): string[] => {
  const lines: string[] = []
  for (let n = 0; n < skipped.length; n++) {
    const one = skipped[n]
    if (one === undefined) break
    if ('why' in one) {
      lines.push(`No digest ${onDays(daysOf(one))}: ${one.why}.`)
      continue
    }
    const few = [one]
    for (
      let next = skipped[n + 1];
      next !== undefined && 'each' in next && next.least === one.least;
      next = skipped[n + 1]
    ) {
      few.push(next)
      n++
    }
    lines.push(fewLine(few, sent))
  }
  return lines
}

/** `3 papers came at once, on Tuesday 14 and Thursday 16 April, and are not repeated here.` */
const atOnceLine = (atOnce: readonly SentAtOnce[]): string => {
  const papers = atOnce.reduce((sum, one) => sum + one.papers, 0)
  const [noun, verb] = papers === 1 ? ['paper', 'is'] : ['papers', 'are']
  return `${papers} ${noun} came at once, ${onDays(atOnce.map(({ date }) => date))}, and ${verb} not repeated here.`
}

/**
 * What a digest with papers says of those before it that were not sent, and, unless it comes `atOnce` itself, of what came at
 * once; `null` mostly. `sent` are the ids of its papers.
 */
export const untoldLines = (
  untold: UntoldBefore,
  { sent, isAtOnce }: { sent: ReadonlySet<string>; isAtOnce: boolean },
): string | null => {
  const lines = skippedLines(untold.skipped, sent)
  if (!isAtOnce && untold.atOnce.length > 0) lines.push(atOnceLine(untold.atOnce))
  return lines.join(' ') || null
}
