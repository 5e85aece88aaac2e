/** A paper as a reader sees it: the same card in mail and page. */

import { arxivPage, arxivPdf, type Paper } from '../papers/paper.ts'
import { type ExcerptedPaper, excerptOfPaper } from '../papers/paper-excerpt.ts'
import { excerptAround } from '../text/excerpt.ts'
import { plainLatex } from '../text/latex.ts'
import { authorLine } from '../text/text.ts'
import type { DigestEntry, PaperCard } from './digest.ts'
import { kindOfInterest } from './interests.ts'

/** Why the paper is shown, and its counts as they were seen; `null` is "not known". */
export interface CardContext {
  reason: string
  upvotes: number | null
  comments: number | null
  /** Words of the abstract for which it is shown: the excerpt is of the sentence that holds them (`keywordInAbstract`). */
  keyword?: string | null
  /** Papers that say nearly the same. */
  seeAlso?: readonly Paper[]
}

const pageOf = (paper: Paper): string | null => arxivPage(paper.id) ?? paper.discussionUrl

/** Where a keyword of the reader's own brought the paper and stands in its abstract alone, its words there; else `null`. */
export const keywordInAbstract = ({ topic, matches }: Pick<DigestEntry, 'topic' | 'matches'>): string | null => {
  if (topic === null || kindOfInterest(topic) !== 'keyword') return null
  const inAbstract = matches.every(({ field }) => field === 'abstract')
  return inAbstract ? (matches[0]?.words ?? null) : null
}

const excerptOfCard = (paper: Paper | ExcerptedPaper, keyword: string | null): string => {
  const { title, abstract } = paper
  const around =
    keyword === null ? null : excerptAround({ title: plainLatex(title), abstract: plainLatex(abstract) }, keyword)
  return around ?? ('excerpt' in paper ? paper.excerpt : null) ?? excerptOfPaper(paper)
}

/** The card of a paper. Texts are cleaned, not escaped: templates of pages and mails escape them. */
export const cardOf = (
  paper: Paper | ExcerptedPaper,
  { reason, upvotes, comments, keyword = null, seeAlso = [] }: CardContext,
): PaperCard => {
  const discussion = comments === null || comments === 0 ? 'Discussion' : `Discussion (${comments})`
  const links = [
    { label: 'PDF', url: arxivPdf(paper.id) },
    { label: 'Code', url: paper.codeUrl },
    { label: 'Project', url: paper.projectUrl },
    { label: discussion, url: paper.discussionUrl },
  ]
  return {
    id: paper.id,
    title: plainLatex(paper.title),
    url: pageOf(paper),
    reason,
    excerpt: excerptOfCard(paper, keyword),
    authors: authorLine(paper.authors.map(plainLatex)),
    links: links.filter((link): link is { label: string; url: string } => link.url !== null),
    upvotes,
    seeAlso: seeAlso.map((other) => ({ title: plainLatex(other.title), url: pageOf(other) })),
  }
}

/** The card of a paper that was withdrawn after it was listed: it says so, and shows nothing that speaks for it. */
export const asWithdrawn = (card: PaperCard): PaperCard => ({
  ...card,
  reason: 'This paper was withdrawn',
  excerpt: '',
  links: [],
  upvotes: null,
})
