/** `/admin/set-aside`: who gets no digest, and which sign-ups are not answered, for a reason of their own; and trying again. */
import { isUuid } from '../../core/uuid.ts'
import type { App } from '../site.ts'
import { editionNumber } from './editions.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { count, counted, momentOf } from './words.ts'

/** What a form names: the id of a subscriber, the number of a sign-up, or all; `null` for anything else. */
const readWhich = (text: string) => {
  if (text === 'all') return 'all' as const
  if (isUuid(text)) return { subscriber: text }
  const signUp = editionNumber(text)
  return signUp === null ? null : { signUp }
}

export const setAsideRoutes = (app: App, site: AdminSite): void => {
  app.get('/admin/set-aside', { config: requireRole('look') }, async (request, reply) => {
    const { subscribers, signUps, all } = await site.setAside.list()
    return showAdmin(request, reply, site, 'set-aside', {
      none: subscribers.length + signUps.length === 0,
      subscribers: subscribers.map((one) => ({
        ...one,
        setAsideAt: momentOf(one.setAsideAt),
        retryAt: momentOf(one.retryAt),
      })),
      signUps: signUps.map((one) => ({ ...one, requestedAt: momentOf(one.requestedAt) })),
      counts: { subscribers: count(all.subscribers), signUps: count(all.signUps) },
    })
  })

  app.post(
    '/admin/set-aside/retry',
    {
      config: requireRole('act'),
      schema: { body: form({ which: field('all, the id of a subscriber, or the number of a sign-up') }) },
    },
    async (request, reply) => {
      const which = readWhich(textOf(request.body.which))
      const { subscribers, signUps } =
        which === null ? { subscribers: 0, signUps: 0 } : await site.setAside.retry(actorOf(request), which)
      const said = [
        ...(subscribers > 0 ? [counted(subscribers, 'subscriber')] : []),
        ...(signUps > 0 ? [counted(signUps, 'sign-up')] : []),
      ]
      const done =
        said.length === 0 ? 'That is not set aside any more.' : `Trying again within a minute: ${said.join(' and ')}.`
      return sendBack(request, reply, site, '/admin/set-aside', done)
    },
  )
}
