/** A digest for programs: what its mail and page show, as JSON with the reasons. */
import type { DigestIssue, PaperCard } from './digest.ts'

/** How a paper came into a digest: by what is followed, in full or in short, by a group, or as one that trends beyond it. */
type Section = 'followed' | 'also' | 'group' | 'trending'

const paperOf = (card: PaperCard, section: Section, topic: string | null) => ({
  id: card.id,
  title: card.title,
  url: card.url,
  section,
  /** Of a digest that is grouped by topics. */
  ...(topic === null ? {} : { topic }),
  reason: card.reason,
  excerpt: card.excerpt,
  /** The line below the title: "A, B, … Z (12)". */
  authors: card.authors,
  authorNames: card.authorNames ?? [],
  links: card.links,
  upvotes: card.upvotes,
  seeAlso: card.seeAlso,
})

/**
 * The digest as an object: `papers` in its order, `news` of earlier ones, and what it was chosen from. Dates are
 * `YYYY-MM-DD`, `cutoff` is an ISO instant. Nothing of its reader is in it but what the digest's topics tell.
 */
export const digestJsonOf = ({
  cards,
  also = [],
  sections = [],
  trendingExtras,
  groups,
  news,
  ...issue
}: DigestIssue) => {
  const topics = groups.flatMap(({ label, papers }) => Array.from({ length: papers }, () => label))
  return {
    kind: issue.kind,
    date: issue.localDate,
    listDays: issue.listDays,
    listed: issue.listed,
    cutoff: issue.cutoff,
    follows: issue.topics,
    note: issue.note,
    sample: issue.sample,
    papers: [
      ...cards.map((card, at) => paperOf(card, 'followed', topics[at] ?? null)),
      ...also.map((card) => paperOf(card, 'also', null)),
      ...sections.flatMap(({ name, cards: own }) =>
        own.map((card) => ({ ...paperOf(card, 'group', null), group: name })),
      ),
      ...trendingExtras.map((card) => paperOf(card, 'trending', null)),
    ],
    news,
  }
}
