/**
 * What operators do to papers: find them, see all that is kept of one, hide it from everything that readers are shown or sent,
 * and show it again; and undo what curators did.
 *
 * An operator's hide is no curator's: it stands until an operator ends it, whatever curators undo. To show a paper again ends
 * both.
 */
import { isCancelled } from '../../core/database-error.ts'
import type { Actor } from '../../core/operator.ts'
import { readNote } from '../../core/papers/curation-note.ts'
import { readPaperReference } from '../../core/papers/paper-reference.ts'
import { searchQuery } from '../../core/text/search-words.ts'
import { recordAct } from '../../store/audit.ts'
import {
  type Curation,
  listCurations,
  lockCuratedPaper,
  readCuration,
  readInForce,
  readPaperState,
  setHidden,
  undoCurationByOperator,
} from '../../store/curations.ts'
import { type Curator, readCurators } from '../../store/curators.ts'
import type { Database } from '../../store/database.ts'
import { addOperatorHide, type OperatorHide, readOperatorHide, removeOperatorHide } from '../../store/operator-hides.ts'
import {
  type FoundPaper,
  findPapers,
  type PaperRecord,
  readFoundPapers,
  readHiddenPapers,
  readPaperRecord,
} from '../../store/papers/paper-record.ts'
import { limitCosts, resolveQuery } from '../../store/papers/paper-search.ts'
import { readWaitingSuggestions, type Suggestion } from '../../store/suggestions.ts'
import type { CuratorPorts } from '../curation/curators.ts'
import { type MailedCurator, nameCurator, type Problem, removeCurator, renewCuratorLink } from '../curation/curators.ts'

export type { Curation, Curator, FoundPaper, PaperRecord, Suggestion }

const MAX_FOUND = 50
const MAX_HIDDEN = 20
const MAX_LISTED = 50
const MAX_SUGGESTIONS = 50
/** Observations and dates of digests that the page of a paper shows. */
const MAX_SHOWN = 20
const SEARCH_MS = 2_000

export interface PaperPorts extends CuratorPorts {
  /** Wakes whoever sends letters; what waits is in the database. */
  wakeLetters: () => void
}

export interface PaperFile extends PaperRecord {
  /** Why it is hidden by an operator; `null` where it is not. */
  operatorHide: OperatorHide | null
  /** What curators did that is in force. */
  inForce: Curation[]
}

/** What happened to a paper, or why nothing did. */
export type PaperAct = { paperId: string; title: string } | Problem

export interface CuratorDesk {
  curators: Curator[]
  curations: Curation[]
  /** The id after which older ones follow; `null` where there are none. */
  older: string | null
  suggestions: Suggestion[]
  waiting: number
}

export interface PaperAdministration {
  /** By an id or an address of a paper, or by words of it; `slow`: the words took too long to look for. */
  search(typed: string): Promise<FoundPaper[] | 'slow'>
  readHidden(): Promise<FoundPaper[]>
  read(id: string): Promise<PaperFile | undefined>
  hide(by: Actor, id: string, typedReason: string): Promise<PaperAct>
  show(by: Actor, id: string): Promise<PaperAct>
  /** `after`: the id of the curation that was shown last. */
  readCurators(after: string | null): Promise<CuratorDesk>
  undoCuration(by: Actor, id: string): Promise<PaperAct>
  addCurator(by: Actor, address: string, name: string): Promise<MailedCurator | Problem>
  renewLink(by: Actor, id: string): Promise<MailedCurator | Problem>
  endCurator(by: Actor, id: string): Promise<Curator | Problem>
}

export const createPaperAdministration = (ports: PaperPorts): PaperAdministration => {
  const { db } = ports
  const addressOf = async (id: string): Promise<string> =>
    (await readCurators(db)).find((one) => one.id === id)?.address ?? ''
  const withLetter = <T extends MailedCurator | Problem>(result: T): T => {
    if (!('problem' in result)) ports.wakeLetters()
    return result
  }
  return {
    search: (typed) => search(db, typed),
    readHidden: () => readHiddenPapers(db, MAX_HIDDEN),
    async read(id) {
      const paper = mayBeId(id) ? await readPaperRecord(db, id, MAX_SHOWN) : undefined
      if (paper === undefined) return undefined
      return {
        ...paper,
        operatorHide: (await readOperatorHide(db, id)) ?? null,
        inForce: await readInForce(db, id),
      }
    },
    hide: (by, id, reason) => hidePaper(ports, by, id, reason),
    show: (by, id) => showPaper(ports, by, id),
    async readCurators(after) {
      const found = await listCurations(db, after, MAX_LISTED + 1)
      const curations = found.slice(0, MAX_LISTED)
      const { suggestions, total } = await readWaitingSuggestions(db, MAX_SUGGESTIONS)
      const older = found.length > MAX_LISTED ? (curations.at(-1)?.id ?? null) : null
      return { curators: await readCurators(db), curations, older, suggestions, waiting: total }
    },
    undoCuration: (by, id) => undoCurationOf(ports, by, id),
    addCurator: async (by, address, name) => withLetter(await nameCurator(ports, by, address, name)),
    renewLink: async (by, id) => withLetter(await renewCuratorLink(ports, by, await addressOf(id))),
    endCurator: async (by, id) => removeCurator(ports, by, await addressOf(id)),
  }
}

