/** The votes of readers for papers: one a subscriber and paper. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/**
 * How many readers had voted for each of some papers by an instant of the service's clock, by paper id; papers without a
 * vote are left out. A vote that was taken back, or whose reader was erased, does not count for any instant.
 */
export const countVotes = async (
  db: Kysely<Tables>,
  paperIds: readonly string[],
  until: Date,
): Promise<Map<string, number>> => {
  if (paperIds.length === 0) return new Map()
  const { rows } = await sql<{ paperId: string; count: number }>`
    select paper_id as "paperId", count(*)::int as count from votes
    where paper_id = any(${paperIds}::text[]) and at <= ${until}
    group by paper_id`.execute(db)
  return new Map(rows.map(({ paperId, count }) => [paperId, count]))
}
