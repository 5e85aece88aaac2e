/** Everything that the site shows of one paper. */

import type { CuratorPick } from '../../core/digest/digest.ts'
import { LEAST_READERS, shownPick } from '../../core/digest/endorsement.ts'
import { dayReasonOf } from '../../core/digest/reason.ts'
import { ARXIV_ID, type Institution, type Paper } from '../../core/papers/paper.ts'
import type { NewsKind } from '../../core/papers/paper-news.ts'
import { rareTerms } from '../../core/relevance/rare-terms.ts'
import { authorSlug } from '../../core/text/author-name.ts'
import { plainLatex, plainTitle } from '../../core/text/latex.ts'
import type { Database } from '../../store/database.ts'
import { type PaperDigests, readDigestsOf } from '../../store/papers/paper-digests.ts'
import { readNewsOf, readShownPapers, readSimilar, readUpvoteHistory } from '../../store/papers/paper-lists.ts'
import { readListedDays } from '../../store/papers/papers.ts'
import { readVenueOf } from '../../store/papers/venues.ts'
import { type Counted, type ListCard, listCardOf, shownTopics } from './card-list.ts'

export interface PaperPage {
  card: ListCard
  /** As the sources wrote it, LaTeX included: what citations are made of. */
  paper: Paper
  title: string
  /** Whole where it is arXiv's, whose metadata are free for all (CC0), or a sample of our own words; else `null`: the card has an excerpt. */
  abstract: string | null
  /** In the paper's order; `slug` is empty for a name that has no page. */
  authors: { name: string; slug: string }[]
  /** The organisation that it is linked to at its source; `null` where none is named. */
  institution: Institution | null
  /** The topics it is listed under, best first, with the words found in it: `“GUI agents” in the title`. */
  topics: { slug: string; label: string; why: string }[]
  /** Its place among the papers of its day, such as `2nd of 26`; empty where that is not known. */
  rank: string
  firstSeenAt: Date
  /** Its first day on a list of Hugging Face, `YYYY-MM-DD`; `null` where it has not been on one. */
  listedOn: string | null
  /** The digests it was in; `null` where fewer than `LEAST_DIGESTS` were. */
  digests: PaperDigests | null
  stars: number | null
  /** How many readers here voted for it; `null` where fewer than `LEAST_READERS` did. */
  votes: number | null
  /** Which curator picked it, and why, the note whole; `null` where none did. */
  pick: CuratorPick | null
  counted: Counted | null
  withdrawn: boolean
  /** `accepted at ICML 2026`; `null` where that is not known, or the paper is withdrawn. */
  venue: string | null
  /** Upvotes as they were seen, the oldest first. */
  history: (Counted & { upvotes: number })[]
  /** The oldest first. */
  news: { kind: NewsKind; version: number | null; venue: string | null; seenAt: Date }[]
  /** Papers that share its rare terms, the likest first. */
  similar: ListCard[]
  sample: boolean
}

const MAX_SIMILAR = 5
/** Characters; a note is shorter. */
const WHOLE_NOTE = 1_000
/**
 * Each digest is another reader's, for none is sent a paper twice. Of fewer nothing is said: where readers are few and known,
 * it would tell what one of them follows.
 */
const LEAST_DIGESTS = 5
/** Papers and counts of the sample are made up by us; what a file holds may be anybody's text. */
const hasFreeAbstract = (id: string): boolean => ARXIV_ID.test(id)

/** The page of a paper; `null` where it is not held by then. */
export const readPaperPage = async (db: Database, at: Date, id: string): Promise<PaperPage | null> => {
  const [shown] = await readShownPapers(db, at, [id])
  if (shown === undefined) return null
  const { paper, listDay, withdrawn, upvotes, votes, pick } = shown
  const [history, news, digests, day, similarIds, venue] = await Promise.all([
    readUpvoteHistory(db, at, id),
    readNewsOf(db, at, id),
    readDigestsOf(db, id),
    readListedDays(db, at, listDay, listDay),
    readSimilar(db, at, id, rareTerms(paper), MAX_SIMILAR),
    readVenueOf(db, id),
  ])
  const similar = await readShownPapers(db, at, similarIds)
  const listed = day.get(listDay)
  const topics = withdrawn ? [] : shownTopics(shown)
  const ranked = { upvotes, counts: listed?.upvotes ?? [], total: listed?.papers ?? 0 }
  return {
    card: listCardOf(shown),
    paper,
    title: plainTitle(paper.title),
    abstract: hasFreeAbstract(id) && shown.source !== 'file' ? plainLatex(paper.abstract) : null,
    authors: paper.authors.map((name) => ({ name: plainLatex(name), slug: authorSlug(name) })),
    institution: shown.institution,
    topics: topics.map(({ topic, fit }) => ({
      slug: topic.slug,
      label: topic.label,
      why: dayReasonOf({ topic: null, matches: fit.matches, upvotes: null, counts: [], total: 0 }),
    })),
    rank: withdrawn ? '' : dayReasonOf({ topic: null, matches: [], ...ranked }),
    firstSeenAt: shown.firstSeenAt,
    listedOn: shown.listedOn,
    digests: digests === null || digests.count < LEAST_DIGESTS ? null : digests,
    stars: shown.stars,
    votes: votes < LEAST_READERS ? null : votes,
    pick: withdrawn || pick === null ? null : shownPick(pick, WHOLE_NOTE),
    counted: upvotes === null ? null : { at: shown.observedAt, hourKnown: shown.hourKnown },
    withdrawn,
    venue: withdrawn ? null : venue,
    history: withdrawn ? [] : history,
    news,
    similar: similar.map((other) => listCardOf(other)),
    sample: shown.source === 'sample',
  }
}