const MAX_ID = 100

/** Whether a text is one that Postgres takes, and no longer than ids are. */
const mayBeId = (text: string): boolean => text.length <= MAX_ID && !/\p{C}/u.test(text)

const search = async (db: Database, typed: string): Promise<FoundPaper[] | 'slow'> => {
  const id = readPaperReference(typed) ?? typed.trim()
  const named = mayBeId(id) ? await readFoundPapers(db, [id]) : []
  if (named.length > 0) return named
  try {
    return await db.transaction().execute(async (trx) => {
      await limitCosts(trx, SEARCH_MS)
      const query = await resolveQuery(trx, searchQuery(typed))
      return query === null ? [] : findPapers(trx, query, MAX_FOUND)
    })
  } catch (error) {
    if (isCancelled(error)) return 'slow'
    throw error
  }
}

const UNKNOWN: Problem = { problem: 'There is no such paper here.' }

const titleOf = async (trx: Database, id: string): Promise<string> => (await readFoundPapers(trx, [id]))[0]?.title ?? id

/** Takes a paper out of everything that readers are shown or sent from now on; mails that were composed stay as they are. */
export const hidePaper = (
  { db, now }: Pick<PaperPorts, 'db' | 'now'>,
  by: Actor,
  id: string,
  typedReason: string,
): Promise<PaperAct> =>
  db.transaction().execute(async (trx): Promise<PaperAct> => {
    if (!mayBeId(id)) return UNKNOWN
    await lockCuratedPaper(trx, id)
    if ((await readPaperState(trx, id)) === 'unknown') return UNKNOWN
    const read = readNote(typedReason, 'Say why: the record keeps it.')
    if ('problem' in read) return read
    const reason = read.note ?? ''
    const at = now()
    if (!(await addOperatorHide(trx, id, { byWhom: by.byWhom, reason, at }))) {
      const first = await readOperatorHide(trx, id)
      return { problem: `${first?.byWhom} hid this paper already (“${first?.reason}”).` }
    }
    if ((await readPaperState(trx, id)) === 'held') await setHidden(trx, id, at)
    await recordAct(trx, { ...by, action: 'paper.hidden', subject: `paper:${id}`, detail: { reason } }, at)
    return { paperId: id, title: await titleOf(trx, id) }
  })

/** Lets a paper in again, whoever hid it; a sample beside real papers stays out. */
export const showPaper = ({ db, now }: Pick<PaperPorts, 'db' | 'now'>, by: Actor, id: string): Promise<PaperAct> =>
  db.transaction().execute(async (trx): Promise<PaperAct> => {
    if (!mayBeId(id)) return UNKNOWN
    await lockCuratedPaper(trx, id)
    if ((await readPaperState(trx, id)) === 'unknown') return UNKNOWN
    const hide = await readOperatorHide(trx, id)
    const curated = (await readInForce(trx, id)).find(({ action }) => action === 'hide')
    if (hide === undefined && curated === undefined) return { problem: 'This paper is not hidden.' }
    const at = now()
    await removeOperatorHide(trx, id)
    if (curated !== undefined) await undoCurationByOperator(trx, curated.id, by.byWhom, at)
    await setHidden(trx, id, null)
    const hidden = [
      ...(hide === undefined ? [] : [{ by: hide.byWhom, reason: hide.reason }]),
      ...(curated === undefined ? [] : [{ by: curated.curator, reason: curated.note }]),
    ]
    await recordAct(trx, { ...by, action: 'paper.shown', subject: `paper:${id}`, detail: { hidden } }, at)
    return { paperId: id, title: await titleOf(trx, id) }
  })

/** Undoes what a curator did; a hide of an operator's own stays. */
const undoCurationOf = ({ db, now }: PaperPorts, by: Actor, id: string): Promise<PaperAct> =>
  db.transaction().execute(async (trx): Promise<PaperAct> => {
    const found = await readCuration(trx, id)
    if (found === undefined) return { problem: 'There is no such entry any more.' }
    const { paperId, action, curator } = found
    await lockCuratedPaper(trx, paperId)
    const at = now()
    if (!(await undoCurationByOperator(trx, id, by.byWhom, at))) return { problem: 'It was undone already.' }
    if (action === 'hide' && (await readOperatorHide(trx, paperId)) === undefined) await setHidden(trx, paperId, null)
    const detail = { curation: id, action, curator }
    await recordAct(trx, { ...by, action: 'curation.undone', subject: `paper:${paperId}`, detail }, at)
    return { paperId, title: found.title ?? paperId }
  })
