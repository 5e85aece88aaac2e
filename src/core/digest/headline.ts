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

const numberFormat = new Intl.NumberFormat('en')

/** Longer names are cut: two of them must fit a subject line as phones show it. */
const NAME_LENGTH = 32

/** Words that lead on to the next: a cut name does not end with one. */
const LEADS_ON =
  /[\s,;:.–-]+(?:an?|the|and|or|nor|but|as|at|by|for|from|in|into|is|are|its|of|on|onto|over|per|that|their|through|to|toward|towards|under|using|versus|via|vs|when|with|within|without)$/iu
const LOOSE_END = /[\s,;:.–-]+$/u

/** A cut name without the words and marks at its end that lead on to what is missing. */
const endWell = (cut: string): string => {
  const shorter = cut.replace(LOOSE_END, '').replace(LEADS_ON, '')
  return shorter === cut ? cut : endWell(shorter)
}

/** `Wednesday 15 April 2026` for `2026-04-15`. */
export const longDate = (date: string): string => {
  const day = Temporal.PlainDate.from(date)
  return `${weekdayName(date)} ${day.day} ${MONTHS[day.month - 1]} ${day.year}`
}

/** `Wednesday` for `2026-04-15`. */
export const weekdayName = (date: string): string => WEEKDAYS[Temporal.PlainDate.from(date).dayOfWeek - 1] ?? ''

/** `April 2026` for `2026-04`. */
export const monthName = (month: string): string => `${MONTHS[Number(month.slice(5)) - 1]} ${month.slice(0, 4)}`

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
  return `${endWell(atWord)}…`
}

/** `ClawGUI, KnowRL and 8 more`; `A and B` for two papers, `A` for one, `No papers` for none. */
export const namesOf = (cards: readonly Pick<PaperCard, 'title'>[], named = 2): string => {
  const names = cards.slice(0, named).map((card) => shortName(card.title))
  const rest = cards.length - names.length
  if (rest > 0) return `${names.join(', ')} and ${rest} more`
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? 'No papers')
}

/**
 * When days were, oldest first: `on Friday 17 April`, `on Tuesday 14 and Wednesday 15 April`, and of more than two
 * `from Wednesday 15 to Friday 17 April`; with years where they differ. Empty for no days.
 */
export const onDays = (days: readonly string[]): string => {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return ''
  const [from, to] = [Temporal.PlainDate.from(first), Temporal.PlainDate.from(last)]
  const year = (day: Temporal.PlainDate): string => (from.year === to.year ? '' : ` ${day.year}`)
  const whole = (day: Temporal.PlainDate): string =>
    `${weekdayName(day.toString())} ${day.day} ${MONTHS[day.month - 1]}${year(day)}`
  if (first === last) return `on ${whole(from)}`
  const begin = from.month === to.month && from.year === to.year ? `${weekdayName(first)} ${from.day}` : whole(from)
  return days.length === 2 ? `on ${begin} and ${whole(to)}` : `from ${begin} to ${whole(to)}`
}

const counted = (count: number, noun: string): string =>
  `${numberFormat.format(count)} ${noun}${count === 1 ? '' : 's'}`

/** The papers of a digest in the order in which they stand there, which its counts count; see-also lines are no papers of it. */
export const papersOf = ({ cards, also = [], sections = [], trendingExtras }: DigestIssue): PaperCard[] => [
  ...cards,
  ...also,
  ...sections.flatMap((section) => section.cards),
  ...trendingExtras,
]

/** The papers that match what a digest's readers follow: what is called theirs is one of these, never a trending extra. */
export const matchesOf = ({ cards, also = [] }: DigestIssue): PaperCard[] => [...cards, ...also]

/** The papers that the groups of a digest's readers brought. */
const groupPapers = ({ sections = [] }: DigestIssue): PaperCard[] => sections.flatMap(({ cards }) => cards)

/** `your group`, `your groups` */
const whoseGroup = ({ sections = [] }: DigestIssue): string => (sections.length === 1 ? 'your group' : 'your groups')

