/** Papers that readers suggest, and what curators decided; nothing is kept of who suggested. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'
import type { DeleteOptions } from './retention.ts'

/** A suggestion that waits for a curator. */
export interface Suggestion {
  id: string
  paperId: string
  /** `null` where none was given. */
  note: string | null
  at: Date
}

/** The suggestions that wait, the oldest first, at most `max`, and how many there are. */
export const readWaitingSuggestions = async (
  db: Kysely<Tables>,
  max: number,
): Promise<{ suggestions: Suggestion[]; total: number }> => {
  const suggestions = await db
    .selectFrom('suggestions')
    .select(['id', 'paper_id as paperId', 'note', 'at'])
    .where('decided_at', 'is', null)
    .orderBy('at')
    .orderBy('id')
    .limit(max)
    .execute()
  return { suggestions, total: await countWaitingSuggestions(db) }
}

export const countWaitingSuggestions = async (db: Kysely<Tables>): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from suggestions where decided_at is null`.execute(db)
  return rows[0]?.count ?? 0
}

/** A suggestion by its id (a UUID), with what was decided and by whom. */
export const readSuggestion = async (db: Kysely<Tables>, id: string) => {
  const { rows } = await sql<Suggestion & { decision: 'picked' | 'declined' | null; decidedBy: string | null }>`
    select s.id, s.paper_id as "paperId", s.note, s.at, s.decision, u.name as "decidedBy"
    from suggestions s left join curators u on u.id = s.decided_by where s.id = ${id}::uuid`.execute(db)
  return rows[0]
}

/** The newest suggestion of a paper: whether it waits, or when it was decided; `undefined` where there is none. */
export const readNewestSuggestion = (db: Kysely<Tables>, paperId: string) =>
  db
    .selectFrom('suggestions')
    .select(['decision', 'decided_at as decidedAt'])
    .where('paper_id', '=', paperId)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Stores a suggestion; `false` where one of this paper waits already. */
export const addSuggestion = async (
  db: Kysely<Tables>,
  { paperId, note, at }: Omit<Suggestion, 'id'>,
): Promise<boolean> => {
  const { rows } = await sql`
    insert into suggestions (paper_id, note, at) values (${paperId}, ${note}, ${at})
    on conflict (paper_id) where decided_at is null do nothing returning 1`.execute(db)
  return rows.length > 0
}

/** Decides the suggestion of a paper that waits, if there is one. */
export const decideSuggestion = async (
  db: Kysely<Tables>,
  paperId: string,
  decision: 'picked' | 'declined',
  { by, at }: { by: string; at: Date },
): Promise<void> => {
  await db
    .updateTable('suggestions')
    .set({ decision, decided_by: by, decided_at: at })
    .where('paper_id', '=', paperId)
    .where('decided_at', 'is', null)
    .execute()
}

/** Suggestions from before an instant, decided or not: whoever still cares may suggest again. */
export const deleteSuggestions = async (db: Kysely<Tables>, before: Date, options: DeleteOptions): Promise<number> => {
  const old = sql`select id from suggestions where at < ${before} limit ${options.dryRun ? null : options.limit}`
  const { rows } = await (options.dryRun ? old : sql`delete from suggestions where id in (${old}) returning 1`).execute(
    db,
  )
  return rows.length
}
