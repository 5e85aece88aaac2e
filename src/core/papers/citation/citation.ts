/** What is cited of a paper, the same in every format: its names, date, identifiers, and a key that stays the same. */
import { nameWords } from '../../text/author-name.ts'
import { plainLatex, plainTitle } from '../../text/latex.ts'
import { ARXIV_ID, type Paper, serverOf } from '../paper.ts'
import { type CitedName, readPersonName } from './person-name.ts'

/** A paper that is to be cited. */
export interface CitedPaper {
  paper: Paper
  withdrawn: boolean
}

/** Texts are plain: no LaTeX, no markup, one line each. */
export interface Citation {
  /** Unique among the citations of one file, of `a-z`, `0-9`, `.`, `:` and `-`. */
  key: string
  title: string
  names: CitedName[]
  /** As far as it is known. */
  date: { year: number; month: number | null; day: number | null } | null
  /** The server of preprints that it is at; `null` where we know of none. */
  server: string | null
  /** The arXiv id; `null` for a paper that is not there, and then it has no class. */
  arxivId: string | null
  /** The first of its arXiv categories, where they are known. */
  primaryClass: string | null
  categories: string[]
  /** https */
  url: string | null
  doi: string | null
  /** arXiv gives metadata to all (CC0), so of papers there; empty for others. */
  abstract: string
  withdrawn: boolean
}

/** The year and month in which arXiv gave an id; its first papers are of 1991. */
const monthOfId = (id: string): { year: number; month: number } | null => {
  const [, yy, mm] = /^(?:[a-z-]+(?:\.[A-Z]{2})?\/)?(\d\d)(\d\d)/.exec(ARXIV_ID.test(id) ? id : '') ?? []
  const month = Number(mm)
  if (yy === undefined || !(month >= 1 && month <= 12)) return null
  return { year: Number(yy) + (Number(yy) > 90 ? 1900 : 2000), month }
}

/** The date of its first version: a source may date a paper by a later one, which the id of arXiv shows. */
const dateOf = ({ id, publishedOn }: Paper): Citation['date'] => {
  const [year = 0, month = 0, day = 0] = (publishedOn ?? '').split('-').map(Number)
  const ofId = monthOfId(id)
  if (ofId !== null) return { ...ofId, day: ofId.year === year && ofId.month === month ? day : null }
  return publishedOn === null ? null : { year, month, day }
}

/** Words that say nothing of a paper, left out of keys. */
const EMPTY_WORDS = new Set(
  'a an the on of for in to with and or from by at is are can how what why when do does via towards toward into as we you your not be it its using'.split(
    ' ',
  ),
)
/** Surnames and titles in whole sentences have no place in a key. */
const MAX_KEY_PART = 30

const asciiOf = (text: string): string =>
  nameWords(text)
    .join('')
    .replace(/[^a-z0-9]/g, '')
    .slice(0, MAX_KEY_PART)

const titleWords = (title: string): string =>
  title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word.length > 1 && !EMPTY_WORDS.has(word))
    .slice(0, 3)
    .join('')
    .slice(0, MAX_KEY_PART)

/**
 * Surname, year and three words of the title, as arXiv makes it: `vaswani2017attentionallneed`. It depends on the paper alone,
 * so that one paper has one key in every file; three words, for with one of them a third of the papers of two years would
 * share their keys.
 */
const keyOf = ({ id }: Paper, title: string, names: CitedName[], date: Citation['date']): string => {
  const [first] = names
  const surname = first === undefined ? '' : asciiOf('literal' in first ? first.literal : first.family)
  const words = titleWords(title)
  const year = date === null ? '' : String(date.year)
  return surname === '' || words === '' ? `paper:${idInKey(id)}` : `${surname}${year}${words}`
}

const idInKey = (id: string): string => id.toLowerCase().replace(/[^a-z0-9.:-]+/g, '-')

const citationOf = ({ paper, withdrawn }: CitedPaper): Citation => {
  const names = paper.authors.map(readPersonName)
  // A title of braces alone has no plain form.
  const title = plainTitle(paper.title) || paper.title
  const date = dateOf(paper)
  const server = serverOf(paper.id)
  const arxivId = server?.name === 'arXiv' ? paper.id : null
  return {
    key: keyOf(paper, title, names, date),
    title,
    names,
    date,
    server: server?.name ?? null,
    arxivId,
    primaryClass: arxivId === null ? null : (paper.categories[0] ?? null),
    categories: paper.categories,
    url: server?.page ?? paper.discussionUrl ?? paper.projectUrl ?? paper.codeUrl,
    doi: server?.doi ?? null,
    abstract: arxivId === null ? '' : plainLatex(paper.abstract),
    withdrawn,
  }
}

/** The citations of papers, in their order. Those whose keys would be the same have their ids in them. */
export const citationsOf = (cited: readonly CitedPaper[]): Citation[] => {
  const citations = cited.map(citationOf)
  const withKey = Map.groupBy(citations, ({ key }) => key)
  return citations.map((citation, at) => {
    const shared = (withKey.get(citation.key)?.length ?? 0) > 1
    return shared ? { ...citation, key: `${citation.key}:${idInKey(cited[at]?.paper.id ?? '')}` } : citation
  })
}

/** `2026-04-09` with another mark between its parts, or what is known of it: `2026-04`. */
export const dateText = ({ date }: Citation, mark: string): string =>
  date === null
    ? ''
    : [date.year, date.month, date.day]
        .filter((part) => part !== null)
        .map((part) => String(part).padStart(2, '0'))
        .join(mark)
