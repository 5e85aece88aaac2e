/** A reader's own reading list: its pages, what is added, read and removed, what is exported, and its feed. */
import { localDateAt } from '../core/calendar.ts'
import type { PaperCard } from '../core/digest/digest.ts'
import { asWithdrawn, cardOf } from '../core/digest/paper-card.ts'
import { entryHtml, entryId, entryTopics, type FeedEntry } from '../core/feed/feed.ts'
import type { SavedCitation } from '../core/papers/citation/saved-table.ts'
import { PAPER_ID } from '../core/papers/paper.ts'
import { readPaperReference } from '../core/papers/paper-reference.ts'
import { GATE } from '../core/relevance/gate.ts'
import { isSubscribed } from '../core/subscriber/preferences.ts'
import { servedZone } from '../core/subscriber/time-zone.ts'
import { deriveToken } from '../core/token.ts'
import { topics } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import { readCurrentPapers } from '../store/papers/current-papers.ts'
import { readFeedPapersById } from '../store/papers/feed-papers.ts'
import {
  countSavedByState,
  countSavedByTopic,
  deleteSaved,
  readSavedPapers,
  type SavedPaper,
  setSavedRead,
} from '../store/saved-papers.ts'
import { type LinkedPaper, readLinkedPaper } from './paper-links.ts'
import { MOST_SAVED, type SaveLimit, savePaper } from './saved-papers.ts'
import { findTokenOwner, type LinkPorts } from './subscription/token-owner.ts'

/** Papers of one page. */
const PAGE_PAPERS = 25

/** As many as the feed of one's digests has on most days of ten. */
const MAX_ENTRIES = 100

/** A paper of a list as its page shows it; dates are the reader's, `YYYY-MM-DD`. */
export interface ListedPaper {
  id: string
  /** `null`: it was hidden since, so that nothing is shown of it. */
  card: PaperCard | null
  withdrawn: boolean
  savedOn: string
  readOn: string | null
  digestDate: string | null
}

/** Which part of a list: what was read or is to be, of a topic (slug), from after a place that an earlier page named. */
export interface ListRequest {
  read: boolean
  topic: string | null
  after: string | null
}

export interface ReadingListPage {
  papers: ListedPaper[]
  counts: { unread: number; read: number }
  /** The topics of what was read or is to be, in the order of pages. */
  topics: { slug: string; label: string; count: number }[]
  /** The place of the last paper, where there are more. */
  next: string | null
  feedToken: string
  /** Whether papers can be added. */
  subscribed: boolean
}

/** What became of a paper that a reader typed; `unreadable`: it names none, `not held`: it names one that we do not have. */
export type Added =
  | { outcome: 'saved' | 'kept' | SaveLimit; paper: LinkedPaper }
  | { outcome: 'not held'; id: string }
  | { outcome: 'unreadable' | 'not subscribed' }

/** `null` always means: that link is unknown, altered, of another purpose or dead. Who has left still has their list. */
export interface ReadingLists {
  /** `no such page` where the request names no topic or place. */
  read(token: string, request: ListRequest): Promise<ReadingListPage | 'no such page' | null>
  /** Saves a paper by its id or address at a server of preprints. */
  add(token: string, typed: string): Promise<Added | null>
  /** Notes that a paper was read, or is to be read again; `none`: it is not in the list. */
  setRead(token: string, paperId: string, isRead: boolean): Promise<'done' | 'none' | null>
  remove(token: string, paperId: string): Promise<'removed' | 'none' | null>
  /** All papers of the list that are shown, the newest first, for reference managers. */
  readCited(token: string): Promise<SavedCitation[] | null>
  /** The newest papers of the list, by the token of its feed. */
  readFeed(token: string): Promise<FeedEntry[] | null>
}

export const createReadingLists = (ports: LinkPorts & { baseUrl: string }): ReadingLists => {
  const { db, keys, now } = ports
  return {
    async read(token, request) {
      const owner = await findTokenOwner(db, keys, 'preferences', token)
      if (owner === null) return null
      const { read, topic } = request
      const after = request.after === null ? null : placeOf(request.after)
      if (after === undefined || (topic !== null && !topics().all.some(({ slug }) => slug === topic)))
        return 'no such page'
      const choice = { read, ...(topic === null ? {} : { topic: { slug: topic, gate: GATE } }) }
      const saved = await readSavedPapers(db, owner.id, choice, { after, limit: PAGE_PAPERS + 1 })
      const shown = saved.slice(0, PAGE_PAPERS)
      const last = shown.at(-1)
      const byTopic = await countSavedByTopic(db, owner.id, { read }, GATE)
      return {
        papers: await listedPapers(db, shown, now(), servedZone(owner.time_zone)),
        counts: await countSavedByState(db, owner.id),
        topics: topics().all.flatMap(({ slug, label }) => {
          const count = byTopic.get(slug) ?? 0
          return count === 0 && slug !== topic ? [] : [{ slug, label, count }]
        }),
        next: saved.length > PAGE_PAPERS && last !== undefined ? `${last.at.getTime()}:${last.id}` : null,
        feedToken: deriveToken(keys, 'saved', owner.id, owner.epoch),
        subscribed: isSubscribed(owner.state),
      }
    },
    add: (token, typed) => addPaper(ports, token, typed),
    setRead: (token, paperId, isRead) =>
      change(ports, token, paperId, 'none', async (trx, subscriberId) =>
        (await setSavedRead(trx, subscriberId, paperId, isRead ? now() : null)) ? 'done' : 'none',
      ),
    remove: (token, paperId) =>
      change(ports, token, paperId, 'none', async (trx, subscriberId) =>
        (await deleteSaved(trx, subscriberId, paperId)) ? 'removed' : 'none',
      ),
    async readCited(token) {
      const owner = await findTokenOwner(db, keys, 'preferences', token)
      if (owner === null) return null
      const saved = await readSavedPapers(db, owner.id, {}, { after: null, limit: MOST_SAVED })
      const byId = new Map(saved.map((one) => [one.id, one]))
      const papers = await readCurrentPapers(db, now(), { ids: [...byId.keys()] })
      const dayOf = (at: Date | undefined | null) => at?.toISOString().slice(0, 10) ?? null
      return papers.map(({ paper, withdrawn }) => {
        const one = byId.get(paper.id)
        return {
          paper,
          withdrawn,
          savedOn: dayOf(one?.at) ?? '',
          readOn: dayOf(one?.readAt),
          digestDate: one?.digestDate ?? null,
        }
      })
    },
    readFeed: (token) => readListFeed(ports, token),
  }
}

