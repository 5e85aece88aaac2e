/** A research paper as the service knows it, and what sources said of it. */

/** The texts and links of a paper; every string has been cleaned by `core/text`. */
export interface Paper {
  /** The arXiv id without version, such as `2604.11784`, or `source:id` for a paper that has none. */
  id: string
  title: string
  /** Empty where the source gave none. */
  abstract: string
  /** In the paper's own order; may be empty, and has held 573 names. */
  authors: string[]
  /** Submission date at arXiv, `YYYY-MM-DD`, where known. */
  publishedOn: string | null
  /** arXiv categories such as `cs.CL`, where known. */
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

/** What any id of a paper is made of; the database refuses some of what is not. */
export const PAPER_ID = /^[\w.:/-]{1,100}$/

/** An arXiv id without version, new style or old (`hep-ex/0307015`). https://info.arxiv.org/help/arxiv_identifier.html */
export const ARXIV_ID = /^(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?\/\d{7})$/

/** An arXiv category, `cs.CL` or `cond-mat.str-el`, or a whole archive, `cs`. https://arxiv.org/category_taxonomy */
export const ARXIV_CATEGORY = /^(?:[a-z]{2,8}|q)(?:-[a-z]{2,4})?(?:\.(?:[A-Z]{2}|[a-z]{4,6}|[a-z]{2,5}-[a-z]{2,4}))?$/

/** The page of a paper at arXiv, or `null` for a paper that is not there. */
export const arxivPage = (id: string): string | null => (ARXIV_ID.test(id) ? `https://arxiv.org/abs/${id}` : null)

/** The PDF of a paper at arXiv, or `null` for a paper that is not there. */
export const arxivPdf = (id: string): string | null => (ARXIV_ID.test(id) ? `https://arxiv.org/pdf/${id}` : null)
