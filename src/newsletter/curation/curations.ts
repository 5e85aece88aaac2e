/**
 * What curators do to papers: pick, pin and hide them, undo that, and decide on suggestions.
 *
 * Of each action at most one is in force for a paper, and all that curators do to one paper is done one after the other: of
 * two at the same moment the second is told what the first did.
 */
import { addDays, DAY, isDate } from '../../core/calendar.ts'
import { NEWS_SPAN } from '../../core/digest/eligibility.ts'
import { ARXIV_ID } from '../../core/papers/paper.ts'
import type { Keys } from '../../core/token.ts'
import {
  addCuration,
  type Curation,
  countCurations,
  hasListDay,
  listCurations,
  lockCuratedPaper,
  readCuration,
  readInForce,
  readNewsInstant,
  readPaperState,
  setHidden,
  undoCuration,
} from '../../store/curations.ts'
import type { Curator } from '../../store/curators.ts'
import type { Database } from '../../store/database.ts'
import { readOperatorHide } from '../../store/operator-hides.ts'
import { readListDays } from '../../store/papers/papers.ts'
import { forgetLookup } from '../../store/picked-lookups.ts'
import { decideSuggestion, readSuggestion, readWaitingSuggestions, type Suggestion } from '../../store/suggestions.ts'
import { type EndedLink, findCurator } from './curators.ts'

export type { Curation, Suggestion }

/** Papers that one curator may act on in 24 hours: more than anybody reads, so that a stolen link soon stops. */
export const MOST_ACTS = 200
const MAX_LISTED = 50
const MAX_SUGGESTIONS = 50
/** A pin may be ahead of its list by so many days. */
const MAX_AHEAD = 14
/** A pick stands under the newest list day, unless lists have not come for longer than a weekend. */
const MAX_LIST_AGE = 3

/** What a curator asks for. Ids of what was done and suggested are UUIDs. */
export type CuratorAct =
  | { act: 'pick'; paperId: string; note: string }
  | { act: 'pin'; paperId: string; listDay: string; note: string | null }
  | { act: 'hide'; paperId: string; note: string }
  | { act: 'undo'; curationId: string }
  | { act: 'accept'; suggestionId: string; note: string }
  | { act: 'decline'; suggestionId: string }

/** What came of it. All but `done` change nothing. */
export type ActResult =
  /**
   * `waiting`: the paper is not held, and arXiv is asked for it. `newsUntil`: when a picked paper ceased to be news, which
   * daily digests therefore do not bring any more; `null` where they do, and of whatever else was done.
   */
  | { outcome: 'done'; paperId: string; waiting: boolean; newsUntil: Date | null }
  /** It is in force already, by whoever did it first. */
  | { outcome: 'already'; first: Curation }
  /** A hidden paper is neither picked nor pinned: that is to be undone first. */
  | { outcome: 'hidden'; hide: Curation | null }
  /** Only a paper of arXiv is picked before it is held, only one that is held or picked is pinned, and one that is held hidden. */
  | { outcome: 'not held'; paperId: string }
  | { outcome: 'no list'; listDay: string }
  | { outcome: 'undone already'; by: string; at: Date }
  | { outcome: 'decided already'; decision: 'picked' | 'declined'; by: string }
  | { outcome: 'no such entry' }
  | { outcome: 'too many' }

export interface CuratorPage {
  name: string
  suggestions: Suggestion[]
  /** How many suggestions wait. */
  waiting: number
  /** What all curators did, the newest first. */
  done: Curation[]
  /** The id after which older ones follow; `null` where there are none. */
  older: string | null
  /** The newest list day held, or today by UTC, `YYYY-MM-DD`. */
  newestDay: string
}

export interface CurationPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Wakes whoever fetches papers; what waits is in the database. */
  wakeFetch: () => void
}

export interface Curations {
  /** `after`: the id of what was shown last. `null`: the link is unknown or altered. */
  readPage(token: string, after: string | null): Promise<CuratorPage | EndedLink | null>
  act(token: string, asked: CuratorAct): Promise<ActResult | EndedLink | null>
}

export const createCurations = (ports: CurationPorts): Curations => ({
  readPage: (token, after) => readPage(ports, token, after),
  async act(token, asked) {
    const result = await ports.db.transaction().execute(async (trx) => {
      const curator = await findCurator(trx, ports.keys, token, true)
      if (curator === null || typeof curator === 'string') return curator
      const at = ports.now()
      if ((await countCurations(trx, curator.id, new Date(at.getTime() - DAY))) >= MOST_ACTS)
        return { outcome: 'too many' } as const
      return perform({ trx, curator, at }, asked)
    })
    if (result !== null && typeof result === 'object' && result.outcome === 'done' && result.waiting) ports.wakeFetch()
    return result
  },
})

const readPage = async (
  { db, keys, now }: CurationPorts,
  token: string,
  after: string | null,
): Promise<CuratorPage | EndedLink | null> => {
  const curator = await findCurator(db, keys, token)
  if (curator === null || typeof curator === 'string') return curator
  const today = now().toISOString().slice(0, 10)
  const [{ suggestions, total }, found, [newestDay = today]] = await Promise.all([
    readWaitingSuggestions(db, MAX_SUGGESTIONS),
    listCurations(db, after, MAX_LISTED + 1),
    readListDays(db, now(), 1),
  ])
  const done = found.slice(0, MAX_LISTED)
  const older = found.length > MAX_LISTED ? (done.at(-1)?.id ?? null) : null
  return { name: curator.name, suggestions, waiting: total, done, older, newestDay }
}

