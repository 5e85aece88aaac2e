/** The papers of an author. */
import { Type } from 'typebox'
import { authorSlug } from '../../core/text/author-name.ts'
import { NAME_LENGTH } from '../../core/text/text.ts'
import { sendErrorPage } from '../errors.ts'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { countOfPapers, isPastEnd, listView, Paged, pageHref, readPageNumber, sendNoSuchPage } from './card-list.ts'

const Params = Type.Object({ author: Type.String({ description: 'An author’s name, such as ada-lovelace' }) })

/** The address of an author's page. */
export const authorPath = (slug: string): string => `/authors/${encodeURIComponent(slug)}`

export const NO_AUTHOR = {
  status: 404,
  heading: 'No papers by this author',
  sentence: 'We have no paper by an author of this name. A search finds parts of names too.',
}

export const authorRoutes = (app: App, site: PublicSite): void => {
  app.get(
    '/authors/:author',
    { schema: { params: Params, querystring: Paged }, config: { perMinute: BUDGET.archive, kept: true } },
    async (request, reply) => {
      const { author } = request.params
      const slug = author.length > NAME_LENGTH ? '' : authorSlug(author)
      const none = () => sendErrorPage(request, reply, site, NO_AUTHOR)
      if (slug === '') return none()
      const page = readPageNumber(request.query.page)
      if (page === null) return sendNoSuchPage(request, reply, site, null)
      // Other writings of the name lead to the one page there is.
      if (slug !== author) return reply.redirect(pageHref(authorPath(slug), page), 301)
      const found = await site.archive.readAuthor(slug, page)
      if (found === null) return none()
      if (isPastEnd(found)) return sendNoSuchPage(request, reply, site, found.pages)
      const [name = slug, ...others] = found.names
      return show(makePublic(reply), site.pages, 'author', {
        canonical: `${site.baseUrl}${pageHref(authorPath(slug), page)}`,
        slug: encodeURIComponent(slug),
        name,
        others,
        count: `${countOfPapers(found.total)}${found.total === 1 ? '' : ', the newest first'}`,
        list: listView(found, authorPath(slug)),
      })
    },
  )
}
