/** What was done by whom: read, and taken back where that is possible. */
import type { Actor } from '../core/operator.ts'
import { type Act, type ActFilter, readAct, readActChoices, readActs, UndoneAlready } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { readSubscriber } from '../store/subscribers.ts'
import { showPaper } from './administration/papers.ts'
import { pauseEdition, resumeEdition, UnusableEdition } from './edition-control.ts'
import { addSuppression, removeSuppression } from './feedback/suppressions.ts'
import { resumeService, UnusableHold } from './service-hold.ts'

export type { Act, ActFilter } from '../store/audit.ts'

export interface AuditPorts {
  db: Database
  now: () => Date
}

/** Takes an act back by the use case that does the opposite, and is recorded by it; a sentence where that cannot be. */
type Undo = (ports: AuditPorts, by: Actor, act: Act) => Promise<{ problem: string } | null>

const WHY_UNDONE = 'what was done before is undone'

/** The number at the end of a subject, as of `edition:12`. */
const idOf = ({ subject }: Act): number => Number(subject?.split(':')[1])

/** The address of the subscriber whom an act was about; `null` where it was about nobody’s, or they are erased. */
const addressOf = async (db: Database, { subject }: Act): Promise<string | null> => {
  const [kind, id = ''] = subject?.split(':') ?? []
  return kind === 'subscriber' ? ((await readSubscriber(db, { id }))?.email ?? null) : null
}

/** The record holds no whole address. */
const NO_ADDRESS = { problem: 'The record does not hold the address. Find it under Suppressions.' }

/** The acts that can be taken back, and how. Each subject adds its own. */
const UNDOS: Readonly<Record<string, Undo>> = {
  'edition.paused': async ({ db }, by, act) => {
    await resumeEdition(db, idOf(act), by)
    return null
  },
  'edition.resumed': async ({ db }, by, act) => {
    await pauseEdition(db, idOf(act), { by: by.byWhom, why: WHY_UNDONE }, by)
    return null
  },
  'suppression.added': async ({ db, now }, by, act) => {
    const email = await addressOf(db, act)
    if (email === null) return NO_ADDRESS
    const removed = await removeSuppression(db, now(), email, { ...by, whom: by.byWhom, why: WHY_UNDONE })
    return removed === null ? { problem: 'The address is not suppressed any more.' } : null
  },
  'suppression.removed': async ({ db }, by, act) => {
    const email = await addressOf(db, act)
    if (email === null) return NO_ADDRESS
    const added = await addSuppression(db, email, { ...by, whom: by.byWhom, why: WHY_UNDONE })
    return 'added' in added && added.added ? null : { problem: 'The address is suppressed already.' }
  },
  'service.held': async ({ db, now }, by) => {
    await resumeService(db, by, now(), { skipDue: false })
    return null
  },
  'paper.hidden': async (ports, by, { subject }) => {
    const shown = await showPaper(ports, by, (subject ?? '').replace(/^paper:/, ''))
    return 'problem' in shown ? shown : null
  },
}

const ENTRIES = 50

export interface ActPage {
  acts: (Act & { canUndo: boolean })[]
  /** The number after which older ones follow; `null` where there are none. */
  older: number | null
}

export type UndoResult = 'undone' | { problem: string }

export interface Audit {
  read(filter: ActFilter, before: number | null): Promise<ActPage>
  readChoices(): Promise<{ byWhom: string[]; actions: string[] }>
  /** Takes an act back; `by` is recorded as who did. */
  undo(by: Actor, id: number): Promise<UndoResult>
}

/** An act on an address that is no subscriber's cannot be: the record does not hold it. */
const canUndo = (act: Act): boolean =>
  UNDOS[act.action] !== undefined && act.undone_by === null && act.subject?.startsWith('address:') !== true

export const createAudit = (ports: AuditPorts): Audit => ({
  async read(filter, before) {
    const found = await readActs(ports.db, filter, before, ENTRIES + 1)
    const acts = found.slice(0, ENTRIES).map((act) => ({ ...act, canUndo: canUndo(act) }))
    return { acts, older: found.length > ENTRIES ? (acts.at(-1)?.id ?? null) : null }
  },
  readChoices: () => readActChoices(ports.db),
  async undo(by, id) {
    const act = await readAct(ports.db, id)
    const undo = act === undefined ? undefined : UNDOS[act.action]
    if (act === undefined) return { problem: 'There is no such entry.' }
    if (undo === undefined) return { problem: 'This cannot be undone.' }
    if (act.undone_by !== null) return { problem: 'It was undone before.' }
    try {
      return (await undo(ports, { ...by, undoes: id }, act)) ?? 'undone'
    } catch (error) {
      if (error instanceof UndoneAlready) return { problem: 'It was undone before.' }
      if (error instanceof UnusableEdition || error instanceof UnusableHold) return { problem: sentenceOf(error) }
      throw error
    }
  },
})

const sentenceOf = ({ message }: Error): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
