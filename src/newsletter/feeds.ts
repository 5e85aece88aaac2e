/** What feeds show: the newest papers, of all topics, of some, of a search, an author, an institution, or of one's own digests. */

import { utcMidnight } from '../core/calendar.ts'
import { endorsedBy } from '../core/digest/endorsement.ts'
import { asWithdrawn, cardOf } from '../core/digest/paper-card.ts'
import { explainedFits } from '../core/digest/quoted-phrases.ts'
import { dayReasonOf } from '../core/digest/reason.ts'
import { entryHtml, entryId, entryTopics, type FeedEntry } from '../core/feed/feed.ts'
import { GATE } from '../core/relevance/gate.ts'
import { plainLatex } from '../core/text/latex.ts'
import type { Keys } from '../core/token.ts'
import { type PaperPick, readPicks } from '../store/curations.ts'
import type { Database } from '../store/database.ts'
import { type FeedPaper, readFeedPapers, readFeedPapersById } from '../store/papers/feed-papers.ts'
import { readInstitution } from '../store/papers/institutions.ts'
import { readPapersBy, readPapersOfInstitution } from '../store/papers/paper-lists.ts'
import { readListDays } from '../store/papers/papers.ts'
import { writingsOf } from './archive/authors.ts'
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
  /** The newest papers of an author by a slug (`core/text/author-name`), and their name; `null` where none is held. */
  readAuthor(slug: string): Promise<{ name: string; entries: FeedEntry[] } | null>
  /** Those of an institution by its slug (`core/papers/paper`), likewise. */
  readInstitution(slug: string): Promise<{ name: string; entries: FeedEntry[] } | null>
  /** Those of a reader's last digests, by the token of their feed; `null` when it is unknown or dead. */
  readOwn(token: string): Promise<FeedEntry[] | null>
  /**
   * Since when a feed without entries may be said to have none: the beginning of the newest list day, or of today where none is
   * held. It stays the same for a day, as the feed does.
   */
  readEmptySince(): Promise<Date>
}

/**
 * An entry says why a paper is there by its topic, the words found and who picked it, and has no counts: they are of a moment,
 * and each vote would be a new version of the feed.
 */
const entryOf = (
  { paper, listDay, published, updated, withdrawn, relevance }: FeedPaper,
  topics: readonly string[] | null,
  pick: PaperPick | null,
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
    ...endorsedBy({ votes: 0, pick, pin: null }, false),
  })
  const whole = cardOf(paper, { reason, upvotes: null, comments: null, shownOn: listDay })
  const card = withdrawn ? asWithdrawn(whole) : whole
  return {
    id: entryId(baseUrl, 'papers', paper.id),
    title: card.title,
    url: card.url,
    authors: paper.authors.map(plainLatex),
    published,
    updated: pick !== null && pick.at > updated ? pick.at : updated,
    topics: entryTopics(relevance),
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
}): Feeds => {
  const entriesOf = async (
    papers: readonly FeedPaper[],
    topics: readonly string[] | null,
    at: Date,
  ): Promise<FeedEntry[]> => {
    const ids = papers.map(({ paper }) => paper.id)
    const picks = await readPicks(db, ids, at)
    return papers.map((one) => entryOf(one, topics, picks.get(one.paper.id) ?? null, baseUrl))
  }
  return {
    async readPapers(topics) {
      const at = now()
      const papers = await readFeedPapers(db, at, { topics, gate: GATE, days: LIST_DAYS, max: MAX_ENTRIES })
      return entriesOf(papers, topics, at)
    },
    async readSearch(request) {
      const at = now()
      const found = await findNewest(db, at, request, MAX_ENTRIES)
      if (found === null || 'problem' in found) return found
      const papers = await readFeedPapersById(db, at, found, GATE)
      return entriesOf(papers, request.topic === '' ? null : [request.topic], at)
    },
    async readAuthor(slug) {
      const at = now()
      const { ids } = await readPapersBy(db, at, slug, { offset: 0, limit: MAX_ENTRIES })
      const papers = await readFeedPapersById(db, at, ids, GATE)
      const [name = slug] = writingsOf(papers, slug)
      return papers.length === 0 ? null : { name, entries: await entriesOf(papers, null, at) }
    },
    async readInstitution(slug) {
      const at = now()
      const institution = await readInstitution(db, slug)
      if (institution === null) return null
      const { ids } = await readPapersOfInstitution(db, at, slug, { offset: 0, limit: MAX_ENTRIES })
      const papers = await readFeedPapersById(db, at, ids, GATE)
      if (papers.length === 0) return null
      return { name: institution.fullName, entries: await entriesOf(papers, null, at) }
    },
    readOwn: (token) => readOwnFeed({ db, keys, now, baseUrl }, token),
    async readEmptySince() {
      const at = now()
      const [newest] = await readListDays(db, at, 1)
      return utcMidnight(newest ?? at.toISOString().slice(0, 10))
    },
  }
}
