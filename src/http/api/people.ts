/** The papers of authors and of institutions. */
import { Type } from 'typebox'
import { INSTITUTION_NAME, institutionSlug } from '../../core/papers/paper.ts'
import { authorSlug } from '../../core/text/author-name.ts'
import { NAME_LENGTH } from '../../core/text/text.ts'
import { authorPath, NO_AUTHOR } from '../archive/authors.ts'
import { institutionPath, NO_INSTITUTION } from '../archive/institutions.ts'
import { sendErrorPage } from '../errors.ts'
import type { App, PublicSite } from '../site.ts'
import { After, LIST, listOf, NO_PART, openTo, PROBLEMS, pageAt } from './schema.ts'

const AuthorParam = Type.Object({
  author: Type.String({ description: 'The name of an author', examples: ['ada-lovelace'] }),
})
const InstitutionParam = Type.Object({
  institution: Type.String({ description: 'The name of an institution at Hugging Face', examples: ['nvidia'] }),
})
const AuthorList = Type.Object(
  {
    slug: Type.String({ description: 'What programs call the author' }),
    names: Type.Array(Type.String(), { description: 'The name as the papers write it, the commonest first' }),
    page: Type.String({ description: 'The author’s page here' }),
    ...LIST,
  },
  { title: 'Papers of an author', description: 'A part of the author’s papers' },
)
const InstitutionList = Type.Object(
  {
    slug: Type.String({ description: 'What programs call the institution' }),
    name: Type.String({ description: 'At Hugging Face' }),
    fullName: Type.String(),
    page: Type.String({ description: 'Its page here' }),
    ...LIST,
  },
  { title: 'Papers of an institution', description: 'A part of the institution’s papers' },
)

export const peopleApi = (app: App, site: PublicSite): void => {
  const { archive, baseUrl } = site
  const about = { tags: ['Authors and institutions'], querystring: After }
  app.get(
    '/api/v1/authors/:author',
    {
      config: openTo(),
      schema: {
        ...about,
        operationId: 'readAuthor',
        summary: 'The papers of an author, the newest first',
        params: AuthorParam,
        response: { 200: AuthorList, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { author } = request.params
      const slug = author.length > NAME_LENGTH ? '' : authorSlug(author)
      const page = pageAt(request.query.after)
      if (page === null) return sendErrorPage(request, reply, site, NO_PART)
      const found = slug === '' ? null : await archive.readAuthor(slug, page)
      if (found === null) return sendErrorPage(request, reply, site, NO_AUTHOR)
      // Other writings of the name lead to the one address there is.
      if (slug !== author) return reply.redirect(`/api/v1${authorPath(slug)}`, 301)
      return { slug, names: found.names, page: baseUrl + authorPath(slug), ...listOf(found, baseUrl) }
    },
  )
  app.get(
    '/api/v1/institutions/:institution',
    {
      config: openTo(),
      schema: {
        ...about,
        operationId: 'readInstitution',
        summary: 'The papers of an institution, the newest first',
        params: InstitutionParam,
        response: { 200: InstitutionList, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { institution } = request.params
      const page = pageAt(request.query.after)
      if (page === null) return sendErrorPage(request, reply, site, NO_PART)
      const slug = INSTITUTION_NAME.test(institution) ? institutionSlug(institution) : ''
      const found = slug === '' ? null : await archive.readInstitution(slug, page)
      if (found === null) return sendErrorPage(request, reply, site, NO_INSTITUTION)
      if (slug !== institution) return reply.redirect(`/api/v1${institutionPath(slug)}`, 301)
      return { slug, ...found.institution, page: baseUrl + institutionPath(slug), ...listOf(found, baseUrl) }
    },
  )
}
