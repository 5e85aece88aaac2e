/** Papers that operators hide, while they do; what curators hide is in `curations`. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

export interface OperatorHide {
  byWhom: string
  reason: string
  at: Date
}

/** Stores a hide; `false` where the paper is hidden by an operator already. */
export const addOperatorHide = async (
  db: Kysely<Tables>,
  paperId: string,
  { byWhom, reason, at }: OperatorHide,
): Promise<boolean> => {
  const { rows } = await sql`insert into operator_hides (paper_id, by_whom, reason, at)
    values (${paperId}, ${byWhom}, ${reason}, ${at}) on conflict do nothing returning 1`.execute(db)
  return rows.length > 0
}

/** Ends a hide; `false` where there is none. */
export const removeOperatorHide = async (db: Kysely<Tables>, paperId: string): Promise<boolean> =>
  (await db.deleteFrom('operator_hides').where('paper_id', '=', paperId).returning('paper_id').execute()).length > 0

export const readOperatorHide = (db: Kysely<Tables>, paperId: string): Promise<OperatorHide | undefined> =>
  db
    .selectFrom('operator_hides')
    .select(['by_whom as byWhom', 'reason', 'at'])
    .where('paper_id', '=', paperId)
    .executeTakeFirst()
