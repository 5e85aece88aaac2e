/** Leaving: the page of the unsubscribe link, the one click of RFC 8058, and the ways to have less instead. */
import { Type } from 'typebox'
import { pauseChoices, readPause } from '../core/subscriber/pause.ts'
import { type App, type Site, show, showDeadLink } from './site.ts'

/** The route that mail providers call by themselves when a reader presses their unsubscribe button. */
export const ONE_CLICK = '/unsubscribe/:token'

const MOST_ONE_CLICK = 4096
const TokenParam = Type.Object({ token: Type.String() })
const Until = Type.Object({
  until: Type.Optional(Type.Unknown({ description: 'The first date with mail again, YYYY-MM-DD' })),
})

export const unsubscriptionRoutes = (app: App, { subscriptions, pages }: Site): void => {
  /** The link does not say the reader's zone; dates offered lie days ahead, so a day's difference does no harm. */
  const today = () => subscriptions.localToday('UTC')

  const viewOf = async (token: string) => {
    const found = await subscriptions.readUnsubscription(token)
    if (found === null) return null
    const subscribed = found.state === 'active' || found.state === 'paused'
    return { ...found, token, subscribed, choices: pauseChoices(today()), problem: null }
  }

  app.get(ONE_CLICK, { schema: { params: TokenParam } }, async (request, reply) => {
    const view = await viewOf(request.params.token)
    if (view === null) return showDeadLink(reply, pages)
    // Somebody who asked and never confirmed can call that off here too.
    const wanted = view.subscribed || view.state === 'pending'
    return show(reply, pages, wanted ? 'unsubscribe' : 'unsubscribed', view)
  })

  /**
   * RFC 8058: a POST without cookies or a referrer, whose body is a form of either kind and says nothing that the
   * address does not. Gmail sends it urlencoded, the RFC prefers multipart, others send no type at all: any is read and
   * dropped. The answer is the page itself, since providers take a redirect for a failure.
   */
  app.register(async (oneClick) => {
    oneClick.removeAllContentTypeParsers()
    oneClick.addContentTypeParser('*', { bodyLimit: MOST_ONE_CLICK, parseAs: 'buffer' }, async () => ({}))
    oneClick.addHook('onRequest', async (request) => {
      // An empty or malformed type would be refused before the parser is asked.
      request.headers['content-type'] = 'application/octet-stream'
    })
    oneClick.post<{ Params: { token: string } }>(ONE_CLICK, async (request, reply) => {
      const outcome = await subscriptions.unsubscribe(request.params.token)
      return outcome === null ? showDeadLink(reply, pages) : show(reply, pages, 'unsubscribed', {})
    })
  })

  app.get('/never/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readOptOut(token)
    return found === null ? showDeadLink(reply, pages) : show(reply, pages, 'never', { ...found, token, done: false })
  })

  app.post('/never/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const found = await subscriptions.optOut(request.params.token)
    return found === null
      ? showDeadLink(reply, pages)
      : show(reply, pages, 'never', { ...found, token: '', done: true })
  })

  const answerReduced = async (
    token: string,
    to: { frequency: 'weekly' } | { pauseUntil: string },
  ): Promise<{ page: string; view: object } | null> => {
    const outcome = await subscriptions.reduce(token, to)
    if (outcome === null) return null
    if (outcome === 'not-subscribed') return { page: 'unsubscribed', view: {} }
    return { page: 'reduced', view: { until: 'pauseUntil' in to ? to.pauseUntil : null } }
  }

  app.post('/unsubscribe/:token/weekly', { schema: { params: TokenParam } }, async (request, reply) => {
    const answer = await answerReduced(request.params.token, { frequency: 'weekly' })
    return answer === null ? showDeadLink(reply, pages) : show(reply, pages, answer.page, answer.view)
  })

  app.post('/unsubscribe/:token/pause', { schema: { params: TokenParam, body: Until } }, async (request, reply) => {
    const { token } = request.params
    const read = readPause(request.body.until, today())
    if ('problem' in read) {
      const view = await viewOf(token)
      if (view === null) return showDeadLink(reply, pages)
      return show(reply.code(400), pages, view.subscribed ? 'unsubscribe' : 'unsubscribed', {
        ...view,
        problem: read.problem,
      })
    }
    const answer = await answerReduced(token, { pauseUntil: read.until })
    return answer === null ? showDeadLink(reply, pages) : show(reply, pages, answer.page, answer.view)
  })
}
