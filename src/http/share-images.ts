/** The pictures that other sites show beside a link to the front page, a paper, a day or a topic. */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { Type } from 'typebox'
import { isDate } from '../core/calendar.ts'
import { dateRange, longDate } from '../core/digest/headline.ts'
import { PAPER_ID, serverOf } from '../core/papers/paper.ts'
import { topicBySlug } from '../core/topics.ts'
import type { ListCard } from '../newsletter/archive/card-list.ts'
import { countOfPapers } from './archive/card-list.ts'
import { sendNoDay } from './archive/days.ts'
import { sendNoPaper } from './archive/papers.ts'
import { NO_TOPIC } from './archive/topics.ts'
import { createTurns } from './costly-pages.ts'
import { sendErrorPage } from './errors.ts'
import { makePublic } from './guard.ts'
import { BUDGET } from './request-budgets.ts'
import { sendRevalidated } from './revalidation.ts'
import { imagePath } from './share-meta.ts'
import type { App, PublicSite, ShareCard } from './site.ts'

const PaperParam = Type.Object({ paper: Type.String({ description: 'The id of a paper, or a list day' }) })
/** Ids of before 2007, such as hep-ex/0307015. */
const OldIdParam = Type.Object({ archive: Type.String(), number: Type.String() })
const TopicParam = Type.Object({ topic: Type.String({ description: 'The name of a topic' }) })

/** Seconds that whoever fetched a picture may keep it. */
const KEEP = 3600
/** Octets of all pictures that are kept; one has some 50 kB. */
const MAX_OCTETS = 8_000_000
/** Pictures that may wait to be drawn, each for some hundredths of a second. */
const MAX_WAITING = 40
const BUSY = {
  status: 503,
  heading: 'Temporarily unavailable',
  sentence: 'Many pictures are being drawn at the moment. Please try again in a minute.',
}

/** Draws a card unless its picture is kept: one at a time, and each once however many ask. `null`: too many wait. */
export const keepImages = (
  draw: (card: ShareCard) => Promise<Buffer>,
): ((card: ShareCard) => Promise<Buffer> | null) => {
  const kept = new LRUCache<string, Buffer>({ maxSize: MAX_OCTETS, sizeCalculation: ({ length }) => length })
  const waiting = new Map<string, Promise<Buffer>>()
  const inTurn = createTurns()
  return (card) => {
    const key = createHash('sha256').update(JSON.stringify(card)).digest('base64')
    const known = kept.get(key)
    if (known !== undefined) return Promise.resolve(known)
    const asked = waiting.get(key)
    if (asked !== undefined) return asked
    if (waiting.size >= MAX_WAITING) return null
    const drawn = inTurn(() => draw(card))
      .then((image) => {
        kept.set(key, image)
        return image
      })
      .finally(() => waiting.delete(key))
    waiting.set(key, drawn)
    return drawn
  }
}

export const shareImageRoutes = (app: App, site: PublicSite): void => {
  const drawKept = keepImages(site.drawShareImage)
  const config = { perMinute: BUDGET.preview }
  const send = async (request: FastifyRequest, reply: FastifyReply, card: ShareCard) => {
    const image = await drawKept(card)
    if (image === null) return sendErrorPage(request, reply.header('retry-after', 60), site, BUSY)
    makePublic(reply).type('image/png').header('cache-control', `public, max-age=${KEEP}`)
    return sendRevalidated(reply, image)
  }

  app.get(imagePath('/'), { config }, (request, reply) =>
    send(request, reply, {
      title: 'Trending papers in your inbox',
      text: 'A short email, daily or weekly, with the papers that trend and the reason for each.',
      note: new URL(site.baseUrl).host,
    }),
  )

  app.get('/papers/:paper.png', { config, schema: { params: PaperParam } }, async (request, reply) => {
    const { paper } = request.params
    if (!isDate(paper)) return sendPaper(request, reply, paper)
    const day = await site.archive.readDay(paper)
    if (day === null) return sendNoDay(site, request, reply, paper)
    return send(request, reply, { title: longDate(paper), text: titlesOf(day.cards), note: countOfPapers(day.total) })
  })

  app.get('/papers/:archive/:number.png', { config, schema: { params: OldIdParam } }, (request, reply) =>
    sendPaper(request, reply, `${request.params.archive}/${request.params.number}`),
  )

  const sendPaper = async (request: FastifyRequest, reply: FastifyReply, id: string) => {
    const page = PAPER_ID.test(id) ? await site.archive.readPaper(id) : null
    if (page === null) return sendNoPaper(site, request, reply, null)
    const { card } = page
    const server = serverOf(id)
    const name = server === null ? id : `${server.name} ${server.number}`
    const note = page.withdrawn ? `${name}, withdrawn` : `${name}, listed ${longDate(card.listDay)}`
    return send(request, reply, { title: page.title, text: card.authors, note })
  }

  app.get('/topics/:topic.png', { config, schema: { params: TopicParam } }, async (request, reply) => {
    const topic = topicBySlug(request.params.topic)
    if (topic === undefined) return sendErrorPage(request, reply, site, NO_TOPIC)
    const { cards, days } = await site.archive.readTopic(topic.slug, 1)
    const note = days === null ? '' : `The best papers, ${dateRange(days.first, days.last)}`
    return send(request, reply, { title: topic.label, text: titlesOf(cards), note })
  })
}

/** As many titles as there is room for on a picture. */
const MOST_TITLES = 3

const titlesOf = (cards: readonly ListCard[]): string =>
  cards
    .slice(0, MOST_TITLES)
    .map(({ title }) => title)
    .join('; ')
