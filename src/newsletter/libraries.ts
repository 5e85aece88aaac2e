/** What somebody may want to follow, by the library of their reference manager, of which nothing is kept. */
import { findBroadAuthor } from '../core/digest/broad-author.ts'
import type { HeldPaper, LibrarySuggestions } from '../core/library/library-suggestions.ts'
import type { Database } from '../store/database.ts'
import { readCurrentPapers } from '../store/papers/current-papers.ts'
import { type CandidateCache, createCandidateCache, WEEKS_COUNTED } from './publishing/candidate-cache.ts'

/** Reads the octets of a library and suggests by it, with the help of papers that are held. */
export type ReadLibrary = (
  octets: Uint8Array,
  lend: (ids: string[]) => Promise<HeldPaper[]>,
) => Promise<LibrarySuggestions>

export interface Libraries {
  /**
   * Suggests by a library, whose octets are given away. Left out is what would bring too much of the last weeks: a phrase of
   * many papers, and a name that several authors have. Throws what `ReadLibrary` throws.
   */
  suggest(octets: Uint8Array): Promise<LibrarySuggestions>
}

/** A keyword that so large a share of the papers of the last weeks hold brings a topic's worth of them. */
const MOST_COMMON = 0.04
/** Of fewer papers a share means nothing. */
const ENOUGH_PAPERS = 200
/** Ids of one query. */
const PART = 2_000

const lendFrom =
  (db: Database, now: () => Date) =>
  async (ids: string[]): Promise<HeldPaper[]> => {
    const held: HeldPaper[] = []
    for (let from = 0; from < ids.length; from += PART) {
      const papers = await readCurrentPapers(db, now(), { ids: ids.slice(from, from + PART) })
      held.push(...papers.map(({ paper: { id, title, abstract, authors } }) => ({ id, title, abstract, authors })))
    }
    return held
  }

export const createLibraries = ({
  db,
  now,
  readLibrary,
  candidates = createCandidateCache({ db, now }),
}: {
  db: Database
  now: () => Date
  readLibrary: ReadLibrary
  candidates?: CandidateCache
}): Libraries => {
  const lend = lendFrom(db, now)
  return {
    async suggest(octets) {
      const suggestions = await readLibrary(octets, lend)
      if (suggestions.used === 0) return suggestions
      const { papers, index } = await candidates.month()
      const isCommon = (keyword: string): boolean =>
        papers.length >= ENOUGH_PAPERS && index.findPhrase(keyword).size > MOST_COMMON * papers.length
      return {
        ...suggestions,
        keywords: suggestions.keywords.filter(({ keyword }) => !isCommon(keyword)),
        authors: suggestions.authors.filter(
          ({ name }) => findBroadAuthor(name, index.findAuthor(name), WEEKS_COUNTED) === null,
        ),
      }
    },
  }
}
