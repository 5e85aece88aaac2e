/** A list of papers as every page of the site shows it: a part of it as cards, and how long it is in all. */
import type { PaperCard } from '../../core/digest/digest.ts'
import { type Curated, endorsedBy } from '../../core/digest/endorsement.ts'
import { asWithdrawn, cardOf } from '../../core/digest/paper-card.ts'
import { explainedFits } from '../../core/digest/quoted-phrases.ts'
import type { Fit } from '../../core/digest/ranking.ts'
import { dayReasonOf } from '../../core/digest/reason.ts'
import { GATE } from '../../core/relevance/gate.ts'
import { type Topic, topicBySlug } from '../../core/topics.ts'
import type { Database } from '../../store/database.ts'
import { type ListedIds, type Part, readShownPapers, type ShownPaper } from '../../store/papers/paper-lists.ts'

/** A card on a page of the site. */
export interface ListCard extends PaperCard {
  topic: { slug: string; label: string } | null
  /** `YYYY-MM-DD` */
  listDay: string
}

/** When counts were seen; of some only the day is known. */
export interface Counted {
  at: Date
  hourKnown: boolean
}

export interface CardList {
  cards: ListCard[]
  /** How many papers the whole list has. */
  total: number
  /** From 1. */
  page: number
  pages: number
  /** When the newest of the counts shown were seen; `null` where none is shown. */
  counted: Counted | null
  /** Whether these are the sample papers that ship with the project. */
  sample: boolean
}

/** Cards of a page: most days have no more, in brief they are some 1.9 kB each, and a page stays under 60 kB. */
export const PAGE_CARDS = 27

/** The ranks of the papers of one day, where all are known. */
export interface DayCounts {
  counts: readonly number[]
  total: number
}

const NO_RANK: DayCounts = { counts: [], total: 0 }

/** The topics that a paper is shown under, best first. A lower score may hang on one common word: a page that names a topic must be able to stand by it. */
export const shownTopics = ({ relevance }: Pick<ShownPaper, 'relevance'>): { topic: Topic; fit: Fit }[] =>
  explainedFits(relevance.filter(({ score }) => score >= GATE)).flatMap((fit) => {
    const topic = topicBySlug(fit.topic)
    return topic === undefined ? [] : [{ topic, fit }]
  })

/** The card of a paper; `underTopic`: of its topics the one that the page is about; `pin`: how it is pinned to the page. */
export const listCardOf = (
  shown: ShownPaper,
  day: DayCounts = NO_RANK,
  underTopic?: string,
  pin: Curated | null = null,
): ListCard => {
  const { paper, listDay, upvotes, comments, votes, pick } = shown
  if (shown.withdrawn)
    return { ...asWithdrawn(cardOf(paper, { reason: '', upvotes: null, comments: null })), topic: null, listDay }
  const topics = shownTopics(shown)
  const best = topics.find(({ topic }) => topic.slug === underTopic) ?? topics[0]
  const reason = dayReasonOf({
    topic: best?.topic.slug ?? null,
    matches: best?.fit.matches ?? [],
    upvotes,
    ...day,
    ...endorsedBy({ votes, pick, pin }, pin !== null),
  })
  const card = cardOf(paper, { reason, upvotes, comments, shownOn: listDay })
  return {
    ...card,
    ...(pin === null ? {} : { pinned: true as const }),
    topic: best === undefined ? null : { slug: best.topic.slug, label: best.topic.label },
    listDay,
  }
}

/** When the newest of some papers' counts were seen. */
export const countedOf = (shown: readonly ShownPaper[]): Counted | null => {
  const counted = shown.filter(({ upvotes }) => upvotes !== null)
  const newest = counted.reduce<ShownPaper | null>(
    (latest, one) => (latest === null || one.observedAt > latest.observedAt ? one : latest),
    null,
  )
  return newest === null ? null : { at: newest.observedAt, hourKnown: newest.hourKnown }
}

/** Reads a page (from 1) of a list; past its end there are no cards. */
export const readCardList = async (
  { db, at }: { db: Database; at: Date },
  page: number,
  readIds: (part: Part) => Promise<ListedIds>,
  toCard: (shown: ShownPaper) => ListCard = (shown) => listCardOf(shown),
): Promise<CardList> => {
  const { ids, total } = await readIds({ offset: (page - 1) * PAGE_CARDS, limit: PAGE_CARDS })
  const all = ids.length === 0 && page > 1 ? (await readIds({ offset: 0, limit: 1 })).total : total
  const shown = await readShownPapers(db, at, ids)
  return {
    cards: shown.map(toCard),
    total: all,
    page,
    pages: Math.ceil(all / PAGE_CARDS),
    counted: countedOf(shown),
    sample: shown.some(({ source }) => source === 'sample'),
  }
}
