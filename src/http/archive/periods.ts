/** The best papers of a week and of a month. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { daysBetween, daysOfMonth, daysOfWeek, isoWeekOf } from '../../core/calendar.ts'
import { dateRange, monthName } from '../../core/digest/headline.ts'
import type { PeriodPage } from '../../newsletter/archive/days.ts'
import { sendErrorPage } from '../errors.ts'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { countOfPapers, isPastEnd, listView, Paged, pageHref, readPageNumber, sendNoSuchPage } from './card-list.ts'

interface Kind {
  /** The path that its pages are under. */
  path: '/weeks' | '/months'
  word: 'week' | 'month'
  daysOf(name: string): { first: string; last: string } | null
  nameOf(date: string): string
  titleOf(name: string): string
}

const WEEKS: Kind = {
  path: '/weeks',
  word: 'week',
  daysOf: daysOfWeek,
  nameOf: isoWeekOf,
  titleOf: (name) => {
    const days = daysOfWeek(name)
    return `Week ${Number(name.slice(6))}, ${days === null ? name.slice(0, 4) : dateRange(days.first, days.last)}`
  },
}

const MONTHS: Kind = {
  path: '/months',
  word: 'month',
  daysOf: daysOfMonth,
  nameOf: (date) => date.slice(0, 7),
  titleOf: monthName,
}

const WeekParam = Type.Object({ week: Type.String({ description: 'An ISO week such as 2026-W16' }) })
const MonthParam = Type.Object({ month: Type.String({ description: 'A month such as 2026-04' }) })

export const periodRoutes = (app: App, site: PublicSite): void => {
  for (const kind of [WEEKS, MONTHS]) {
    // The newest has no address of its own that would change what it shows.
    app.get(kind.path, async (request, reply) => {
      const { last } = await site.archive.readRange()
      return last === null
        ? sendNone(site, request, reply, kind, '')
        : reply.redirect(`${kind.path}/${kind.nameOf(last)}`, 302)
    })
  }
  const config = { perMinute: BUDGET.archive, kept: true }
  app.get('/weeks/:week', { schema: { params: WeekParam, querystring: Paged }, config }, (request, reply) =>
    showPeriod(site, request, reply, WEEKS, request.params.week, request.query.page),
  )
  app.get('/months/:month', { schema: { params: MonthParam, querystring: Paged }, config }, (request, reply) =>
    showPeriod(site, request, reply, MONTHS, request.params.month, request.query.page),
  )
}

const showPeriod = async (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: Kind,
  name: string,
  asked: unknown,
): Promise<FastifyReply> => {
  const page = readPageNumber(asked)
  if (page === null) return sendNoSuchPage(request, reply, site, null)
  const { archive } = site
  const known = kind.daysOf(name) !== null
  const found = known ? await (kind === WEEKS ? archive.readWeek(name, page) : archive.readMonth(name, page)) : null
  if (found === null) return sendNone(site, request, reply, kind, name)
  if (isPastEnd(found)) return sendNoSuchPage(request, reply, site, found.pages)
  const path = `${kind.path}/${name}`
  return show(makePublic(reply), site.pages, 'period', {
    canonical: `${site.baseUrl}${pageHref(path, page)}`,
    citeBase: kind === WEEKS ? path : null,
    title: kind.titleOf(name),
    count: `${countOfPapers(found.total)}${found.total > 1 && found.counted !== null ? ', most upvoted first' : ''}`,
    list: listView(found, path),
    days: kind === WEEKS ? dayStops(found) : [],
    weeks: kind === MONTHS ? weeksOf(found) : [],
    month: kind === WEEKS ? MONTHS.nameOf(found.first) : null,
    before: found.before === null ? null : { href: `${kind.path}/${found.before}`, label: kind.titleOf(found.before) },
    after: found.after === null ? null : { href: `${kind.path}/${found.after}`, label: kind.titleOf(found.after) },
    hasWeekend: kind === WEEKS && found.days.every(({ date }) => daysBetween(found.first, date) < 5),
  })
}

const dayStops = ({ days }: PeriodPage) =>
  days.map(({ date, papers }, i) => {
    const before = days[i - 1]
    const afterGap = before !== undefined && daysBetween(before.date, date) > 1
    return { date, papers: countOfPapers(papers), current: false, afterGap }
  })

/** The weeks in which a month has lists, each once. */
const weeksOf = ({ days }: PeriodPage) =>
  [...new Set(days.map(({ date }) => isoWeekOf(date)))].map((week) => ({
    href: `${WEEKS.path}/${week}`,
    label: WEEKS.titleOf(week),
  }))

/** Says why there are no papers for a week. */
export const sendNoWeek = (site: PublicSite, request: FastifyRequest, reply: FastifyReply, week: string) =>
  sendNone(site, request, reply, WEEKS, week)

/** Likewise for a month. */
export const sendNoMonth = (site: PublicSite, request: FastifyRequest, reply: FastifyReply, month: string) =>
  sendNone(site, request, reply, MONTHS, month)

const sendNone = async (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: Kind,
  name: string,
): Promise<FastifyReply> => {
  const days = kind.daysOf(name)
  const { first, today } = await site.archive.readRange()
  const example = kind === WEEKS ? 'such as 2026-W16' : 'such as 2026-04'
  const why = () => {
    if (first === null) return 'The first papers appear as soon as a source has been read.'
    if (days === null) return `There is no such ${kind.word}; one is written ${example}.`
    if (days.first > today) return `That ${kind.word} has not come yet.`
    return days.last < first ? `The archive begins in ${monthName(first.slice(0, 7))}.` : 'No source had a list then.'
  }
  return sendErrorPage(request, reply, site, {
    status: 404,
    heading: `No papers for this ${kind.word}`,
    sentence: why(),
  })
}
