/** A digest opened in the browser. */
import type { DigestIssue, PaperCard } from '../../core/digest/digest.ts'
import { papersOf } from '../../core/digest/headline.ts'
import { asWithdrawn } from '../../core/digest/paper-card.ts'
import type { Keys } from '../../core/token.ts'
import type { Database } from '../../store/database.ts'
import { readWithdrawn } from '../../store/papers/paper-news.ts'
import { findLinkedDigest } from '../digest-link.ts'
import { readIssue } from '../publishing/issue.ts'

/** A digest as it was sent, save that of papers which were withdrawn since it says so. */
const markWithdrawn = async (db: Database, issue: DigestIssue): Promise<DigestIssue> => {
  const { cards, also = [], sections, trendingExtras } = issue
  const withdrawn = await readWithdrawn(
    db,
    papersOf(issue).map(({ id }) => id),
  )
  const mark = (card: PaperCard): PaperCard => (withdrawn.has(card.id) ? asWithdrawn(card) : card)
  return {
    ...issue,
    cards: cards.map(mark),
    ...(also.length === 0 ? {} : { also: also.map(mark) }),
    ...(sections === undefined
      ? {}
      : { sections: sections.map((section) => ({ ...section, cards: section.cards.map(mark) })) }),
    trendingExtras: trendingExtras.map(mark),
  }
}

/** A digest by the token of its mail, with a note where a paper was withdrawn since; `null` when the link is unknown or dead. */
export const readDigestPage = async (db: Database, keys: Keys, token: string): Promise<DigestIssue | null> => {
  const digest = await findLinkedDigest(db, keys, token)
  return digest === null ? null : markWithdrawn(db, await readIssue(db, digest))
}
