/** The papers of an institution. */
import { Type } from 'typebox'
import { INSTITUTION_NAME, institutionSlug } from '../../core/papers/paper.ts'
import { sendErrorPage } from '../errors.ts'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { countOfPapers, isPastEnd, listView, Paged, pageHref, readPageNumber, sendNoSuchPage } from './card-list.ts'

const Params = Type.Object({
  institution: Type.String({ description: 'The name of an institution at Hugging Face, such as nvidia' }),
})

/** The address of an institution's page. */
export const institutionPath = (name: string): string => `/institutions/${encodeURIComponent(institutionSlug(name))}`

export const NO_INSTITUTION = {
  status: 404,
  heading: 'No papers of this institution',
  sentence:
    'We have no paper that is linked to an institution of this name. A search finds institutions by their full names.',
}

export const institutionRoutes = (app: App, site: PublicSite): void => {
  app.get(
    '/institutions/:institution',
    { schema: { params: Params, querystring: Paged }, config: { perMinute: BUDGET.archive, kept: true } },
    async (request, reply) => {
      const { institution: asked } = request.params
      if (!INSTITUTION_NAME.test(asked)) return sendErrorPage(request, reply, site, NO_INSTITUTION)
      const page = readPageNumber(request.query.page)
      if (page === null) return sendNoSuchPage(request, reply, site, null)
      const slug = institutionSlug(asked)
      // As Hugging Face writes it, it leads to the one page there is.
      if (slug !== asked) return reply.redirect(pageHref(institutionPath(slug), page), 301)
      const found = await site.archive.readInstitution(slug, page)
      if (found === null) return sendErrorPage(request, reply, site, NO_INSTITUTION)
      if (isPastEnd(found)) return sendNoSuchPage(request, reply, site, found.pages)
      const { name, fullName } = found.institution
      return show(makePublic(reply), site.pages, 'institution', {
        canonical: `${site.baseUrl}${pageHref(institutionPath(slug), page)}`,
        slug,
        name: fullName,
        home: `https://huggingface.co/${encodeURIComponent(name)}`,
        count: `${countOfPapers(found.total)}${found.total === 1 ? '' : ', the newest first'}`,
        list: listView(found, institutionPath(slug)),
      })
    },
  )
}
