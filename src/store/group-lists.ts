/** The lists of groups, composed once for each week, and what members saved before. */
import { type Kysely, sql } from 'kysely'
import type { DigestEntry } from '../core/digest/digest.ts'
import type { Tables } from './database.ts'

export interface GroupList {
  /** The day of the group that it is for, `YYYY-MM-DD`. */
  localDate: string
  cutoff: Date
  entries: DigestEntry[]
}

/** The lists of a group from a date on, the newest first. */
export const readGroupLists = async (db: Kysely<Tables>, groupId: string, from: string): Promise<GroupList[]> => {
  const rows = await db
    .selectFrom('group_lists')
    .select(['local_date as localDate', 'cutoff', 'entries'])
    .where('group_id', '=', groupId)
    .where('local_date', '>=', from)
    .orderBy('local_date', 'desc')
    .execute()
  return rows
}

/** Freezes a list; `false` where there is one of that day already, which stays. */
export const storeGroupList = async (
  db: Kysely<Tables>,
  groupId: string,
  { localDate, cutoff, entries }: GroupList,
): Promise<boolean> => {
  const { rows } = await sql`
    insert into group_lists (group_id, local_date, cutoff, entries)
    select id, ${localDate}, ${cutoff}, ${JSON.stringify(entries)}::jsonb from groups where id = ${groupId}
    on conflict do nothing returning 1`.execute(db)
  return rows.length > 0
}

/** Papers of one member that count: who saves a whole day's list has chosen nothing. */
const MOST_OF_ONE = 20

/**
 * How many members of a group saved each paper after `since` and by `until`, while they were members, and are subscribed; of
 * each member their newest 20.
 */
export const countGroupSaves = async (
  db: Kysely<Tables>,
  groupId: string,
  { since, until }: { since: Date; until: Date },
): Promise<Map<string, number>> => {
  const { rows } = await sql<{ paperId: string; count: number }>`
    select p.paper_id as "paperId", count(*)::int as count
    from group_members m join subscribers s on s.id = m.subscriber_id and s.state in ('active', 'paused')
      cross join lateral (select paper_id from saved_papers where subscriber_id = m.subscriber_id
        and at > greatest(${since}, m.joined_at) and at <= ${until} order by at desc, paper_id limit ${MOST_OF_ONE}) p
    where m.group_id = ${groupId} group by p.paper_id`.execute(db)
  return new Map(rows.map(({ paperId, count }) => [paperId, count]))
}

/** Deletes lists of days before a date (`YYYY-MM-DD`); digests have their own copy of what they brought. */
export const deleteGroupLists = async (
  db: Kysely<Tables>,
  before: string,
  { limit, dryRun }: { limit: number; dryRun: boolean },
): Promise<number> => {
  const old = sql`select group_id, local_date from group_lists where local_date < ${before}::date limit ${dryRun ? sql`null` : sql`${limit}`}`
  const { rows } = await (dryRun
    ? old
    : sql`delete from group_lists where (group_id, local_date) in (${old}) returning 1`
  ).execute(db)
  return rows.length
}
