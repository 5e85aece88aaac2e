/** The public pages: the latest papers, those of another day, a digest in the browser, and how papers are chosen. */
import { Type } from 'typebox'
import { daysBetween, isDate } from '../core/calendar.ts'
import { headingOf, longDate, offerLine, standfirstOf } from '../core/digest/headline.ts'
import type { TopicQuality } from '../core/relevance/model.ts'
import { topicBySlug } from '../core/topics.ts'
import type { DayPage } from '../newsletter/archive.ts'
import { sendErrorPage } from './errors.ts'
import { blankForm } from './form.ts'
import { makePublic, POLICY_WITH_SCRIPT } from './guard.ts'
import { type App, type Site, show, showDeadLink } from './site.ts'

/** How many papers the home page shows of a day; a link leads to all of them. */
const MAX_HOME_CARDS = 8
/** How many papers of a day are shown whole; of the others the rest unfolds, or forty would be twenty screens of a phone. */
const WHOLE_CARDS = 3

const DateParam = Type.Object({ date: Type.String({ description: 'A list day, YYYY-MM-DD' }) })
const TokenParam = Type.Object({ token: Type.String() })

/** The days to link to; `afterGap`: days without a list lie before it. */
const dayLinksOf = ({ days, listDay }: DayPage) =>
  days.map((date, i) => {
    const before = days[i - 1]
    return { date, current: date === listDay, afterGap: before !== undefined && daysBetween(before, date) > 1 }
  })

const viewOf = (day: DayPage, maxCards: number) => {
  const cards = day.cards.slice(0, maxCards)
  const rest = day.total - cards.length
  // Papers from a file have no upvotes, and then no order worth a mention.
  const order = cards.some((card) => card.upvotes !== null) ? ', most upvoted first' : ''
  const count = `${rest > 0 ? `${cards.length} of ${day.total}` : day.total} papers${order}`
  return { ...day, days: dayLinksOf(day), cards, whole: WHOLE_CARDS, rest, count: day.total === 1 ? '1 paper' : count }
}

/** Shares as whole percents, by the topics' labels; topics without a relevant paper are left out. */
const qualityOf = (measured: readonly TopicQuality[]) =>
  measured.flatMap(({ topic, relevant, precision, recall }) => {
    const label = topicBySlug(topic)?.label
    if (label === undefined || precision === null || recall === null) return []
    return [{ label, relevant, precision: Math.round(100 * precision), recall: Math.round(100 * recall) }]
  })

export const archiveRoutes = (app: App, site: Site): void => {
  const { archive, pages, topicQuality = [] } = site
  app.get('/', async (_, reply) => {
    const day = await archive.readDay()
    makePublic(reply).header('content-security-policy', POLICY_WITH_SCRIPT)
    return show(reply, pages, 'home', {
      here: '/',
      day: day === null ? null : viewOf(day, MAX_HOME_CARDS),
      form: blankForm(),
    })
  })

  app.get('/papers/:date', { schema: { params: DateParam } }, async (request, reply) => {
    const { date } = request.params
    if (!isDate(date)) return reply.callNotFound()
    const day = await archive.readDay(date)
    if (day !== null) return show(makePublic(reply), pages, 'day', { day: viewOf(day, day.cards.length) })
    return sendErrorPage(request, reply, site, {
      status: 404,
      heading: 'No papers for this day',
      sentence: `We have no papers for ${longDate(date)}. There are none at weekends, and today’s may not be out yet.`,
    })
  })

  app.get('/digests/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const issue = await archive.readDigest(request.params.token)
    if (issue === null) return showDeadLink(reply, pages)
    const { offer } = issue
    return show(reply, pages, 'digest', {
      ...issue,
      heading: headingOf(issue),
      standfirst: standfirstOf(issue),
      offer: offer === undefined ? null : { topic: offer.topic, line: offerLine(offer) },
    })
  })

  app.get('/about', async (_, reply) =>
    show(makePublic(reply), pages, 'about', { here: '/about', quality: qualityOf(topicQuality) }),
  )
}
