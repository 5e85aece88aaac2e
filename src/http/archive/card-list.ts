/** A list of papers as templates show it, its pages by links, and what is said where there is no such page. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { longDate } from '../../core/digest/headline.ts'
import type { CardList, Counted } from '../../newsletter/archive/card-list.ts'
import { sendErrorPage } from '../errors.ts'
import type { Site } from '../site.ts'

export const Paged = Type.Object({ page: Type.Optional(Type.Unknown({ description: 'A page of the list, from 1' })) })

/** How many papers of a list are shown whole; of the others the rest unfolds, or forty would be twenty screens of a phone. */
const WHOLE_CARDS = 3

/** The number of a page; `null` for what is none. */
export const readPageNumber = (value: unknown): number | null => {
  if (value === undefined) return 1
  return typeof value === 'string' && /^[1-9]\d{0,5}$/.test(value) ? Number(value) : null
}

/** The address of a page of a list. */
export const pageHref = (path: string, page: number): string => (page === 1 ? path : `${path}?page=${page}`)

/** `Wednesday 15 April 2026, 09:12 UTC`, without the hour where only the day is known. */
export const instantInWords = ({ at, hourKnown }: Counted): string => {
  const [date = '', time = ''] = at.toISOString().split('T')
  return hourKnown ? `${longDate(date)}, ${time.slice(0, 5)} UTC` : longDate(date)
}

const number = new Intl.NumberFormat('en')

/** `1 paper`, `1,200 papers` */
export const countOfPapers = (count: number): string => (count === 1 ? '1 paper' : `${number.format(count)} papers`)

/** What `parts/card-list` shows of a list whose first page is at `path`. */
export const listView = (list: CardList, path: string) => ({
  cards: list.cards.map((card) => ({ ...card, page: paperPath(card.id) })),
  whole: WHOLE_CARDS,
  sample: list.sample,
  counted: list.counted === null ? '' : `Upvotes as of ${instantInWords(list.counted)}.`,
  pager:
    list.pages < 2
      ? null
      : {
          page: list.page,
          pages: list.pages,
          before: list.page > 1 ? pageHref(path, list.page - 1) : null,
          after: list.page < list.pages ? pageHref(path, list.page + 1) : null,
        },
})

/** The address of a paper's page; a slash parts the archive from the number in ids of before 2007. */
export const paperPath = (id: string): string =>
  `/papers/${id.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':')}`

/** Whether a page lies past the end of a list; the first page of an empty list does not. */
export const isPastEnd = ({ page, pages }: Pick<CardList, 'page' | 'pages'>): boolean => page > Math.max(1, pages)

/** Says that a list has no such page, and how many it has. */
export const sendNoSuchPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  site: Site,
  pages: number | null,
): FastifyReply =>
  sendErrorPage(request, reply, site, {
    status: 404,
    heading: 'No such page',
    sentence:
      pages === null
        ? 'Pages of a list are numbered from 1.'
        : `This list has ${pages < 2 ? 'one page' : `${pages} pages`}. The papers may have moved to an earlier one.`,
  })
