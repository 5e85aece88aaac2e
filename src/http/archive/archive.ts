/** The public pages of the archive: every route of them. */
import type { App, PublicSite } from '../site.ts'
import { authorRoutes } from './authors.ts'
import { dayRoutes } from './days.ts'
import { digestRoutes } from './digest.ts'
import { institutionRoutes } from './institutions.ts'
import { paperRoutes } from './papers.ts'
import { periodRoutes } from './periods.ts'
import { searchRoutes } from './search.ts'
import { sitemapRoutes } from './sitemap.ts'
import { topicRoutes } from './topics.ts'

export const archiveRoutes = (app: App, site: PublicSite): void => {
  dayRoutes(app, site)
  paperRoutes(app, site)
  periodRoutes(app, site)
  topicRoutes(app, site)
  authorRoutes(app, site)
  institutionRoutes(app, site)
  searchRoutes(app, site)
  sitemapRoutes(app, site)
  digestRoutes(app, site)
}
