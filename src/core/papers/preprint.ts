/** Papers of bioRxiv and medRxiv: their ids, addresses, and the rows of their common interface. */
import { readAuthorLine } from '../text/author-list.ts'
import { plainJats } from '../text/jats.ts'
import { ABSTRACT_LENGTH, cleanLine, cleanText, TITLE_LENGTH } from '../text/text.ts'
import type { Listing } from './paper.ts'
import type { PaperNews } from './paper-news.ts'
import { isRow, MAX_AUTHORS, observationOf, readDate, UnreadableRow } from './paper-row.ts'

export type PreprintServer = 'biorxiv' | 'medrxiv'

/** The DOIs of both servers: until 2025 of Cold Spring Harbor Laboratory, since then of openRxiv. */
const DOI = /^10\.(?:1101|64898)\/[\w.-]{1,60}$/

/** A category as settings write it: `cell-biology`, of "Cell Biology". */
export const PREPRINT_CATEGORY = /^[a-z]+(?:-[a-z]+)*$/

/** A category's name as settings write it. */
export const categorySlug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z]+/g, '-')
    .replace(/^-|-$/g, '')

/** What a row says: a paper that is new, or another version of one. */
export type PreprintRow = { listing: Listing; category: string } | { news: PaperNews; category: string }

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const versionOf = (value: unknown): number => {
  const version = Number(value)
  return Number.isInteger(version) && version > 0 && version < 1_000 ? version : 1
}

/**
 * A row of `GET /details/SERVER/FROM/TO/CURSOR/json`, posted on `day` (`YYYY-MM-DD`) and seen `at`. Each version has a row on its own
 * day, so that only a first one is a paper of the day. Nothing is counted there: no votes, comments or stars. Throws
 * `UnreadableRow`. https://api.biorxiv.org/
 */
export const readPreprintRow = (row: unknown, server: PreprintServer, day: string, at: Date): PreprintRow => {
  if (!isRow(row)) throw new UnreadableRow('it is not an object')
  const doi = textOf(row.doi).trim()
  if (!DOI.test(doi)) throw new UnreadableRow('its "doi" is not one of bioRxiv or medRxiv')
  const id = `${server}:${doi}`
  const category = categorySlug(textOf(row.category))
  const version = versionOf(row.version)
  if (version > 1) return { news: { paperId: id, kind: 'version', version, seenAt: at }, category }
  const title = cleanLine(plainJats(textOf(row.title)), TITLE_LENGTH)
  if (title === '') throw new UnreadableRow('it has no title')
  return {
    category,
    listing: {
      paper: {
        id,
        title,
        abstract: cleanText(plainJats(textOf(row.abstract)), ABSTRACT_LENGTH),
        authors: readAuthorLine(textOf(row.authors)).slice(0, MAX_AUTHORS),
        publishedOn: readDate(row.date) ?? day,
        categories: category === '' ? [] : [category],
        codeUrl: null,
        projectUrl: null,
        discussionUrl: null,
      },
      listDay: day,
      observation: observationOf(day, at, { upvotes: null, comments: null, stars: null }),
    },
  }
}
