/** A paper as a reader sees it: the same card in mail and page. */

import { Temporal } from 'temporal-polyfill'
import { daysBetween } from '../calendar.ts'
import { type Paper, serverOf } from '../papers/paper.ts'
import { type ExcerptedPaper, excerptOfPaper, readableTexts } from '../papers/paper-excerpt.ts'
import { excerptAround } from '../text/excerpt.ts'
import { plainLatex, plainTitle } from '../text/latex.ts'
import { authorLine } from '../text/text.ts'
import type { DigestEntry, PaperCard } from './digest.ts'
import { kindOfInterest } from './interests.ts'

/** Why the paper is shown, and its counts as they were seen; `null` is "not known". */
export interface CardContext {
  reason: string
  upvotes: number | null
  comments: number | null
  /** The date under which it is shown as new, `YYYY-MM-DD`. */
  shownOn?: string
  /** Words of the abstract for which it is shown: the excerpt is of the sentence that holds them (`keywordInAbstract`). */
  keyword?: string | null
  /** Authors for whom it is shown, as the paper has their names. */
  followed?: readonly string[]
  /** Papers that say nearly the same. */
  seeAlso?: readonly Paper[]
}

const pageOf = (paper: Paper): string | null => serverOf(paper.id)?.page ?? paper.discussionUrl

/** Where a keyword of the reader's own brought the paper and stands in its abstract alone, its words there; else `null`. */
export const keywordInAbstract = ({ topic, matches }: Pick<DigestEntry, 'topic' | 'matches'>): string | null => {
  if (topic === null || kindOfInterest(topic) !== 'keyword') return null
  const inAbstract = matches.every(({ field }) => field === 'abstract')
  return inAbstract ? (matches[0]?.words ?? null) : null
}

/** The followed authors who brought the paper. */
export const followedAuthors = ({ matches }: Pick<DigestEntry, 'matches'>): string[] =>
  matches.filter(({ field }) => field === 'authors').map(({ words }) => words)

const excerptOfCard = (paper: Paper | ExcerptedPaper, keyword: string | null): string => {
  const around = keyword === null ? null : excerptAround(readableTexts(paper), keyword)
  return around ?? ('excerpt' in paper ? paper.excerpt : null) ?? excerptOfPaper(paper)
}

/**
 * The last day of the month in which arXiv gave a paper its id, `YYYY-MM-DD`: a source may date a paper by a later version.
 * `null` for another id, and for the old style of before 2007. https://info.arxiv.org/help/arxiv_identifier.html
 */
const lastDayOfId = (id: string): string | null => {
  const [, year, month] = /^(\d\d)(0[1-9]|1[0-2])\.\d{4,5}$/.exec(id) ?? []
  if (year === undefined || month === undefined) return null
  return Temporal.PlainDate.from({ year: 2000 + Number(year), month: Number(month), day: 31 }).toString()
}

/** A paper that was published longer ago than this before it is shown, in days, says its year. */
const OLD_AFTER = 90

/** `A, B, … Z (12)`; with the year of an old paper, `A and B · 2022`. */
const bylineOf = (paper: Paper, followed: readonly string[], shownOn: string | undefined): string => {
  const names = authorLine(paper.authors.map(plainLatex), followed)
  const published = lastDayOfId(paper.id) ?? paper.publishedOn
  if (published === null || shownOn === undefined || daysBetween(published, shownOn) <= OLD_AFTER) return names
  const year = published.slice(0, 4)
  return names === '' ? `First published in ${year}` : `${names} · ${year}`
}

/** What two spellings of an address have in common; of anything in a repository at GitHub, the repository. */
const placeOf = (url: string): string => {
  const { hostname, pathname, search } = new URL(url)
  const host = hostname.replace(/^www\./, '')
  const path = pathname.replace(/\/+$/, '').toLowerCase()
  const repository = host === 'github.com' ? /^\/[^/]+\/[^/]+/.exec(path)?.[0].replace(/\.git$/, '') : undefined
  return repository === undefined ? `${host}${path}${search}` : `${host}${repository}`
}

/** The paper's own page or PDF, in any version and at any host of arXiv. */
const isOwnPage = (url: string, id: string): boolean => {
  const { hostname, pathname } = new URL(url)
  return /(?:^|\.)arxiv\.org$|^(?:dx\.)?doi\.org$/.test(hostname) && pathname.toLowerCase().includes(id.toLowerCase())
}

/** What the project link of a paper is; none where it only leads to what the card links already. */
const projectLinkOf = (paper: Paper): { label: string; url: string | null } => {
  const { id, codeUrl, projectUrl: url, discussionUrl } = paper
  const others = [codeUrl, discussionUrl].filter((other) => other !== null).map(placeOf)
  if (url === null || isOwnPage(url, id) || others.includes(placeOf(url))) return { label: 'Project', url: null }
  if (codeUrl === null && /^github\.com\/[^/]+\/./.test(placeOf(url))) return { label: 'Code', url }
  return { label: /^huggingface\.co\/datasets\//.test(placeOf(url)) ? 'Data' : 'Project', url }
}

/** The card of a paper. Texts are cleaned, not escaped: templates of pages and mails escape them. */
export const cardOf = (
  paper: Paper | ExcerptedPaper,
  { reason, upvotes, comments, shownOn, keyword = null, followed = [], seeAlso = [] }: CardContext,
): PaperCard => {
  const discussion = comments === null || comments === 0 ? 'Discussion' : `Discussion (${comments})`
  const links = [
    { label: 'PDF', url: serverOf(paper.id)?.pdf ?? null },
    { label: 'Code', url: paper.codeUrl },
    projectLinkOf(paper),
    { label: discussion, url: paper.discussionUrl },
  ]
  return {
    id: paper.id,
    title: plainTitle(paper.title),
    url: pageOf(paper),
    reason,
    excerpt: excerptOfCard(paper, keyword),
    authors: bylineOf(paper, followed, shownOn),
    authorNames: paper.authors.map(plainLatex),
    links: links.filter((link): link is { label: string; url: string } => link.url !== null),
    upvotes,
    seeAlso: seeAlso.map((other) => ({ title: plainTitle(other.title), url: pageOf(other) })),
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
