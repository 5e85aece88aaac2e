/** The announcements of arXiv: reads an entry of its feed, and tells on which days to expect a batch. */
import { addDays, HOUR, localDateAt, weekdayOf } from '../calendar.ts'
import { readAuthorLine } from '../text/author-list.ts'
import { ABSTRACT_LENGTH, cleanLine, cleanText, TITLE_LENGTH } from '../text/text.ts'
import type { Listing } from './paper.ts'
import type { PaperNews } from './paper-news.ts'
import { categoriesOf, readArxivId, readInstant, UnreadableRow } from './paper-row.ts'
import { tellsWithdrawal } from './withdrawal.ts'

/** New here, new here but announced in another category too, or another version of a paper announced before. */
export const ANNOUNCE_TYPES = ['new', 'cross', 'replace', 'replace-cross'] as const
export type AnnounceType = (typeof ANNOUNCE_TYPES)[number]

/** The texts of an entry as they stand in the feed. https://info.arxiv.org/help/rss_specifications.html */
export interface FeedEntry {
  /** `oai:arXiv.org:2508.13426v1` */
  id: string
  title: string
  /** `arXiv:2508.13426v1 Announce Type: cross`, a line break, `Abstract: …` */
  summary: string
  /** Names by comma, with LaTeX in them. */
  creators: string
  categories: string[]
  /** Midnight of the announcement, not the submission: `2025-08-20T00:00:00-04:00`. */
  published: string
  /** `''` where the entry says it in its summary alone. */
  announceType: string
  /** Feeds leave it out today; arXiv's API has it. */
  comment?: string
}

/** Where arXiv's days begin and end. https://info.arxiv.org/help/availability.html */
const ARXIV_ZONE = 'America/New_York'
/** An announcement may be ahead of our clock by this. */
const MAX_CLOCK_SKEW = HOUR
/** The feeds are made at midnight there; a batch that is late by less is not reported. */
const GRACE = 2 * HOUR

const SUMMARY = /^arXiv:\S+\s+Announce Type:\s*(\S+)\s+(?:Abstract:\s*)?/
const isAnnounceType = (text: string): text is AnnounceType => ANNOUNCE_TYPES.some((type) => type === text)

/** The date at arXiv. */
export const arxivDate = (at: Date): string => localDateAt(at, ARXIV_ZONE)

/** An entry as a listing of its announcement's day, seen now. Throws `UnreadableRow`. */
export const readAnnouncement = (entry: FeedEntry, now: Date): { type: AnnounceType; listing: Listing } => {
  const id = readArxivId(entry.id.replace(/^oai:arXiv\.org:/i, ''))
  if (id === null) throw new UnreadableRow('its id is not one of arXiv')
  const prefix = SUMMARY.exec(entry.summary)
  const type = entry.announceType || (prefix?.[1] ?? '')
  if (!isAnnounceType(type)) throw new UnreadableRow('it does not say whether it is new')
  const title = cleanLine(entry.title, TITLE_LENGTH)
  if (title === '') throw new UnreadableRow('it has no title')
  const announcedAt = readInstant(entry.published)
  if (announcedAt === null) throw new UnreadableRow('it does not say when it was announced')
  const listDay = arxivDate(announcedAt)
  if (listDay > arxivDate(new Date(now.getTime() + MAX_CLOCK_SKEW)))
    throw new UnreadableRow(`it is of ${listDay}, a day that has not come`)
  return {
    type,
    listing: {
      paper: {
        id,
        title,
        abstract: cleanText(entry.summary.slice(prefix?.[0].length ?? 0), ABSTRACT_LENGTH),
        authors: readAuthorLine(entry.creators),
        // A feed tells the day of the announcement alone.
        publishedOn: null,
        categories: categoriesOf(entry.categories),
        codeUrl: null,
        projectUrl: null,
        discussionUrl: null,
      },
      listDay,
      observation: { at: now, hourKnown: true, upvotes: null, comments: null, stars: null },
    },
  }
}

/** That the paper of an entry is withdrawn, as news; `null` where it is not. */
export const withdrawalOf = (
  { comment }: Pick<FeedEntry, 'comment'>,
  { paper, observation }: Listing,
): PaperNews | null =>
  tellsWithdrawal({ comment: comment ?? '', abstract: paper.abstract })
    ? { paperId: paper.id, kind: 'withdrawn', version: null, seenAt: observation.at }
    : null

/** The news in a replacement of a paper that was announced before: that it is withdrawn, or else its version. */
export const newsOfReplacement = (entry: FeedEntry, listing: Listing): PaperNews | null => {
  const withdrawal = withdrawalOf(entry, listing)
  if (withdrawal !== null) return withdrawal
  const { paper, observation } = listing
  const version = Number(/v(\d{1,3})$/.exec(entry.id.trim())?.[1] ?? 0)
  return version > 1 ? { paperId: paper.id, kind: 'version', version, seenAt: observation.at } : null
}

/**
 * Why a feed's newest batch (`YYYY-MM-DD`; `null` for an empty feed) is not the one to be expected now, as a clause; or
 * `null` where it is. There are five batches a week, made at midnight after Sunday's to Thursday's announcements, so
 * those of Monday to Friday. Holidays move from year to year and are no fault: this is a notice, nothing more.
 */
export const lateBatch = (batchDay: string | null, now: Date): string | null => {
  let expected = arxivDate(new Date(now.getTime() - GRACE))
  const isWeekend = weekdayOf(expected) > 5
  while (weekdayOf(expected) > 5) expected = addDays(expected, -1)
  const why = '(a holiday at arXiv, or its feed is late)'
  if (batchDay === null)
    return isWeekend ? null : `its feed is empty, and the batch of ${expected} should be there ${why}`
  return batchDay < expected
    ? `it serves the batch of ${batchDay}, and that of ${expected} should be there ${why}`
    : null
}
