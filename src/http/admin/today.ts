/** `/admin`: how the service does today, in one look. */
import type { App } from '../site.ts'
import { type AdminSite, requireRole, showAdmin } from './site.ts'

export const todayRoutes = (app: App, site: AdminSite): void => {
  app.get('/admin', { config: requireRole('look') }, async (request, reply) => {
    const { editions } = await site.today.read()
    return showAdmin(request, reply, site, 'today', {
      editions: editions.map(({ id, cutoff, status, equation }) => ({
        id,
        cutoff: cutoff.toISOString(),
        status,
        ...equation,
      })),
    })
  })
}