interface ActContext {
  trx: Database
  curator: Curator
  at: Date
}

const perform = async (context: ActContext, asked: CuratorAct): Promise<ActResult> => {
  const { trx } = context
  switch (asked.act) {
    case 'undo':
      return undo(context, asked.curationId)
    case 'accept':
    case 'decline': {
      const suggestion = await readSuggestion(trx, asked.suggestionId)
      if (suggestion === undefined) return { outcome: 'no such entry' }
      await lockCuratedPaper(trx, suggestion.paperId)
      return decide(context, asked)
    }
    default:
      await lockCuratedPaper(trx, asked.paperId)
      return apply(context, asked)
  }
}

/** Picks, pins or hides a paper whose lock is held. */
const apply = async (context: ActContext, asked: CuratorAct & { act: 'pick' | 'pin' | 'hide' }): Promise<ActResult> => {
  const { trx, curator, at } = context
  const { act, paperId, note } = asked
  const inForce = await readInForce(trx, paperId)
  const first = inForce.find(({ action }) => action === act)
  if (first !== undefined) return { outcome: 'already', first }
  const state = await readPaperState(trx, paperId)
  if (act !== 'hide' && state === 'hidden')
    return { outcome: 'hidden', hide: inForce.find(({ action }) => action === 'hide') ?? null }
  const isPicked = inForce.some(({ action }) => action === 'pick')
  const comes = act === 'pick' ? ARXIV_ID.test(paperId) : act === 'pin' && isPicked
  if (state === 'unknown' && !comes) return { outcome: 'not held', paperId }
  if (act === 'pin' && !(await takesPin(trx, asked.listDay, at))) return { outcome: 'no list', listDay: asked.listDay }
  const listDay = act === 'pin' ? asked.listDay : act === 'pick' ? await listDayOfPick(trx, at) : null
  await addCuration(trx, { curator_id: curator.id, action: act, paper_id: paperId, note, list_day: listDay, at })
  const by = { by: curator.id, at }
  if (act === 'pick') {
    await forgetLookup(trx, paperId)
    await decideSuggestion(trx, paperId, 'picked', by)
  }
  if (act === 'hide') {
    if (state === 'held') await setHidden(trx, paperId, at)
    await decideSuggestion(trx, paperId, 'declined', by)
  }
  const newsUntil = act === 'pick' && state === 'held' ? await readEndOfNews(trx, paperId, at) : null
  return { outcome: 'done', paperId, waiting: act === 'pick' && state === 'unknown', newsUntil }
}

/** When a paper ceased to be news; `null` where it is news at `at`. */
const readEndOfNews = async (trx: Database, paperId: string, at: Date): Promise<Date | null> => {
  const since = await readNewsInstant(trx, paperId)
  const until = since === undefined ? at : new Date(since.getTime() + NEWS_SPAN)
  return until < at ? until : null
}

/** Whether a paper may be pinned to a day: one with a list, or one whose list may come. */
const takesPin = async (trx: Database, listDay: string, at: Date): Promise<boolean> => {
  if (!isDate(listDay)) return false
  const today = at.toISOString().slice(0, 10)
  if (listDay >= today) return listDay <= addDays(today, MAX_AHEAD)
  return hasListDay(trx, listDay)
}

/** The day under which a picked paper stands where no source lists it: that of the newest list, or today. */
const listDayOfPick = async (trx: Database, at: Date): Promise<string> => {
  const today = at.toISOString().slice(0, 10)
  const [newest = today] = await readListDays(trx, at, 1)
  return newest >= addDays(today, -MAX_LIST_AGE) && newest <= today ? newest : today
}

const undo = async ({ trx, curator, at }: ActContext, id: string): Promise<ActResult> => {
  const found = await readCuration(trx, id)
  if (found === undefined) return { outcome: 'no such entry' }
  const { paperId } = found
  await lockCuratedPaper(trx, paperId)
  if (!(await undoCuration(trx, id, curator.id, at))) {
    const undone = await readCuration(trx, id)
    return { outcome: 'undone already', by: undone?.undoneBy ?? '', at: undone?.undoneAt ?? at }
  }
  // What an operator hid besides stays hidden.
  if (found.action === 'hide' && (await readOperatorHide(trx, paperId)) === undefined)
    await setHidden(trx, paperId, null)
  return { outcome: 'done', paperId, waiting: false, newsUntil: null }
}

/** Decides a suggestion of a paper whose lock is held. */
const decide = async (context: ActContext, asked: CuratorAct & { act: 'accept' | 'decline' }): Promise<ActResult> => {
  const { trx, curator, at } = context
  // Read again, for it may have been decided while the lock was awaited.
  const suggestion = await readSuggestion(trx, asked.suggestionId)
  if (suggestion === undefined) return { outcome: 'no such entry' }
  const { paperId, decision, decidedBy } = suggestion
  if (decision !== null) return { outcome: 'decided already', decision, by: decidedBy ?? '' }
  if (asked.act === 'accept') return apply(context, { act: 'pick', paperId, note: asked.note })
  await decideSuggestion(trx, paperId, 'declined', { by: curator.id, at })
  return { outcome: 'done', paperId, waiting: false, newsUntil: null }
}
