/** The search page. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isDate } from '../../core/calendar.ts'
import { topics } from '../../core/topics.ts'
import {
  MAX_AUTHOR,
  MAX_QUERY,
  namedPaper,
  type SearchProblem,
  type SearchRequest,
} from '../../newsletter/archive/search.ts'
import { sent, TOPIC_FIELD } from '../form.ts'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { type App, type PublicSite, sendProblem, show, wantsJson } from '../site.ts'
import { countOfPapers, paperPath } from './card-list.ts'
import { institutionPath } from './institutions.ts'

const TEXT = { type: 'string' }
const DATE = { type: 'string', format: 'date' }
export const SearchQuery = Type.Object({
  q: sent(
    { ...TEXT, maxLength: MAX_QUERY },
    'Words; quotes for a phrase, or, and - before a word to leave out. Or one arXiv id',
    '"world model" -video',
  ),
  topic: TOPIC_FIELD,
  author: sent({ ...TEXT, maxLength: MAX_AUTHOR }, 'A surname, or a whole name', 'Lovelace'),
  from: sent(DATE, 'The first list day', '2026-04-13'),
  to: sent(DATE, 'The last list day', '2026-04-17'),
  after: sent(TEXT, 'Where the part before ended: its “next”'),
})

/** Characters of what was typed that are shown again. */
const MAX_SHOWN = 400

/** What is wrong, by which field, and with which status. */
const PROBLEMS: Record<SearchProblem, { status: number; field: string; sentence: string }> = {
  'too-long': {
    status: 400,
    field: 'q',
    sentence: `Search for fewer words: ${MAX_QUERY} characters are the most, and 100 for an author.`,
  },
  'no-words': {
    status: 400,
    field: 'q',
    sentence: 'Add a word that a paper must have. A search by signs alone, or by words to leave out, finds nothing.',
  },
  'unknown-topic': { status: 400, field: 'topic', sentence: 'Choose a topic of the list.' },
  'bad-author': { status: 400, field: 'author', sentence: 'Write a name with letters, such as Lovelace.' },
  'bad-date': { status: 400, field: 'from', sentence: 'Write days as 2026-04-15.' },
  'dates-reversed': { status: 400, field: 'from', sentence: 'The first day must not be after the last.' },
  'bad-place': { status: 404, field: 'q', sentence: 'There is no such page of results. Search again from the start.' },
  'too-slow': {
    status: 503,
    field: 'q',
    sentence: 'This search took too long and was stopped. Add a rarer word, or leave the quotes out.',
  },
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

export const readRequest = (query: Record<string, unknown>): SearchRequest => ({
  q: textOf(query.q),
  topic: textOf(query.topic),
  author: textOf(query.author),
  from: textOf(query.from),
  to: textOf(query.to),
  after: textOf(query.after),
})

/** The address of the search for what was typed, from a place on. */
export const searchHref = (request: SearchRequest, after: string): string => {
  const fields = Object.entries({ ...request, after }).filter(([, value]) => value !== '')
  return `/search?${new URLSearchParams(fields)}`
}

export const searchRoutes = (app: App, site: PublicSite): void => {
  app.get(
    '/search',
    { schema: { querystring: SearchQuery }, config: { perMinute: BUDGET.search } },
    async (request, reply) => {
      const asked = readRequest(request.query)
      const named = namedPaper(asked)
      if (named !== null) return reply.redirect(paperPath(named), 303)
      const found = await site.archive.search(asked)
      if (found !== null && 'problem' in found) return sendSearchProblem(site, request, reply, asked, found.problem)
      const list =
        found === null
          ? null
          : {
              cards: found.cards.map((card) => ({ ...card, page: paperPath(card.id) })),
              // All whole: what was found is in the excerpt.
              whole: found.cards.length,
              sample: false,
              counted: '',
              pager: null,
            }
      // There are as many addresses as there are words: no search engine is to follow them.
      makePublic(reply).header('x-robots-tag', 'noindex')
      return show(reply, site.pages, 'search', {
        here: '/search',
        ...formOf(asked, null),
        institutions: (found?.institutions ?? []).map(({ name, fullName, papers }) => ({
          name: fullName,
          href: institutionPath(name),
          count: countOfPapers(papers),
        })),
        count: found === null ? null : countInWords(found),
        list,
        further: found?.next == null ? null : searchHref(asked, found.next),
        start: asked.after === '' ? null : searchHref(asked, ''),
        feedQuery: found === null ? null : searchHref({ ...asked, after: '' }, '').slice('/search'.length),
      })
    },
  )
}

const countInWords = ({ total, isCut }: { total: number; isCut: boolean }): string => {
  if (total === 0) return 'No papers found'
  return isCut ? `More than ${countOfPapers(total)}, of which the newest are ranked` : countOfPapers(total)
}

const formOf = (asked: SearchRequest, problem: { field: string; sentence: string } | null) => ({
  asked: {
    ...asked,
    q: asked.q.slice(0, MAX_SHOWN),
    author: asked.author.slice(0, MAX_SHOWN),
    // A field for a date shows nothing else.
    from: isDate(asked.from) ? asked.from : '',
    to: isDate(asked.to) ? asked.to : '',
  },
  filtered: asked.topic !== '' || asked.author !== '' || asked.from !== '' || asked.to !== '',
  groups: topics().groups.map(({ label, topics: own }) => ({
    label,
    topics: own.map(({ slug, label: name }) => ({ slug, label: name, chosen: slug === asked.topic })),
  })),
  problem,
})

export const sendSearchProblem = (
  { pages }: Pick<PublicSite, 'pages'>,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: SearchRequest,
  kind: SearchProblem,
): FastifyReply => {
  const problem = PROBLEMS[kind]
  if (wantsJson(request)) return sendProblem(reply, problem.status, 'Not searched', problem.sentence)
  const view = {
    here: '/search',
    ...formOf(asked, problem),
    institutions: [],
    count: null,
    list: null,
    further: null,
    start: null,
    feedQuery: null,
  }
  return show(reply.code(problem.status), pages, 'search', view)
}
