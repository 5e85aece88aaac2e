/** What was done by whom: read, and taken back where that is possible. */
import type { Actor } from '../core/operator.ts'
import { type Act, type ActFilter, readAct, readActChoices, readActs, UndoneAlready } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { UnusableEdition } from './edition-control.ts'
import { resumeService, UnusableHold } from './service-hold.ts'

export type { Act, ActFilter } from '../store/audit.ts'

export interface AuditPorts {
  db: Database
  now: () => Date
}

/** Takes an act back by the use case that does the opposite, and is recorded by it; a sentence where that cannot be. */
type Undo = (ports: AuditPorts, by: Actor, act: Act) => Promise<{ problem: string } | null>

/** The acts that can be taken back, and how. Each subject adds its own. */
const UNDOS: Readonly<Record<string, Undo>> = {
  'service.held': async ({ db, now }, by) => {
    await resumeService(db, by, now(), { skipDue: false })
    return null
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

const canUndo = (act: Act): boolean => UNDOS[act.action] !== undefined && act.undone_by === null

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
