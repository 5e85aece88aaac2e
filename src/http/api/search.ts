/** Search of all papers. */
import { Type } from 'typebox'
import { readRequest, SearchQuery, sendSearchProblem } from '../archive/search.ts'
import { sendErrorPage, WRONG_QUERY } from '../errors.ts'
import { BUDGET } from '../request-budgets.ts'
import type { App, PublicSite } from '../site.ts'
import { PAPER_FIELDS, paperOf } from './paper-summary.ts'
import { Next, openTo, orNull, PROBLEMS } from './schema.ts'

const NOTHING_ASKED = {
  status: 400,
  heading: 'Not searched',
  sentence: 'Send at least one of q, topic, author, from and to.',
}

const Found = Type.Object(
  {
    papers: Type.Array(
      Type.Object(
        {
          ...PAPER_FIELDS,
          snippet: orNull(
            Type.Array(Type.Object({ text: Type.String(), found: Type.Boolean() })),
            'Of the abstract where the words were found, in parts',
          ),
        },
        { title: 'Found paper' },
      ),
    ),
    total: Type.Integer(),
    isCut: Type.Boolean({ description: 'Whether more were found than were ranked: those are the newest' }),
    next: Next,
  },
  { title: 'Found papers', description: 'A part of what was found' },
)

export const searchApi = (app: App, site: PublicSite): void => {
  app.get(
    '/api/v1/search',
    {
      config: openTo(BUDGET.search),
      schema: {
        tags: ['Papers'],
        operationId: 'searchPapers',
        summary: 'Papers by words, topic, author and days, the best match first',
        querystring: SearchQuery,
        response: { 200: Found, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      // A page shows in its form what it was asked; here a filter that was dropped would not be seen.
      if (Object.values(request.query).some((value) => typeof value !== 'string'))
        return sendErrorPage(request, reply, site, WRONG_QUERY)
      const asked = readRequest(request.query)
      const found = await site.archive.search(asked)
      if (found === null) return sendErrorPage(request, reply, site, NOTHING_ASKED)
      if ('problem' in found) return sendSearchProblem(site, request, reply, asked, found.problem)
      const { cards, total, isCut, next } = found
      const papers = cards.map((card) => ({
        ...paperOf(card, site.baseUrl),
        snippet: card.snippet?.map(({ text, found: isFound }) => ({ text, found: isFound })) ?? null,
      }))
      return { papers, total, isCut, next }
    },
  )
}
