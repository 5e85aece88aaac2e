/** What anyone may read on the site: the papers of days, weeks, months, topics, authors and institutions, each paper, and a digest. */
import { daysOfMonth, isoWeekOf } from '../../core/calendar.ts'
import type { DigestIssue } from '../../core/digest/digest.ts'
import type { Keys } from '../../core/token.ts'
import type { Database } from '../../store/database.ts'
import { readInstitutionSlugs } from '../../store/papers/institutions.ts'
import { readIdsOfDays, readListDayRange } from '../../store/papers/paper-lists.ts'
import { readListDays } from '../../store/papers/papers.ts'
import { type AuthorPage, readAuthorPage } from './authors.ts'
import { type DayPage, type PeriodPage, readDayPage, readPeriodPage } from './days.ts'
import { readDigestPage } from './digest.ts'
import { type InstitutionPage, readInstitutionPage } from './institutions.ts'
import { type PaperPage, readPaperPage } from './paper.ts'
import { readSearchPage, type SearchPage, type SearchProblem, type SearchRequest } from './search.ts'
import { readTopicPage, type TopicPage } from './topics.ts'

export interface Archive {
  /** The newest list day held by now, or the one asked for; `null` when nothing is held (of it). Pages count from 1; one past the end has no cards. */
  readDay(listDay?: string, page?: number): Promise<DayPage | null>
  /** An ISO week such as `2026-W16`; `null` when nothing is held of it. */
  readWeek(week: string, page: number): Promise<PeriodPage | null>
  /** A month such as `2026-04`, likewise. */
  readMonth(month: string, page: number): Promise<PeriodPage | null>
  /** The newest papers of a topic that there is. */
  readTopic(slug: string, page: number): Promise<TopicPage>
  /** The papers of an author by a slug (`core/text/author-name`); `null` where none is held. */
  readAuthor(slug: string, page: number): Promise<AuthorPage | null>
  /** The papers of an institution by its slug (`core/papers/paper`); `null` where none is held. */
  readInstitution(slug: string, page: number): Promise<InstitutionPage | null>
  /** A paper by its id; `null` where it is not held. */
  readPaper(id: string): Promise<PaperPage | null>
  /** What a search finds; `null` where nothing was asked for. */
  search(request: SearchRequest): Promise<SearchPage | { problem: SearchProblem } | null>
  /** The first and last list day held, and today (UTC), `YYYY-MM-DD`. */
  readRange(): Promise<{ first: string | null; last: string | null; today: string }>
  /** All list days held, the oldest first. */
  readDays(): Promise<string[]>
  /** Ids of the papers listed in a month such as `2026-04`, for those who look for all. */
  readIdsOfMonth(month: string): Promise<string[]>
  /** The slugs of the institutions with papers, at most `MAX_INSTITUTIONS`. */
  readInstitutionSlugs(): Promise<string[]>
  /** A digest by the token of its mail, with a note where a paper was withdrawn since; `null` when the link is unknown or dead. */
  readDigest(token: string): Promise<DigestIssue | null>
}

/** List days of a hundred years, save weekends. */
const MAX_DAYS = 26_000
/** Entries of one sitemap, at most. https://www.sitemaps.org/protocol.html */
const MAX_INSTITUTIONS = 50_000

const monthOf = (date: string): string => date.slice(0, 7)

export const createArchive = ({ db, keys, now }: { db: Database; keys: Keys; now: () => Date }): Archive => ({
  readDay: (listDay, page = 1) => readDayPage(db, now(), listDay, page),
  readWeek: (week, page) => readPeriodPage(db, now(), week, isoWeekOf, page),
  readMonth: (month, page) => readPeriodPage(db, now(), month, monthOf, page),
  readTopic: (slug, page) => readTopicPage(db, now(), slug, page),
  readAuthor: (slug, page) => readAuthorPage(db, now(), slug, page),
  readInstitution: (slug, page) => readInstitutionPage(db, now(), slug, page),
  readPaper: (id) => readPaperPage(db, now(), id),
  search: (request) => readSearchPage(db, now(), request),
  async readRange() {
    const at = now()
    const range = await readListDayRange(db, at)
    return { first: range?.first ?? null, last: range?.last ?? null, today: at.toISOString().slice(0, 10) }
  },
  readDays: async () => (await readListDays(db, now(), MAX_DAYS)).reverse(),
  async readIdsOfMonth(month) {
    const days = daysOfMonth(month)
    return days === null ? [] : readIdsOfDays(db, now(), days)
  },
  readInstitutionSlugs: () => readInstitutionSlugs(db, now(), MAX_INSTITUTIONS),
  readDigest: (token) => readDigestPage(db, keys, token),
})
