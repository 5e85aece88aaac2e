/** What feeds show: the newest papers, of all topics, of some, of a search, or of one's own digests. */
import { asWithdrawn, cardOf } from '../core/digest/paper-card.ts'
import { explainedFits } from '../core/digest/quoted-phrases.ts'
import { dayReasonOf } from '../core/digest/reason.ts'
import { entryHtml, entryId, type FeedEntry } from '../core/feed/feed.ts'
import { GATE } from '../core/relevance/gate.ts'
import { plainLatex } from '../core/text/latex.ts'
import type { Keys } from '../core/token.ts'
import { topicBySlug } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import { type FeedPaper, readFeedPapers, readFeedPapersById } from '../store/papers/feed-papers.ts'
import { findNewest, type SearchProblem, type SearchRequest } from './archive/search.ts'
import { readOwnFeed } from './own-feed.ts'

/** As many as a reader that asks once a day may miss nothing of, two of the fullest days. */
const MAX_ENTRIES = 100
const LIST_DAYS = 14

export interface Feeds {
  /** The newest papers of topics (slugs), or of all where that is `null`. */
  readPapers(topics: readonly string[] | null): Promise<FeedEntry[]>
  /** The newest papers that a search finds, or why nothing can be; `null` where nothing was asked for. */
  readSearch(request: SearchRequest): Promise<FeedEntry[] | { problem: SearchProblem } | null>
  /** Those of a reader's last digests, by the token of their feed; `null` when it is unknown or dead. */
  readOwn(token: string): Promise<FeedEntry[] | null>
}

/**
 * An entry says why a paper is there by its topic and the words found, and has no counts: they are of a moment, and each
 * vote would be a new version of the feed.
 */
const entryOf = (
  { paper, listDay, published, updated, withdrawn, relevance }: FeedPaper,
  topics: readonly string[] | null,
  baseUrl: string,
): FeedEntry => {
  const fits = explainedFits(relevance)
  const fit = fits.find(({ topic }) => topics?.includes(topic)) ?? fits[0]
  const reason = dayReasonOf({
    topic: fit?.topic ?? null,
    matches: fit?.matches ?? [],
    upvotes: null,
    counts: [],
    total: 0,
  })
  const whole = cardOf(paper, { reason, upvotes: null, comments: null, shownOn: listDay })
  const card = withdrawn ? asWithdrawn(whole) : whole
  return {
    id: entryId(baseUrl, 'papers', paper.id),
    title: card.title,
    url: card.url,
    authors: paper.authors.map(plainLatex),
    published,
    updated,
    topics: fits.flatMap(({ topic }) => topicBySlug(topic)?.label ?? []),
    summary: card.excerpt,
    html: entryHtml(card),
  }
}

export const createFeeds = ({
  db,
  keys,
  now,
  baseUrl,
}: {
  db: Database
  keys: Keys
  now: () => Date
  baseUrl: string
}): Feeds => ({
  async readPapers(topics) {
    const papers = await readFeedPapers(db, now(), { topics, gate: GATE, days: LIST_DAYS, max: MAX_ENTRIES })
    return papers.map((paper) => entryOf(paper, topics, baseUrl))
  },
  async readSearch(request) {
    const found = await findNewest(db, now(), request, MAX_ENTRIES)
    if (found === null || 'problem' in found) return found
    const papers = await readFeedPapersById(db, now(), found, GATE)
    return papers.map((paper) => entryOf(paper, request.topic === '' ? null : [request.topic], baseUrl))
  },
  readOwn: (token) => readOwnFeed({ db, keys, baseUrl }, token),
})
