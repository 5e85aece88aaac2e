/** A reader's own feed: the papers of their last digests with the reasons, by a link of its own. */
import { asWithdrawn } from '../core/digest/paper-card.ts'
import { entryHtml, entryId, type FeedEntry } from '../core/feed/feed.ts'
import { isSubscribed } from '../core/subscriber/preferences.ts'
import type { Keys } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { type Digest, readLastDigests } from '../store/digests.ts'
import { readWithdrawn } from '../store/papers/paper-news.ts'
import { readIssue } from './publishing/issue.ts'
import { findTokenOwner } from './subscription/token-owner.ts'

/** A feed reader that asks once a week misses nothing. */
const MAX_DIGESTS = 10

const entriesOf = async (db: Database, digest: Digest, baseUrl: string): Promise<FeedEntry[]> => {
  const { cards, also = [], trendingExtras } = await readIssue(db, digest)
  const all = [...cards, ...also, ...trendingExtras]
  const withdrawn = await readWithdrawn(
    db,
    all.map(({ id }) => id),
  )
  return all.map((card) => {
    const withdrawnAt = withdrawn.get(card.id)
    const shown = withdrawnAt === undefined ? card : asWithdrawn(card)
    return {
      id: entryId(baseUrl, 'digests', card.id),
      title: shown.title,
      url: shown.url,
      authors: [],
      published: digest.cutoff,
      updated: withdrawnAt !== undefined && withdrawnAt > digest.cutoff ? withdrawnAt : digest.cutoff,
      topics: [],
      summary: shown.excerpt,
      html: entryHtml(shown),
    }
  })
}

/** The entries of one's digests, the newest first; `null` when the link is unknown or dead, or its owner not subscribed. */
export const readOwnFeed = async (
  { db, keys, baseUrl }: { db: Database; keys: Keys; baseUrl: string },
  token: string,
): Promise<FeedEntry[] | null> => {
  const owner = await findTokenOwner(db, keys, 'feed', token)
  if (owner === null || !isSubscribed(owner.state)) return null
  const digests = await readLastDigests(db, owner.id, MAX_DIGESTS)
  return (await Promise.all(digests.map((digest) => entriesOf(db, digest, baseUrl)))).flat()
}
