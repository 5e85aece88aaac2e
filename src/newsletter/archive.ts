/** What anyone may read on the site: the papers of a list day, and a digest opened in the browser. */
import type { DigestIssue, PaperCard } from '../core/digest/digest.ts'
import { asWithdrawn, cardOf } from '../core/digest/paper-card.ts'
import { explainedFits } from '../core/digest/quoted-phrases.ts'
import { dayReasonOf } from '../core/digest/reason.ts'
import { GATE } from '../core/relevance/gate.ts'
import type { Keys } from '../core/token.ts'
import { topicBySlug } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import { readWithdrawn } from '../store/papers/paper-news.ts'
import { readCandidates, readListDays, readListDaysAround, readTexts } from '../store/papers/papers.ts'
import { findLinkedDigest } from './digest-link.ts'
import { readIssue } from './publishing/issue.ts'

export interface DayPage {
  /** `YYYY-MM-DD` */
  listDay: string
  /** Most upvoted first; those withdrawn last, with nothing but their title and authors. */
  cards: (PaperCard & { topic: { slug: string; label: string } | null })[]
  /** How many papers are listed that day. */
  total: number
  /** Up to five list days held, oldest first, for going from day to day; `listDay` is one of them. */
  days: string[]
  sample: boolean
}

export interface Archive {
  /** The newest list day held by now, or the one asked for; `null` when nothing is held (of it). */
  readDay(listDay?: string): Promise<DayPage | null>
  /** A digest by the token of its mail, with a note where a paper was withdrawn since; `null` when the link is unknown or dead. */
  readDigest(token: string): Promise<DigestIssue | null>
}

/** As many days as stand side by side on a phone. */
const DAYS_SHOWN = 5

/** Neighbouring days with the one shown among them, as near their middle as the ends allow. */
const neighboursOf = (days: string[], shown: string): string[] => {
  const start = Math.max(0, Math.min(days.indexOf(shown) - Math.floor(DAYS_SHOWN / 2), days.length - DAYS_SHOWN))
  return days.slice(start, start + DAYS_SHOWN)
}

/** A digest as it was sent, save that of papers which were withdrawn since it says so. */
const markWithdrawn = async (db: Database, issue: DigestIssue): Promise<DigestIssue> => {
  const { cards, also = [], trendingExtras } = issue
  const withdrawn = await readWithdrawn(
    db,
    [...cards, ...also, ...trendingExtras].map(({ id }) => id),
  )
  const mark = (card: PaperCard): PaperCard => (withdrawn.has(card.id) ? asWithdrawn(card) : card)
  return {
    ...issue,
    cards: cards.map(mark),
    ...(also.length === 0 ? {} : { also: also.map(mark) }),
    trendingExtras: trendingExtras.map(mark),
  }
}

export const createArchive = ({ db, keys, now }: { db: Database; keys: Keys; now: () => Date }): Archive => ({
  async readDay(listDay) {
    const at = now()
    const days =
      listDay === undefined
        ? (await readListDays(db, at, DAYS_SHOWN)).reverse()
        : await readListDaysAround(db, at, listDay, DAYS_SHOWN - 1)
    const shown = listDay ?? days.at(-1)
    if (shown === undefined || !days.includes(shown)) return null
    const papers = await readCandidates(db, at, { listDays: [shown] })
    papers.sort(
      (a, b) =>
        Number(a.withdrawn) - Number(b.withdrawn) || (b.upvotes ?? -1) - (a.upvotes ?? -1) || a.id.localeCompare(b.id),
    )
    const texts = await readTexts(
      db,
      papers.map((paper) => ({ paperId: paper.id, revision: paper.revision })),
    )
    const counts = papers.flatMap((paper) => paper.upvotes ?? [])
    return {
      listDay: shown,
      cards: papers.flatMap((paper) => {
        const text = texts.get(paper.id)
        if (text === undefined) return []
        if (paper.withdrawn)
          return [{ ...asWithdrawn(cardOf(text, { reason: '', upvotes: null, comments: null })), topic: null }]
        // A lower score may hang on one common word: a page that names a topic must be able to stand by it.
        const [best] = explainedFits(paper.relevance.filter((one) => one.score >= GATE))
        const topic = best === undefined ? undefined : topicBySlug(best.topic)
        const reason = dayReasonOf({
          topic: best?.topic ?? null,
          matches: best?.matches ?? [],
          upvotes: paper.upvotes,
          counts,
          total: papers.length,
        })
        const card = cardOf(text, { reason, upvotes: paper.upvotes, comments: paper.comments, shownOn: paper.listDay })
        return { ...card, topic: topic === undefined ? null : { slug: topic.slug, label: topic.label } }
      }),
      total: papers.length,
      days: neighboursOf(days, shown),
      sample: papers.some((paper) => paper.source === 'sample'),
    }
  },

  async readDigest(token) {
    const digest = await findLinkedDigest(db, keys, token)
    return digest === null ? null : markWithdrawn(db, await readIssue(db, digest))
  },
})
