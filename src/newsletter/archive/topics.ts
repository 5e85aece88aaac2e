/** The best papers of a topic in the newest list days, and how many each topic has. */
import { GATE } from '../../core/relevance/gate.ts'
import type { Database } from '../../store/database.ts'
import { readBestOfDays, readShownPapers } from '../../store/papers/paper-lists.ts'
import { readListDays } from '../../store/papers/papers.ts'
import { type CardList, countedOf, listCardOf, PAGE_CARDS, shownTopics } from './card-list.ts'

export interface TopicPage extends CardList {
  slug: string
  /** The first and the last list day that it looks at, `YYYY-MM-DD`; `null` where nothing is held. */
  days: { first: string; last: string } | null
}

/** A week of lists, since there is none at weekends. */
const LIST_DAYS = 5
/** Papers of a topic looked at; the busiest week of two years had 90 in one. */
const MAX_PAPERS = 400

/** The papers of the newest list days that are shown under a topic, most upvoted first. */
export const readTopicPage = async (db: Database, at: Date, slug: string, page: number): Promise<TopicPage> => {
  const [last, ...earlier] = await readListDays(db, at, LIST_DAYS)
  const days = last === undefined ? null : { first: earlier.at(-1) ?? last, last }
  const none = { cards: [], total: 0, page, pages: 0, counted: null, sample: false }
  if (days === null) return { ...none, slug, days }
  const { ids } = await readBestOfDays(
    db,
    at,
    days,
    { offset: 0, limit: MAX_PAPERS },
    { fit: { topic: slug, least: GATE } },
  )
  // The score alone does not put a paper under a topic: its reason must be able to name it.
  const fitting = (await readShownPapers(db, at, ids)).filter(
    (shown) => !shown.withdrawn && shownTopics(shown).some(({ topic }) => topic.slug === slug),
  )
  const shown = fitting.slice((page - 1) * PAGE_CARDS, page * PAGE_CARDS)
  return {
    slug,
    days,
    cards: shown.map((one) => listCardOf(one, undefined, slug)),
    total: fitting.length,
    page,
    pages: Math.ceil(fitting.length / PAGE_CARDS),
    counted: countedOf(shown),
    sample: shown.some(({ source }) => source === 'sample'),
  }
}
