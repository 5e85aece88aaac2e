/** The papers of a day: the newest on the home page, and any other on its own. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { daysBetween, isoWeekOf, weekdayOf } from '../../core/calendar.ts'
import { longDate } from '../../core/digest/headline.ts'
import type { DayPage } from '../../newsletter/archive/days.ts'
import { sendErrorPage } from '../errors.ts'
import { blankForm } from '../form.ts'
import { makePublic, POLICY_WITH_SCRIPT } from '../guard.ts'
import { shareMeta } from '../share-meta.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { countOfPapers, isPastEnd, listView, readPageNumber, sendNoSuchPage } from './card-list.ts'

/** How many papers the home page shows of a day; a link leads to all of them. */
const MAX_HOME_CARDS = 8

/** The days to link to; `afterGap`: days without a list lie before it. */
const dayLinksOf = ({ days, listDay }: DayPage) =>
  days.map((date, i) => {
    const before = days[i - 1]
    return { date, current: date === listDay, afterGap: before !== undefined && daysBetween(before, date) > 1 }
  })

const viewOf = (day: DayPage, maxCards: number) => {
  const list = listView(day, `/papers/${day.listDay}`)
  const cards = list.cards.slice(0, maxCards)
  // Papers from a file have no upvotes, and then no order worth a mention.
  const pinned = cards[0]?.pinned ? 'pinned first, then ' : ''
  const order = cards.some((card) => card.upvotes !== null) ? `, ${pinned}most upvoted first` : ''
  const isPart = cards.length < day.total && day.page === 1
  const count = `${isPart ? `${cards.length} of ` : ''}${countOfPapers(day.total)}${day.total === 1 ? '' : order}`
  return {
    ...list,
    cards,
    listDay: day.listDay,
    days: dayLinksOf(day),
    count,
    total: day.total,
    rest: day.total - cards.length,
    week: isoWeekOf(day.listDay),
    month: day.listDay.slice(0, 7),
  }
}

export const dayRoutes = (app: App, site: PublicSite): void => {
  app.get('/', { config: { kept: true } }, async (_, reply) => {
    const day = await site.archive.readDay()
    makePublic(reply).header('content-security-policy', POLICY_WITH_SCRIPT)
    return show(reply, site.pages, 'home', {
      here: '/',
      canonical: `${site.baseUrl}/`,
      share: shareMeta(site.baseUrl, '/', {
        title: `${site.serviceName}: trending papers in your inbox`,
        description: 'A short email, daily or weekly, with the papers that trend and the reason for each.',
      }),
      day: day === null ? null : viewOf(day, MAX_HOME_CARDS),
      form: blankForm(),
    })
  })
}

/** Shows the page of a list day, or says why there is none. */
export const showDay = async (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  date: string,
  asked: unknown,
): Promise<FastifyReply> => {
  const page = readPageNumber(asked)
  if (page === null) return sendNoSuchPage(request, reply, site, null)
  const day = await site.archive.readDay(date, page)
  if (day === null) return sendNoDay(site, request, reply, date)
  if (isPastEnd(day)) return sendNoSuchPage(request, reply, site, day.pages)
  const path = `/papers/${date}`
  return show(makePublic(reply), site.pages, 'day', {
    canonical: `${site.baseUrl}${page === 1 ? path : `${path}?page=${page}`}`,
    citeBase: path,
    share: shareMeta(site.baseUrl, path, {
      title: `Papers of ${longDate(date)}`,
      description: `${countOfPapers(day.total)}. ${day.cards[0]?.title ?? ''}`,
    }),
    day: viewOf(day, day.cards.length),
  })
}

/** Says why there are no papers for a day. */
export const sendNoDay = async (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  date: string,
): Promise<FastifyReply> =>
  sendErrorPage(request, reply, site, {
    status: 404,
    heading: 'No papers for this day',
    sentence: whyNoDay(date, await site.archive.readRange()),
  })

const whyNoDay = (
  date: string,
  { first, last, today }: { first: string | null; last: string | null; today: string },
): string => {
  const none = `We have no papers for ${longDate(date)}.`
  if (date > today) return `${none} That day has not come yet.`
  if (first === null || last === null) return `${none} The first papers appear as soon as a source has been read.`
  if (date < first) return `${none} The archive begins on ${longDate(first)}.`
  if (weekdayOf(date) > 5) return `${none} There is no list at weekends.`
  return date > last ? `${none} The list may not be out yet; the newest is of ${longDate(last)}.` : none
}
