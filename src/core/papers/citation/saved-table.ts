/** A reading list as a table for spreadsheets, and as bare arXiv ids. */
import { csvOf } from '../../text/csv.ts'
import { ARXIV_ID } from '../paper.ts'
import { type CitedPaper, citationsOf, dateText } from './citation.ts'

/** A paper of a reading list; dates are `YYYY-MM-DD`, of UTC. */
export interface SavedCitation extends CitedPaper {
  savedOn: string
  /** `null`: it is still to be read. */
  readOn: string | null
  /** Of the digest that had it, as far as one is known. */
  digestDate: string | null
}

const COLUMNS = ['id', 'title', 'authors', 'date', 'url', 'doi', 'saved', 'read', 'digest', 'withdrawn']

/** CSV with a line for each paper, in their order, below one with the names of its columns. */
export const savedCsvOf = (saved: readonly SavedCitation[]): string => {
  const citations = citationsOf(saved)
  return csvOf([
    COLUMNS,
    ...saved.map(({ paper, savedOn, readOn, digestDate, withdrawn }, n) => {
      const citation = citations[n]
      const names = citation?.names.map((name) =>
        'literal' in name
          ? name.literal
          : [name.given, name.particle, name.family, name.suffix].filter(Boolean).join(' '),
      )
      return [
        paper.id,
        citation?.title ?? '',
        names?.join('; ') ?? '',
        citation === undefined ? '' : dateText(citation, '-'),
        citation?.url ?? '',
        citation?.doi ?? '',
        savedOn,
        readOn ?? '',
        digestDate ?? '',
        withdrawn ? 'yes' : '',
      ]
    }),
  ])
}

/** The arXiv ids of papers, one a line; papers that are not at arXiv are left out. */
export const arxivIdsOf = (papers: readonly CitedPaper[]): string =>
  papers
    .filter(({ paper }) => ARXIV_ID.test(paper.id))
    .map(({ paper }) => `${paper.id}\n`)
    .join('')