/** Whether a digest has nothing but what groups brought. */
const isOfGroups = (issue: DigestIssue): boolean =>
  groupPapers(issue).length > 0 && matchesOf(issue).length + issue.trendingExtras.length === 0

/** Whether a digest has no papers of its readers' topics, only trending extras. */
const hasOnlyExtras = (issue: DigestIssue): boolean => matchesOf(issue).length === 0 && issue.trendingExtras.length > 0

/** The subject of a digest's mail; holds no emoji and no address. */
export const subjectOf = (issue: DigestIssue, serviceName: string): string => {
  const own = matchesOf(issue)
  if (issue.kind === 'at-once') return `At once: ${namesOf(own)}`
  if (hasOnlyExtras(issue)) return `Beyond your topics: ${namesOf(issue.trendingExtras)}`
  if (issue.kind === 'welcome') return `Welcome to ${serviceName}: ${firstPapers(own.length)}`
  // The name of a group is a text of its maker's, who may be a stranger to the mailbox.
  if (isOfGroups(issue)) return `From ${whoseGroup(issue)}: ${namesOf(groupPapers(issue))}`
  if (issue.kind === 'weekly') return `${issue.onlyTrending ? 'Trending this week' : 'Your week'}: ${namesOf(own, 1)}`
  return `${issue.onlyTrending ? 'Trending papers' : 'Your papers'}: ${namesOf(own)}`
}

/** The line that a mailbox shows after the subject: what is in the digest, the papers that match first. */
export const openingOf = (issue: DigestIssue): string => {
  const own = matchesOf(issue)
  if (issue.kind === 'at-once') return `${namesOf(own)}, in the top 1 % of the month.`
  const extras = issue.trendingExtras.length
  if (hasOnlyExtras(issue)) return `${namesOf(issue.trendingExtras)}, trending beyond your topics.`
  const brought = groupPapers(issue)
  if (isOfGroups(issue)) return `${namesOf(brought)}, from ${whoseGroup(issue)}.`
  // Where no source counts upvotes, nothing is ranked by them.
  const isCounted = own.some(({ upvotes }) => upvotes !== null)
  const by = [...(issue.onlyTrending ? [] : ['fit']), ...(isCounted ? ['upvotes'] : [])].join(' and ')
  const ranked = own.length > 1 && by !== '' ? `, ranked by ${by}` : ''
  const more = [
    ...(brought.length === 0 ? [] : [`${brought.length} from ${whoseGroup(issue)}`]),
    ...(extras === 0 ? [] : [counted(extras, 'trending paper')]),
  ]
  return `${namesOf(own)}${ranked}${more.length === 0 ? '' : `, and ${more.join(' and ')}`}.`
}

/** `your first 10 papers` */
const firstPapers = (count: number): string =>
  count === 0 ? 'no papers yet' : count === 1 ? 'your first paper' : `your first ${count} papers`

