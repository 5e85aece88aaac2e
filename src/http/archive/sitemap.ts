/** The sitemap: an index, one map of the lists, one of the institutions, and one of the papers of each month. https://www.sitemaps.org/protocol.html */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { isoWeekOf } from '../../core/calendar.ts'
import { topics } from '../../core/topics.ts'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import type { App, PublicSite } from '../site.ts'
import { paperPath } from './card-list.ts'
import { institutionPath } from './institutions.ts'

const Params = Type.Object({ month: Type.String({ description: 'A month and .xml, such as 2026-04.xml' }) })
const XML = 'application/xml; charset=utf-8'
const NAMESPACE = 'http://www.sitemaps.org/schemas/sitemap/0.9'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)

type Root = 'urlset' | 'sitemapindex'

const document = (root: Root, addresses: readonly string[]): string => {
  const item = root === 'urlset' ? 'url' : 'sitemap'
  const items = addresses.map((address) => `<${item}><loc>${escapeXml(address)}</loc></${item}>`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">\n${items.join('\n')}\n</${root}>\n`
}

const monthOf = (date: string): string => date.slice(0, 7)
const distinct = (values: readonly string[]): string[] => [...new Set(values)]

export const sitemapRoutes = (app: App, { archive, baseUrl }: PublicSite): void => {
  const config = { perMinute: BUDGET.archive }
  const sendMap = (reply: FastifyReply, root: Root, paths: readonly string[]): FastifyReply =>
    makePublic(reply)
      .type(XML)
      .send(
        document(
          root,
          paths.map((path) => baseUrl + path),
        ),
      )

  app.get('/sitemap.xml', { config }, async (_, reply) => {
    const months = distinct((await archive.readDays()).map(monthOf))
    const maps = [
      '/sitemaps/lists.xml',
      '/sitemaps/institutions.xml',
      ...months.map((month) => `/sitemaps/papers/${month}.xml`),
    ]
    return sendMap(reply, 'sitemapindex', maps)
  })

  app.get('/sitemaps/lists.xml', { config }, async (_, reply) => {
    const days = await archive.readDays()
    const paths = [
      '/',
      '/about',
      '/embed',
      '/api/docs',
      '/topics',
      ...topics().all.map(({ slug }) => `/topics/${slug}`),
      ...distinct(days.map(monthOf)).map((month) => `/months/${month}`),
      ...distinct(days.map(isoWeekOf)).map((week) => `/weeks/${week}`),
      ...days.map((day) => `/papers/${day}`),
    ]
    return sendMap(reply, 'urlset', paths)
  })

  app.get('/sitemaps/institutions.xml', { config }, async (_, reply) => {
    const slugs = await archive.readInstitutionSlugs()
    return sendMap(reply, 'urlset', slugs.map(institutionPath))
  })

  app.get('/sitemaps/papers/:month', { schema: { params: Params }, config }, async (request, reply) => {
    const [, month = ''] = /^(\d{4}-\d\d)\.xml$/.exec(request.params.month) ?? []
    const ids = month === '' ? [] : await archive.readIdsOfMonth(month)
    if (ids.length === 0) return reply.callNotFound()
    return sendMap(reply, 'urlset', ids.map(paperPath))
  })
}
