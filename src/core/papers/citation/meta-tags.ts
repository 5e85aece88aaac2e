/** What a paper's page says of it in its head, for reference managers and search engines of scholars. */
import { serverOf } from '../paper.ts'
import { type CitedPaper, citationsOf, dateText } from './citation.ts'
import { invertedName } from './person-name.ts'

export interface MetaTag {
  name: string
  content: string
}

/** Of more authors the first are named, for a page has 60 kB: the files of its citation have all. */
const MAX_AUTHORS = 300
/** Dublin Core says again what the other tags say. */
const MAX_CREATORS = 100

/**
 * `citation_*` as Google Scholar reads it, an author a tag (https://scholar.google.com/intl/en/scholar/inclusion.html), and
 * Dublin Core, which tells Zotero that it is a preprint.
 */
export const metaTagsOf = (cited: CitedPaper): MetaTag[] => {
  const [citation] = citationsOf([cited])
  if (citation === undefined) return []
  const { title, names, arxivId, server, doi, url, abstract } = citation
  const authors = names.map(invertedName)
  const tags: (readonly [name: string, content: string | null])[] = [
    ['citation_title', title],
    ...authors.slice(0, MAX_AUTHORS).map((author) => ['citation_author', author] as const),
    ['citation_publication_date', dateText(citation, '/')],
    ['citation_arxiv_id', arxivId],
    ['citation_doi', doi],
    ['citation_abstract', abstract],
    ['citation_abstract_html_url', url],
    ['citation_pdf_url', serverOf(cited.paper.id)?.pdf ?? null],
    ['DC.type', 'preprint'],
    ['DC.title', title],
    ...(authors.length > MAX_CREATORS ? [] : authors).map((author) => ['DC.creator', author] as const),
    ['DC.date', dateText(citation, '-')],
    ['DC.identifier', doi === null ? url : `doi:${doi}`],
    ['DC.publisher', server],
  ]
  return tags.flatMap(([name, content]) => (content === null || content === '' ? [] : [{ name, content }]))
}
