/** `/admin`: how the service does today, in one look, and what needs a person now. */
import { type Matter, type Place, percent } from '../../core/attention.ts'
import { MAX_SHARES } from '../../core/bounces/edition-alarm.ts'
import type { EditionSummary } from '../../newsletter/editions.ts'
import type { Today } from '../../newsletter/today.ts'
import type { App } from '../site.ts'
import { recentDeliveries } from './chart-drawings.ts'
import { type AdminSite, actorOf, field, form, hasPage, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { count, counted, momentOf } from './words.ts'

/** Where a matter is dealt with, and what the link says. */
const linkOf = (place: Place): { href: string; label: string } => {
  switch (place.to) {
    case 'edition':
      return { href: `/admin/editions/${place.id}`, label: `Edition ${place.id}` }
    case 'missed':
      return { href: `/admin/editions/${place.id}/missed`, label: `Who missed edition ${place.id}` }
    case 'set-aside':
      return { href: '/admin/set-aside', label: 'What is set aside' }
    case 'routes':
      return { href: '/admin/routes', label: 'Routes' }
    case 'sources':
      return { href: '/admin/sources', label: 'Sources' }
    case 'suppressions':
      return { href: '/admin/suppressions', label: 'Suppressions' }
    case 'service':
      return { href: '#service', label: 'Resume the service' }
  }
}

const matterView = ({ text, place }: Matter) => {
  const link = place === null ? null : linkOf(place)
  return { text, link: link !== null && (link.href.startsWith('#') || hasPage(link.href)) ? link : null }
}

/** `45 seconds`, `3 minutes`, `5 hours`, `2 days`; `none` where nothing waits. */
const durationOf = (seconds: number | null, none: string): string => {
  if (seconds === null) return none
  if (seconds < 90) return counted(Math.round(seconds), 'second')
  if (seconds < 90 * 60) return counted(Math.round(seconds / 60), 'minute')
  if (seconds < 48 * 3600) return counted(Math.round(seconds / 3600), 'hour')
  return counted(Math.round(seconds / 86_400), 'day')
}

const PARTS = ['due', 'sent', 'pending', 'failed', 'skipped', 'unknown', 'canceled'] as const

const editionView = ({ id, cutoff, status, equation }: EditionSummary) => ({
  id,
  at: momentOf(cutoff),
  hour: cutoff.toISOString().slice(11, 16),
  status,
  href: hasPage('/admin/editions') ? `/admin/editions/${id}` : null,
  figures: PARTS.map((part) => count(equation[part])),
})

/** So many are shown at once; the rest unfolds. Those that are not complete come first. */
const MOST_AT_ONCE = 6

const editionsView = (all: readonly EditionSummary[]) => {
  const sorted = [...all].sort((a, b) => Number(a.status === 'complete') - Number(b.status === 'complete'))
  const total = PARTS.map((part) => count(all.reduce((sum, { equation }) => sum + equation[part], 0)))
  return {
    parts: PARTS,
    number: counted(all.length, 'edition'),
    total,
    first: sorted.slice(0, MOST_AT_ONCE).map(editionView),
    rest: sorted.slice(MOST_AT_ONCE).map(editionView),
    isComplete: all.every(({ status }) => status === 'complete' || status === 'canceled'),
  }
}

const returnedView = ({ returned: { sent, hard, complaints } }: Today) => {
  const row = (name: string, n: number, most: number) => ({
    name,
    count: count(n),
    share: sent === 0 ? '–' : percent(n / sent),
    most: percent(most),
  })
  return {
    sent: count(sent),
    rows: [row('Hard bounces', hard, MAX_SHARES.hard), row('Complaints', complaints, MAX_SHARES.complaints)],
  }
}

const confirmationsView = ({ confirmations: { states, notIssued, confirmed } }: Today) => {
  const { queued = 0, sending = 0, deferred = 0, sent = 0, failed = 0, skipped = 0 } = states
  const waiting = notIssued + queued + sending + deferred
  return [
    { name: 'Asked for', count: count(waiting + sent + failed + skipped) },
    { name: 'Sent', count: count(sent) },
    { name: 'Waiting to be sent', count: count(waiting) },
    { name: 'Failed', count: count(failed) },
    { name: 'Confirmed', count: count(confirmed) },
  ]
}

/** States in the order in which they are told. */
const STATES = ['active', 'paused', 'pending', 'unsubscribed', 'suppressed', 'erased']

const viewOf = (today: Today) => ({
  now: momentOf(today.now),
  matters: today.matters.map(matterView),
  held: today.hold === null ? null : { why: today.hold.why },
  editions: editionsView(today.editions),
  confirmations: confirmationsView(today),
  returned: returnedView(today),
  lag: [
    { name: 'Oldest digest that waits', time: durationOf(today.lag.digests, 'none waits') },
    { name: 'Oldest letter that waits', time: durationOf(today.lag.letters, 'none waits') },
    {
      name: 'Last tick of the scheduler',
      time: today.sinceTick === null ? 'never' : `${durationOf(today.sinceTick, '')} ago`,
    },
  ],
  routes: today.routes.map(({ name, reason, waiting, notBefore }) => ({
    name,
    reason,
    waiting: count(waiting),
    next: momentOf(notBefore),
    nextHour: notBefore.toISOString().slice(11, 16),
  })),
  sources: today.sources.map(({ source, succeededAt, error }) => ({
    source,
    age:
      succeededAt === null
        ? 'never'
        : `${durationOf(Math.max(0, (today.now.getTime() - succeededAt.getTime()) / 1000), 'never')} ago`,
    error,
  })),
  subscribers: STATES.map((state) => ({ state, count: count(today.subscribers[state] ?? 0) })),
  routesHref: hasPage('/admin/routes') ? '/admin/routes' : null,
  sourcesHref: hasPage('/admin/sources') ? '/admin/sources' : null,
})

const readView = async (site: AdminSite) => ({
  ...viewOf(await site.today.read()),
  deliveries: await recentDeliveries(site),
})

export const todayRoutes = (app: App, site: AdminSite): void => {
  app.get('/admin', { config: requireRole('look') }, async (request, reply) =>
    showAdmin(request, reply, site, 'today', { ...(await readView(site)), error: null }),
  )

  app.post(
    '/admin/service/hold',
    { config: requireRole('act'), schema: { body: form({ why: field('Why the service is held') }) } },
    async (request, reply) => {
      const why = textOf(request.body.why).slice(0, 200)
      if (why === '')
        return showAdmin(request, reply.code(422), site, 'today', {
          ...(await readView(site)),
          error: 'Say in a few words why. It is shown wherever the hold is.',
        })
      await site.today.hold(actorOf(request), why)
      return sendBack(request, reply, site, '/admin', 'The service is held: nothing is published or sent.')
    },
  )

  app.post(
    '/admin/service/resume',
    { config: requireRole('act'), schema: { body: form({}) } },
    async (request, reply) => {
      const refused = await site.today.resume(actorOf(request))
      return sendBack(request, reply, site, '/admin', refused?.problem ?? 'The service goes on.')
    },
  )
}
