/** A paper as a reader sees it: the same card in mail and page. */

import { arxivPage, arxivPdf, type Paper } from '../papers/paper.ts'
import { excerptOf } from '../text/excerpt.ts'
import { plainLatex } from '../text/latex.ts'
import { authorLine } from '../text/text.ts'
import type { PaperCard } from './digest.ts'

/** Why the paper is shown, and its counts as they were seen; `null` is "not known". */
export interface CardContext {
  reason: string
  upvotes: number | null
  comments: number | null
  /** Papers that say nearly the same. */
  seeAlso?: readonly Paper[]
}

const pageOf = (paper: Paper): string | null => arxivPage(paper.id) ?? paper.discussionUrl

/** The card of a paper. Texts are cleaned, not escaped: templates of pages and mails escape them. */
export const cardOf = (paper: Paper, { reason, upvotes, comments, seeAlso = [] }: CardContext): PaperCard => {
  const discussion = comments === null || comments === 0 ? 'Discussion' : `Discussion (${comments})`
  const links = [
    { label: 'PDF', url: arxivPdf(paper.id) },
    { label: 'Code', url: paper.codeUrl },
    { label: 'Project', url: paper.projectUrl },
    { label: discussion, url: paper.discussionUrl },
  ]
  const title = plainLatex(paper.title)
  return {
    id: paper.id,
    title,
    url: pageOf(paper),
    reason,
    excerpt: excerptOf({ title, abstract: plainLatex(paper.abstract) }),
    authors: authorLine(paper.authors.map(plainLatex)),
    links: links.filter((link): link is { label: string; url: string } => link.url !== null),
    upvotes,
    seeAlso: seeAlso.map((other) => ({ title: plainLatex(other.title), url: pageOf(other) })),
  }
}
