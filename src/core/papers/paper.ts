/** A research paper as the service knows it, and what sources said of it. */

/** The texts and links of a paper; every string has been cleaned by `core/text`. */
export interface Paper {
  /** The arXiv id without version, such as `2604.11784`, or `source:id` for a paper that has none, such as `biorxiv:10.1101/2026.04.01.123456`. */
  id: string
  title: string
  /** Empty where the source gave none. */
  abstract: string
  /** In the paper's own order; may be empty, and has held 573 names. */
  authors: string[]
  /** Submission date at arXiv, `YYYY-MM-DD`, where known. */
  publishedOn: string | null
  /** Its source's categories, such as `cs.CL` or `cell-biology`, where known. */
  categories: string[]
  /** https links, `null` where there is none. */
  codeUrl: string | null
  projectUrl: string | null
  discussionUrl: string | null
}

/** What a source said of a paper at one time. `null` is "the source gives no such count". */
export interface Observation {
  at: Date
  /** False when only the day is known; then `at` is 09:00 UTC of it and no hour is shown to readers. */
  hourKnown: boolean
  upvotes: number | null
  comments: number | null
  stars: number | null
}

/**
 * An organisation that a source links a paper to. Hugging Face names those that authors or whoever submitted the paper chose
 * there: at least one author is of it as a rule, and others may not be.
 */
export interface Institution {
  /** As its source knows it, `INSTITUTION_NAME`: `ByteDance-Seed`. */
  name: string
  /** For readers, one line. */
  fullName: string
}

/** What the name of an institution is made of: it is part of addresses. */
export const INSTITUTION_NAME = /^[A-Za-z0-9][\w.-]{0,99}$/

/** An institution's name as the address of its page has it. No two of Hugging Face differ by capitals alone. */
export const institutionSlug = (name: string): string => name.toLowerCase()

/** One row of a source's list: a paper, the list day it stands under, and the counts seen there. */
export interface Listing {
  paper: Paper
  /** The institution that the source links it to; absent where it names none. */
  institution?: Institution
  /** The source's list day, `YYYY-MM-DD`. */
  listDay: string
  observation: Observation
}

/** Where papers come from. `sample` is the small set that ships with the project. */
export type SourceName = 'huggingface' | 'file' | 'sample' | 'arxiv' | 'biorxiv' | 'medrxiv'

/** Sources that count nothing: what they observe is that a paper is there. */
export const COUNTS_NOTHING: ReadonlySet<SourceName> = new Set(['arxiv', 'biorxiv', 'medrxiv'])

/** What any id of a paper is made of; the database refuses some of what is not. */
export const PAPER_ID = /^[\w.:/-]{1,100}$/

/** An arXiv id without version, new style or old (`hep-ex/0307015`). https://info.arxiv.org/help/arxiv_identifier.html */
export const ARXIV_ID = /^(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?\/\d{7})$/

/** An arXiv category, `cs.CL` or `cond-mat.str-el`, or a whole archive, `cs`. https://arxiv.org/category_taxonomy */
export const ARXIV_CATEGORY = /^(?:[a-z]{2,8}|q)(?:-[a-z]{2,4})?(?:\.(?:[A-Z]{2}|[a-z]{4,6}|[a-z]{2,5}-[a-z]{2,4}))?$/

/** A server of preprints that a paper is at, by its id. */
export interface PaperServer {
  /** What readers call it. */
  name: 'arXiv' | 'bioRxiv' | 'medRxiv'
  /** What the paper is called there: its arXiv id, or its DOI. */
  number: string
  /** The page of its abstract, and its PDF; https. */
  page: string
  pdf: string
  doi: string
}

const PREPRINT_ID = /^(?:bio|med)rxiv:(10\.\d{4,9}\/[\w.-]{1,60})$/

/** Where a paper is; `null` for one that is at no server that we know. */
export const serverOf = (id: string): PaperServer | null => {
  if (ARXIV_ID.test(id))
    return {
      name: 'arXiv',
      number: id,
      page: `https://arxiv.org/abs/${id}`,
      pdf: `https://arxiv.org/pdf/${id}`,
      // https://info.arxiv.org/help/doi.html
      doi: `10.48550/arXiv.${id}`,
    }
  const [, doi] = PREPRINT_ID.exec(id) ?? []
  if (doi === undefined) return null
  const name = id.startsWith('bio') ? 'bioRxiv' : 'medRxiv'
  // The page of a DOI is that of its newest version; a PDF has the number of one in its address, and the first stays.
  const pdf = `https://www.${name.toLowerCase()}.org/content/${doi}v1.full.pdf`
  return { name, number: doi, page: `https://doi.org/${doi}`, pdf, doi }
}
