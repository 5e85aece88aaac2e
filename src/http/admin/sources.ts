/** `/admin/sources`: when each source of papers was read, and what it brought. */
import type { SourceReport } from '../../newsletter/administration/sources.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, form, requireRole, sendBack, showAdmin } from './site.ts'
import { count, momentOf, sourceName } from './words.ts'

const PATH = '/admin/sources'
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', timeZone: 'UTC' })

/** In one word how it stands, and the class of its mark. */
const stateOf = ({ isSet, triedAt, error }: SourceReport): string => {
  if (!isSet) return 'Not read any more'
  if (triedAt === null) return 'Not read yet'
  return error === null ? 'Read' : 'Failed'
}

const sourceView = (source: SourceReport) => ({
  name: sourceName(source.label),
  state: stateOf(source),
  failed: source.isSet && source.error !== null,
  tried: momentOf(source.triedAt),
  succeeded: momentOf(source.succeededAt),
  error: source.error,
  days: source.days.map(({ day, papers }) => ({
    day: weekday.format(new Date(`${day}T00:00:00Z`)),
    papers: count(papers),
  })),
})

export const sourceRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, { config: requireRole('look') }, async (request, reply) => {
    const [sources, { queues }] = await Promise.all([site.sources.read(), site.queue.read()])
    const schedule = queues?.find(({ name }) => name === 'refresh')?.schedule ?? null
    const views = sources.map(sourceView)
    return showAdmin(request, reply, site, 'sources', {
      sources: views,
      days: views[0]?.days.map(({ day }) => day) ?? [],
      next: momentOf(schedule?.next ?? null),
    })
  })

  app.post(`${PATH}/read`, { config: requireRole('act'), schema: { body: form({}) } }, async (request, reply) => {
    await site.sources.readNow(actorOf(request))
    return sendBack(request, reply, site, PATH, 'The sources are being read. Load this page again in a minute.')
  })
}
