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

/** The numbers of votes, by an instant, of the papers of some list days (`YYYY-MM-DD`) that have any. */
export const countVotesOfDays = async (
  db: Kysely<Tables>,
  listDays: readonly string[],
  until: Date,
): Promise<number[]> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from papers p join votes v on v.paper_id = p.id
    where p.list_day = any(${listDays}::date[]) and p.hidden_at is null and v.at <= ${until}
    group by p.id`.execute(db)
  return rows.map(({ count }) => count)
}

/** Whether a subscriber has voted for a paper. */
export const hasVoted = async (db: Kysely<Tables>, paperId: string, subscriberId: string): Promise<boolean> => {
  const { rows } = await sql`
    select from votes where paper_id = ${paperId} and subscriber_id = ${subscriberId}`.execute(db)
  return rows.length > 0
}

/** Stores a vote of a subscriber, who is locked and has not voted for the paper. */
export const storeVote = async (
  db: Kysely<Tables>,
  { paperId, subscriberId, at }: { paperId: string; subscriberId: string; at: Date },
): Promise<void> => {
  await db.insertInto('votes').values({ paper_id: paperId, subscriber_id: subscriberId, at }).execute()
}

/** Takes a vote back; `false`: there is none. */
export const deleteVote = async (db: Kysely<Tables>, paperId: string, subscriberId: string): Promise<boolean> => {
  const { rows } = await sql`
    delete from votes where paper_id = ${paperId} and subscriber_id = ${subscriberId} returning 1`.execute(db)
  return rows.length > 0
}

/** The votes of a subscriber, the oldest first. */
export const readVotesOf = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('votes as v')
    .innerJoin('papers as p', 'p.id', 'v.paper_id')
    .innerJoin('paper_texts as t', (join) =>
      join.onRef('t.paper_id', '=', 'p.id').onRef('t.revision', '=', 'p.revision'),
    )
    .select(['v.paper_id as id', 't.title', 'v.at'])
    .where('v.subscriber_id', '=', subscriberId)
    .orderBy('v.at')
    .orderBy('v.paper_id')
    .execute()

/** How many votes of a subscriber are from after an instant. */
export const countVotesSince = async (db: Kysely<Tables>, subscriberId: string, since: Date): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from votes where subscriber_id = ${subscriberId} and at > ${since}`.execute(db)
  return rows[0]?.count ?? 0
}

/** Gives the votes of a subscriber to another, who keeps those of their own: together they have one a paper. */
export const moveVotes = async (db: Kysely<Tables>, from: string, to: string): Promise<void> => {
  await sql`
    with moved as (delete from votes where subscriber_id = ${from} returning paper_id, at)
    insert into votes (paper_id, subscriber_id, at) select paper_id, ${to}::uuid, at from moved
    on conflict do nothing`.execute(db)
}
