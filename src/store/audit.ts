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
}

export type Act = Selectable<Tables['audit_log']> & {
  /** The entry that took this one back. */
  undone_by: number | null
}

/** An act was taken back by somebody else before. */
export class UndoneAlready extends Error {}

/**
 * Records an act, in the transaction of the act where there is one. Throws `UndoneAlready` where it takes back what was taken
 * back before, so that the transaction is rolled back. `at`: by default the database’s now.
 */
export const recordAct = async (db: Kysely<Tables>, act: NewAct, at: Date | null = null): Promise<void> => {
  const { byWhom, via, action, subject, detail = {}, undoes = null } = act
  const { rows } = await sql`
    insert into audit_log (at, by_whom, via, action, subject, detail, undoes)
    values (coalesce(${at}::timestamptz, now()), ${byWhom}, ${via}, ${action}, ${subject},
      ${JSON.stringify(detail)}::jsonb, ${undoes})
    on conflict (undoes) do nothing returning id`.execute(db)
  if (rows.length === 0) throw new UndoneAlready(`entry ${undoes} was undone before`)
}

/** Which acts: by whom, of which action (or all of a noun, as `edition`), on what. */
export interface ActFilter {
  byWhom: string | null
  action: string | null
  subject: string | null
}

/** Acts, the newest first; `before`: the number of the one after which older ones follow. */
export const readActs = async (
  db: Kysely<Tables>,
  { byWhom, action, subject }: ActFilter,
  before: number | null,
  most: number,
): Promise<Act[]> => {
  const { rows } = await sql<Act>`
    select a.*, (select u.id from audit_log u where u.undoes = a.id) as undone_by from audit_log a
    where true ${byWhom === null ? sql`` : sql`and a.by_whom = ${byWhom}`}
      ${subject === null ? sql`` : sql`and a.subject = ${subject}`}
      ${action === null ? sql`` : action.includes('.') ? sql`and a.action = ${action}` : sql`and a.action like ${`${action}.%`}`}
      ${before === null ? sql`` : sql`and a.id < ${before}`}
    order by a.id desc limit ${most}`.execute(db)
  return rows
}

export const readAct = async (db: Kysely<Tables>, id: number): Promise<Act | undefined> =>
  (
    await sql<Act>`select a.*, (select u.id from audit_log u where u.undoes = a.id) as undone_by
      from audit_log a where a.id = ${id}`.execute(db)
  ).rows[0]

/** Who has ever acted, and which actions there are, for a choice. */
export const readActChoices = async (db: Kysely<Tables>): Promise<{ byWhom: string[]; actions: string[] }> => {
  const names = (column: 'by_whom' | 'action') =>
    // A loose index scan: one step an entry of the answer, however long the record is.
    sql<{ name: string }>`
      with recursive each (name) as (
        (select min(${sql.ref(column)}) from audit_log)
        union all select (select min(${sql.ref(column)}) from audit_log where ${sql.ref(column)} > each.name)
          from each where each.name is not null)
      select name from each where name is not null`.execute(db)
  const [byWhom, actions] = [await names('by_whom'), await names('action')]
  return { byWhom: byWhom.rows.map(({ name }) => name), actions: actions.rows.map(({ name }) => name) }
}
