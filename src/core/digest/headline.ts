/** What stands above a digest: its subject, its heading, the papers named first and the days they come from. */
import { Temporal } from 'temporal-polyfill'
import type { DigestIssue, PaperCard } from './digest.ts'

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const NUMBERS = 'no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(' ')

const numberFormat = new Intl.NumberFormat('en')

/** Longer names are cut: two of them must fit a subject line as phones show it. */
const NAME_LENGTH = 32

/** `Wednesday, 15 April 2026` for `2026-04-15`. */
export const longDate = (date: string): string => {
  const day = Temporal.PlainDate.from(date)
  return `${weekdayName(date)}, ${day.day} ${MONTHS[day.month - 1]} ${day.year}`
}

/** `Wednesday` for `2026-04-15`. */
export const weekdayName = (date: string): string => WEEKDAYS[Temporal.PlainDate.from(date).dayOfWeek - 1] ?? ''

/** The days between two dates without saying twice what they share: `13 to 17 April 2026`, `15 April 2026`. */
export const dateRange = (first: string, last: string): string => {
  const [from, to] = [Temporal.PlainDate.from(first), Temporal.PlainDate.from(last)]
  const end = `${to.day} ${MONTHS[to.month - 1]} ${to.year}`
  if (first === last) return end
  if (from.year !== to.year) return `${from.day} ${MONTHS[from.month - 1]} ${from.year} to ${end}`
  if (from.month !== to.month) return `${from.day} ${MONTHS[from.month - 1]} to ${end}`
  return `${from.day} to ${end}`
}

/** What a paper is called for short: its title before the colon, or as many of its first words as fit a subject. */
export const shortName = (title: string): string => {
  const name = (/^(.+?)\s*:\s/u.exec(title)?.[1] ?? title).trim()
  const points = [...name]
  if (points.length <= NAME_LENGTH) return name
  const cut = points.slice(0, NAME_LENGTH).join('')
  // A script that writes no spaces is cut where it must be.
  const atWord = cut.slice(0, Math.max(cut.lastIndexOf(' '), 0)) || cut
  return `${atWord.replace(/[\s,;.–-]+$/u, '')}…`
}

/** `ClawGUI, KnowRL and 8 more`; `A and B` for two papers, `A` for one, `No papers` for none. */
export const namesOf = (cards: readonly Pick<PaperCard, 'title'>[], named = 2): string => {
  const names = cards.slice(0, named).map((card) => shortName(card.title))
  const rest = cards.length - names.length
  if (rest > 0) return `${names.join(', ')} and ${rest} more`
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? 'No papers')
}

/** The ISO week of the newest list day, or of the digest's own date. */
const weekOf = (issue: DigestIssue): number =>
  Temporal.PlainDate.from(issue.listDays.at(-1) ?? issue.localDate).weekOfYear ?? 0

const numberInWords = (count: number): string => NUMBERS[count] ?? String(count)

const countInWords = (count: number, noun: string): string => `${numberInWords(count)} ${noun}${count === 1 ? '' : 's'}`

const daysInPapers = (issue: DigestIssue): string =>
  issue.listDays.length === 0
    ? countInWords(issue.cards.length, 'paper')
    : `${countInWords(issue.listDays.length, 'day')} in ${countInWords(issue.cards.length, 'paper')}`

/** Whether a digest has no papers of its readers' topics, only trending extras. */
export const hasOnlyExtras = (issue: DigestIssue): boolean =>
  issue.cards.length === 0 && issue.trendingExtras.length > 0

/** The subject of a digest's mail; holds no emoji and no address. */
export const subjectOf = (issue: DigestIssue): string => {
  if (hasOnlyExtras(issue)) return `Beyond your topics: ${namesOf(issue.trendingExtras)}`
  if (issue.kind === 'welcome') return `Welcome: ${daysInPapers(issue)}`
  if (issue.kind === 'weekly') return `Week ${weekOf(issue)}: ${namesOf(issue.cards, 1)}`
  return `Your papers: ${namesOf(issue.cards)}`
}

/** The one `h1` of a digest: the day, the week, or what a welcome holds. */
export const headingOf = (issue: DigestIssue): string => {
  if (issue.kind === 'daily') return longDate(issue.localDate)
  if (issue.kind === 'weekly') {
    const [first, last] = [issue.listDays[0], issue.listDays.at(-1)]
    const days = first !== undefined && last !== undefined ? dateRange(first, last) : longDate(issue.localDate)
    return `Week ${weekOf(issue)}, ${days}`
  }
  const words = daysInPapers(issue)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/**
 * The week in numbers: `15 of the 131 papers listed on five days, in six topics, nine with code, 1,204 upvotes between
 * them`. What no source counts is left out.
 */
const weekInNumbers = (issue: DigestIssue, of: string): string => {
  const days = issue.listDays.length
  const withCode = issue.cards.filter((card) => card.links.some(({ label }) => label === 'Code')).length
  const upvotes = issue.cards.reduce((sum, card) => sum + (card.upvotes ?? 0), 0)
  return [
    days === 0 ? of : `${of} listed on ${countInWords(days, 'day')}`,
    issue.groups.length === 0 ? '' : `in ${countInWords(issue.groups.length, 'topic')}`,
    withCode === 0 ? '' : `${numberInWords(withCode)} with code`,
    upvotes === 0 ? '' : `${numberFormat.format(upvotes)} upvote${upvotes === 1 ? '' : 's'} between them`,
  ]
    .filter((part) => part !== '')
    .join(', ')
}

/**
 * How many were chosen, out of how many, listed when: `10 of the 26 papers listed 13 to 15 April 2026`, or `None of`; of
 * a weekly, whose heading has the days, the week in numbers.
 */
export const standfirstOf = (issue: DigestIssue): string => {
  const [first, last] = [issue.listDays[0], issue.listDays.at(-1)]
  const chosen = issue.cards.length
  const noun = issue.considered === 1 ? 'paper' : 'papers'
  const of =
    chosen === issue.considered
      ? `${chosen} ${noun}`
      : `${chosen === 0 ? 'None' : chosen} of the ${numberFormat.format(issue.considered)} ${noun}`
  if (issue.kind === 'weekly' && chosen > 1) return weekInNumbers(issue, of)
  return first === undefined || last === undefined ? of : `${of} listed ${dateRange(first, last)}`
}