/** The one `h1` of a digest: its day, the list days of a week, or how many papers a welcome has for its reader. */
export const headingOf = (issue: DigestIssue): string => {
  if (issue.kind === 'daily' || issue.kind === 'at-once') return longDate(issue.localDate)
  if (issue.kind === 'weekly') {
    const [first, last] = [issue.listDays[0], issue.listDays.at(-1)]
    return first !== undefined && last !== undefined ? dateRange(first, last) : longDate(issue.localDate)
  }
  if (hasOnlyExtras(issue)) return 'No papers in your topics yet'
  const words = firstPapers(matchesOf(issue).length)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/**
 * What of a week is known besides, of all its papers: `9 with code, 1,204 upvotes between them`. What no source counts is left
 * out.
 */
const weekInNumbers = (issue: DigestIssue): string[] => {
  const papers = papersOf(issue)
  const withCode = papers.filter((card) => card.links.some(({ label }) => label === 'Code')).length
  const upvotes = papers.reduce((sum, card) => sum + (card.upvotes ?? 0), 0)
  return [
    ...(withCode === 0 ? [] : [`${withCode} with code`]),
    ...(upvotes === 0 ? [] : [`${counted(upvotes, 'upvote')} between them`]),
  ]
}

/** `listed from Wednesday 15 to Friday 17 April`; with the hour where more may have been listed on the last day. */
const whenListed = ({ listDays, cutoff }: DigestIssue): string => {
  const last = listDays.at(-1)
  if (last === undefined) return ''
  const isOpen = last >= cutoff.slice(0, 10)
  return ` listed ${onDays(listDays)}${isOpen ? ` by ${cutoff.slice(11, 16)} UTC` : ''}`
}

/** The heading of the papers that are shown in short: of those who chose only what trends, ones that repeat what they were sent. */
export const shortHeadingOf = ({ onlyTrending }: Pick<DigestIssue, 'onlyTrending'>): string =>
  onlyTrending ? 'Also trending' : 'Also in your topics'

/**
 * What goes before the link by which a topic is followed: `4 papers on Robotics & embodied AI were listed from Tuesday 7 to
 * Friday 10 April.` A welcome may come long after.
 */
export const offerLine = ({ label, papers, listDays = [] }: NonNullable<DigestIssue['offer']>): string =>
  `${counted(papers, 'paper')} on ${label} ${papers === 1 ? 'was' : 'were'} listed ${onDays(listDays) || 'in the week before'}.`

/** Whether the papers of those who get only what trends stand in the order of their upvotes, whatever their age. */
export const isMostUpvotedFirst = (issue: DigestIssue): boolean =>
  issue.onlyTrending === true &&
  issue.cards.length > 1 &&
  issue.cards.every(({ upvotes }, n) => n === 0 || (upvotes ?? 0) <= (issue.cards[n - 1]?.upvotes ?? 0)) &&
  (issue.cards[0]?.upvotes ?? 0) > 0

/** `: 2 match what you follow, 3 are trending beyond your topics`; empty where all of them match. */
const whatFits = ({ cards, also = [], trendingExtras }: DigestIssue): string => {
  const [own, extras] = [cards.length + also.length, trendingExtras.length]
  if (extras === 0) return ''
  const trending = `${extras} ${extras === 1 ? 'is' : 'are'} trending beyond your topics`
  return own === 0
    ? ` match what you follow; ${trending}`
    : `: ${own} ${own === 1 ? 'matches' : 'match'} what you follow, ${trending}`
}

/**
 * How many papers the digest has, of how many that were listed when: `10 of the 22 papers listed on Friday 17 April`, of what
 * trends with `, most upvoted first`, or `None of the 22 papers … match what you follow`. The number listed is that of the days' pages at the cut-off. A weekly goes on with
 * what is known of its papers.
 */
export const standfirstOf = (issue: DigestIssue): string => {
  const brought = groupPapers(issue).length
  if (isOfGroups(issue)) return `${counted(brought, 'paper')} from ${whoseGroup(issue)}`
  const ofReader = standfirstOfReader({ ...issue, sections: [] })
  return brought === 0 ? ofReader : `${ofReader}; ${brought} more from ${whoseGroup(issue)}`
}

/** The same of what a digest has for what its readers follow themselves. */
const standfirstOfReader = (issue: DigestIssue): string => {
  const papers = papersOf(issue)
  if (issue.kind === 'at-once') return `${counted(papers.length, 'paper')} of yours in the top 1 % of the month`
  const all = issue.listed
  const isOwnless = hasOnlyExtras(issue)
  const shown =
    all === null || all <= papers.length
      ? `${isOwnless ? 'No papers' : counted(papers.length, 'paper')}`
      : `${isOwnless || papers.length === 0 ? 'None' : papers.length} of the ${counted(all, 'paper')}`
  const more = issue.kind === 'weekly' && papers.length > 1 ? weekInNumbers(issue) : []
  const fits = `${isMostUpvotedFirst(issue) ? ', most upvoted first' : ''}${whatFits(issue)}`
  return `${shown}${whenListed(issue)}${fits}${more.length === 0 ? '' : `${fits === '' ? ',' : ';'} ${more.join(', ')}`}`
}
