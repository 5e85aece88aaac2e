/** `/admin/routes`: where mail goes slower or not at all, caps and what is used of them, and alarms. */
import { ADVICE } from '../../core/sending/advice.ts'
import { isSlow } from '../../core/sending/pace.ts'
import type { LimitReport, StoredAlarm, ThrottledRoute } from '../../newsletter/administration/routes.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { count, counted, momentOf } from './words.ts'

const PATH = '/admin/routes'

/** What is the matter with a route, after its name. */
const CAUSES: Record<ThrottledRoute['cause'], string> = {
  login: 'refuses our login',
  sender: 'refuses our sender',
  tls: 'fails at TLS',
  relay: 'cannot be reached, or takes nothing',
  policy: 'refuses our mail',
  lost: 'breaks off message after message',
  throttled: 'takes less than it is given',
  limited: 'takes less than it is given',
  away: 'cannot be reached',
  quota: 'says that our limit is reached',
  account: 'says that our account may not send for now',
  rate: 'asks for fewer mails at a time',
  connections: 'bears fewer connections',
  common: 'refuses everybody in the same words',
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const routeView = (route: ThrottledRoute) => ({
  name: route.name,
  kind: route.kind === 'relay' ? 'Relay' : 'Destination',
  cause: CAUSES[route.cause],
  pace: isSlow(route.cause) ? `${count(route.concurrency)} at a time` : 'closed; one mail at a time tries it',
  since: momentOf(route.since),
  next: momentOf(route.notBefore),
  waiting: counted(route.waiting, 'mail waits', 'mails wait'),
  reason: route.reason,
  advice: route.kind === 'relay' ? `${sentence(ADVICE[route.cause])}.` : '',
  domains: route.domains.length > 1 ? route.domains.join(', ') : '',
})

/** What is used of one cap, as a part of 100. */
const usedOf = (most: number | null, used: number, kept: number, per: string) =>
  most === null
    ? []
    : [
        {
          text: `${count(used)} of ${count(most)} in ${per}${kept > 0 ? `; ${count(kept)} are kept for confirmations and other letters` : ''}`,
          part: Math.min(100, Math.round((100 * used) / Math.max(1, most))),
        },
      ]

const limitView = (limit: LimitReport) => ({
  name: limit.name,
  kind: limit.kind === 'relay' ? 'Relay' : 'Destination',
  from: limit.fromSettings ? 'by settings' : 'by an operator',
  perSecond: limit.perSecond === null ? null : `At most ${limit.perSecond} a second`,
  used: [
    ...usedOf(limit.perHour, limit.used.hour, limit.kept.hour, '60 minutes'),
    ...usedOf(limit.perDay, limit.used.day, limit.kept.day, '24 hours'),
    ...(limit.warmUp === null
      ? []
      : usedOf(limit.warmUp.limit, limit.used.day, 0, '24 hours of the warm-up').map((one) => ({
          ...one,
          text: `${one.text}, each day ${limit.warmUp?.growth} times as many, up to ${count(limit.warmUp?.until ?? 0)}`,
        }))),
  ],
  next: momentOf(limit.next),
})

const alarmView = ({ title, detail, advice, raisedAt, clearedAt, notices }: StoredAlarm) => ({
  title,
  detail,
  advice,
  raised: momentOf(raisedAt),
  cleared: momentOf(clearedAt),
  told: notices.map(({ event, channel, sentAt, attempts, error }) =>
    sentAt === null
      ? `Not told yet by ${channel}, after ${counted(attempts, 'attempt')}${error === null ? '' : `: ${error}`}`
      : `${event === 'raised' ? 'Told' : 'Told that it is over'} by ${channel}`,
  ),
})

export const routeRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, { config: requireRole('look') }, async (request, reply) => {
    const { throttled, limits, alarms } = await site.routes.read()
    return showAdmin(request, reply, site, 'routes', {
      routes: throttled.map(routeView),
      limits: limits.map(limitView),
      standing: alarms.filter(({ clearedAt }) => clearedAt === null).map(alarmView),
      past: alarms.filter(({ clearedAt }) => clearedAt !== null).map(alarmView),
    })
  })

  app.post(
    `${PATH}/clear`,
    { config: requireRole('act'), schema: { body: form({ name: field('The name of the route') }) } },
    async (request, reply) => {
      const name = textOf(request.body.name)
      const cleared = /^[\x21-\x7e]{1,300}$/.test(name) && (await site.routes.clear(actorOf(request), name))
      const said = cleared ? `${name} is tried again at once.` : 'Nothing has changed: that is not throttled any more.'
      return sendBack(request, reply, site, PATH, said)
    },
  )
}