/** The place that a page names for those after it; `undefined` for what is none. */
const placeOf = (text: string): Pick<SavedPaper, 'id' | 'at'> | undefined => {
  const [, at, id = ''] = /^(\d{1,14}):(.+)$/s.exec(text) ?? []
  return at === undefined || !PAPER_ID.test(id) ? undefined : { at: new Date(Number(at)), id }
}

const listedPapers = async (
  db: Database,
  saved: readonly SavedPaper[],
  at: Date,
  timeZone: string,
): Promise<ListedPaper[]> => {
  const shown = await readCurrentPapers(db, at, { ids: saved.map(({ id }) => id) })
  const byId = new Map(shown.map((one) => [one.paper.id, one]))
  return saved.map(({ id, at: savedAt, readAt, digestDate }) => {
    const one = byId.get(id)
    const card = one === undefined ? null : cardOf(one.paper, { reason: '', upvotes: null, comments: null })
    return {
      id,
      card: card !== null && one?.withdrawn ? asWithdrawn(card) : card,
      withdrawn: one?.withdrawn ?? false,
      savedOn: localDateAt(savedAt, timeZone),
      readOn: readAt === null ? null : localDateAt(readAt, timeZone),
      digestDate,
    }
  })
}

/** Does something to the list of a link's owner, who stays locked; `otherwise` where no paper can have this id. */
const change = <Outcome extends string>(
  { db, keys }: LinkPorts,
  token: string,
  paperId: string,
  otherwise: Outcome,
  act: (trx: Database, subscriberId: string) => Promise<Outcome>,
): Promise<Outcome | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'preferences', token, true)
    if (owner === null) return null
    return PAPER_ID.test(paperId) ? act(trx, owner.id) : otherwise
  })

const addPaper = (
  { db, keys, now, baseUrl }: LinkPorts & { baseUrl: string },
  token: string,
  typed: string,
): Promise<Added | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'preferences', token, true)
    if (owner === null) return null
    if (!isSubscribed(owner.state)) return { outcome: 'not subscribed' }
    const at = now()
    const named = typed.trim().replace(`${baseUrl.replace(/\/+$/, '')}/papers/`, '')
    // Ids that are no reference anywhere else, such as `file:notes`.
    const id = readPaperReference(named) ?? (/^[a-z]+:[\w.-]/.test(named) ? named : '')
    if (!PAPER_ID.test(id)) return { outcome: 'unreadable' }
    const paper = await readLinkedPaper(trx, id, at)
    if (paper === null) return { outcome: 'not held', id }
    return { outcome: await savePaper(trx, { subscriberId: owner.id, paperId: paper.id, at }), paper }
  })

/** An entry of a paper is new when it was saved, and again when something happens to the paper. */
const readListFeed = async (
  { db, keys, now, baseUrl }: LinkPorts & { baseUrl: string },
  token: string,
): Promise<FeedEntry[] | null> => {
  const owner = await findTokenOwner(db, keys, 'saved', token)
  if (owner === null) return null
  const saved = await readSavedPapers(db, owner.id, {}, { after: null, limit: MAX_ENTRIES })
  const papers = await readFeedPapersById(
    db,
    now(),
    saved.map(({ id }) => id),
    GATE,
  )
  const byId = new Map(papers.map((one) => [one.paper.id, one]))
  return saved.flatMap(({ id, at }) => {
    const one = byId.get(id)
    if (one === undefined) return []
    const whole = cardOf(one.paper, { reason: '', upvotes: null, comments: null })
    const card = one.withdrawn ? asWithdrawn(whole) : whole
    return {
      id: entryId(baseUrl, 'saved', id),
      title: card.title,
      url: card.url,
      authors: card.authorNames ?? [],
      published: at,
      updated: one.updated > at ? one.updated : at,
      topics: entryTopics(one.relevance),
      summary: card.excerpt,
      html: entryHtml(card),
    }
  })
}
