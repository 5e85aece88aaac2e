/** What somebody may want to follow, by the library that they have: topics, keywords and authors, each with how often it is there. */
import type { TopicQuality } from '../relevance/model.ts'
import type { TopicRelevance } from '../relevance/relevance.ts'
import type { Vocabulary } from '../relevance/terms.ts'
import { ABSTRACT_LENGTH } from '../text/text.ts'
import type { Topic } from '../topics.ts'
import type { LibraryFormat, LibraryReading } from './library.ts'
import { type LibraryEntry, type LibraryFault, plainText } from './library-entry.ts'
import { type SuggestedAuthor, suggestAuthors } from './suggested-authors.ts'
import { type SuggestedKeyword, suggestKeywords } from './suggested-keywords.ts'
import { type SuggestedTopic, suggestTopics } from './suggested-topics.ts'

export interface LibrarySuggestions {
  format: LibraryFormat | null
  /** Entries that could be read, each paper once. */
  read: number
  /** Of these the newest, by which all is suggested: entries with a title of their own or of the archive's. */
  used: number
  /** Entries that are an id alone, of papers that are not held here. */
  notHeld: number
  topics: SuggestedTopic[]
  keywords: SuggestedKeyword[]
  authors: SuggestedAuthor[]
  faults: LibraryFault[]
}

/** What a paper lends to an entry that names it. */
export interface HeldPaper {
  id: string
  title: string
  abstract: string
  authors: string[]
}

/** How papers are scored and phrases counted: by the model in use. */
export interface LibraryJudge {
  topics: readonly Topic[]
  score: (paper: { title: string; abstract: string }) => readonly TopicRelevance[]
  vocabulary: Vocabulary
  measured: readonly TopicQuality[]
  /** The papers that `measured` was counted on. */
  judged: number
}

/** The newest of a larger library tell as much, and take no longer than somebody waits. */
export const MOST_USED = 1_500

/** The ids of papers that may lend something. */
export const lendableIds = ({ entries }: LibraryReading): string[] => [
  ...new Set(
    entries.flatMap(({ paperId, title, abstract }) =>
      paperId !== null && (title === '' || abstract === '') ? [paperId] : [],
    ),
  ),
]

const lend = (entry: LibraryEntry, held: ReadonlyMap<string, HeldPaper>): LibraryEntry => {
  const paper = entry.paperId === null ? undefined : held.get(entry.paperId)
  if (paper === undefined) return entry
  return {
    ...entry,
    title: entry.title || paper.title,
    abstract: entry.abstract || paper.abstract,
    authors: entry.authors.length > 0 ? entry.authors : paper.authors,
    year: entry.year ?? yearOfId(paper.id),
  }
}

/** The year in an arXiv id of the new style. */
const yearOfId = (id: string): number | null => (/^\d{4}\.\d/.test(id) ? 2000 + Number(id.slice(0, 2)) : null)

/** Suggests by a library; `held` are the papers of the archive that its entries name. */
export const suggestByLibrary = (
  { format, entries, faults }: LibraryReading,
  held: readonly HeldPaper[],
  judge: LibraryJudge,
): LibrarySuggestions => {
  const byId = new Map(held.map((paper) => [paper.id, paper]))
  const lent = entries.map((entry) => lend(entry, byId))
  const titled = lent.filter(({ title }) => title !== '')
  const used = titled
    .toSorted((a, b) => (b.year ?? 0) - (a.year ?? 0))
    .slice(0, MOST_USED)
    .map((entry) => ({ ...entry, abstract: plainText(entry.abstract, ABSTRACT_LENGTH) }))
  const counts = { format, read: entries.length, used: used.length, notHeld: lent.length - titled.length, faults }
  if (used.length === 0) return { ...counts, topics: [], keywords: [], authors: [] }
  const topics = suggestTopics(used, judge.score, judge)
  const chosen = new Set(topics.flatMap(({ slug, chosen }) => (chosen ? [slug] : [])))
  const taken = judge.topics.filter(({ slug }) => chosen.has(slug)).flatMap(({ label, strong }) => [label, ...strong])
  return { ...counts, topics, keywords: suggestKeywords(used, judge.vocabulary, taken), authors: suggestAuthors(used) }
}
