/** The record of what was done by whom: rows are added, and neither changed nor deleted by anybody. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Actor } from '../core/operator.ts'
import type { Tables } from './database.ts'

export interface NewAct extends Actor {
  /** A noun and what became of it: `edition.paused`, `suppression.removed`. */
  action: string
  /** Kind and id, as `edition:12`; `null` where it was the service as a whole. An address only masked (`masked-address`). */
  subject: string | null
  /** What else is worth knowing: counts, reasons, ids. No address in whole, so that erasure need not touch the record. */
  detail?: Record<string, unknown>
  /** The entry that this act takes back. */
  undoes?: number | null
}

export type Act = Selectable<Tables['audit_log']>

/**
 * Records an act, in the transaction of the act where there is one; returns the number of the entry, or `null` where `undoes`
 * has been undone already, and then nothing is recorded. `at`: by default the database’s now.
 */
export const recordAct = async (db: Kysely<Tables>, act: NewAct, at: Date | null = null): Promise<number | null> => {
  const { byWhom, via, action, subject, detail = {}, undoes = null } = act
  const { rows } = await sql<{ id: number }>`
    insert into audit_log (at, by_whom, via, action, subject, detail, undoes)
    values (coalesce(${at}::timestamptz, now()), ${byWhom}, ${via}, ${action}, ${subject}, ${JSON.stringify(detail)}::jsonb, ${undoes})
    on conflict (undoes) do nothing returning id`.execute(db)
  return rows[0]?.id ?? null
}
