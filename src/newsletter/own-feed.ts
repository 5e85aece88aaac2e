/** A reader's own feed: the papers of their last digests with the reasons, by a link of its own. */
import type { PaperCard } from '../core/digest/digest.ts'
import { papersOf } from '../core/digest/headline.ts'
import { asWithdrawn } from '../core/digest/paper-card.ts'
import { entryHtml, entryId, entryTopics, type FeedEntry } from '../core/feed/feed.ts'
import { GATE } from '../core/relevance/gate.ts'
import { isSubscribed } from '../core/subscriber/preferences.ts'
import type { Keys } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { readLastDigests } from '../store/digests.ts'
import { readFeedPapersById } from '../store/papers/feed-papers.ts'
import { readWithdrawn } from '../store/papers/paper-news.ts'
import { readIssue } from './publishing/issue.ts'
import { findTokenOwner } from './subscription/token-owner.ts'

/** A feed reader that asks once a week misses nothing. */
const MAX_DIGESTS = 10

const entryOf = (
  card: PaperCard,
  { cutoff, withdrawnAt, topics }: { cutoff: Date; withdrawnAt: Date | undefined; topics: string[] },
  baseUrl: string,
): FeedEntry => {
  const shown = withdrawnAt === undefined ? card : asWithdrawn(card)
  return {
    id: entryId(baseUrl, 'digests', card.id),
    title: shown.title,
    url: shown.url,
    authors: card.authorNames ?? [],
    published: cutoff,
    updated: withdrawnAt !== undefined && withdrawnAt > cutoff ? withdrawnAt : cutoff,
    topics,
    summary: shown.excerpt,
    html: entryHtml(shown),
  }
}

/** The entries of one's digests, the newest first; `null` when the link is unknown or dead, or its owner not subscribed. */
export const readOwnFeed = async (
  { db, keys, now, baseUrl }: { db: Database; keys: Keys; now: () => Date; baseUrl: string },
  token: string,
): Promise<FeedEntry[] | null> => {
  const owner = await findTokenOwner(db, keys, 'feed', token)
  if (owner === null || !isSubscribed(owner.state)) return null
  const digests = await readLastDigests(db, owner.id, MAX_DIGESTS)
  const papersOfDigest = async (digest: (typeof digests)[number]) =>
    papersOf(await readIssue(db, digest)).map((card) => ({ card, cutoff: digest.cutoff }))
  const papers = (await Promise.all(digests.map(papersOfDigest))).flat()
  const ids = papers.map(({ card }) => card.id)
  const withdrawn = await readWithdrawn(db, ids)
  const known = await readFeedPapersById(db, now(), ids, GATE)
  const topics = new Map(known.map(({ paper, relevance }) => [paper.id, entryTopics(relevance)]))
  return papers.map(({ card, cutoff }) => {
    const of = { cutoff, withdrawnAt: withdrawn.get(card.id), topics: topics.get(card.id) ?? [] }
    return entryOf(card, of, baseUrl)
  })
}
