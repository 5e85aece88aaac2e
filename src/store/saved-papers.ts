/** The papers that subscribers saved to their reading lists: one row a subscriber and paper. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Whether a subscriber has saved a paper. */
export const hasSaved = async (db: Kysely<Tables>, subscriberId: string, paperId: string): Promise<boolean> => {
  const { rows } = await sql`
    select from saved_papers where subscriber_id = ${subscriberId} and paper_id = ${paperId}`.execute(db)
  return rows.length > 0
}

/** How many papers a subscriber has saved, in all and after an instant. */
export const countSaved = async (
  db: Kysely<Tables>,
  subscriberId: string,
  since: Date,
): Promise<{ all: number; recent: number }> => {
  const { rows } = await sql<{ all: number; recent: number }>`
    select count(*)::int as all, (count(*) filter (where at > ${since}))::int as recent
    from saved_papers where subscriber_id = ${subscriberId}`.execute(db)
  return rows[0] ?? { all: 0, recent: 0 }
}

/** Saves a paper for a subscriber, who is locked and has not saved it; `digestDate`: `YYYY-MM-DD`. */
export const storeSaved = async (
  db: Kysely<Tables>,
  saved: { subscriberId: string; paperId: string; at: Date; digestDate: string | null },
): Promise<void> => {
  const { subscriberId, paperId, at, digestDate } = saved
  await db
    .insertInto('saved_papers')
    .values({ subscriber_id: subscriberId, paper_id: paperId, at, digest_date: digestDate })
    .execute()
}

/** Takes a paper off a list; `false`: it is not there. */
export const deleteSaved = async (db: Kysely<Tables>, subscriberId: string, paperId: string): Promise<boolean> => {
  const { rows } = await sql`
    delete from saved_papers where subscriber_id = ${subscriberId} and paper_id = ${paperId} returning 1`.execute(db)
  return rows.length > 0
}

/** What a subscriber saved, the oldest first. */
export const readSavedOf = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('saved_papers as s')
    .innerJoin('papers as p', 'p.id', 's.paper_id')
    .innerJoin('paper_texts as t', (join) =>
      join.onRef('t.paper_id', '=', 'p.id').onRef('t.revision', '=', 'p.revision'),
    )
    .select(['s.paper_id as id', 't.title', 's.at', 's.read_at as readAt', 's.digest_date as digestDate'])
    .where('s.subscriber_id', '=', subscriberId)
    .orderBy('s.at')
    .orderBy('s.paper_id')
    .execute()

/** Gives the list of a subscriber to another, who keeps what they saved of their own. */
export const moveSaved = async (db: Kysely<Tables>, from: string, to: string): Promise<void> => {
  await sql`
    with moved as (delete from saved_papers where subscriber_id = ${from} returning *)
    insert into saved_papers (subscriber_id, paper_id, at, read_at, digest_date)
    select ${to}::uuid, paper_id, at, read_at, digest_date from moved on conflict do nothing`.execute(db)
}

/** The local date of the newest digest of a reader's last 30 days, their welcome included, that has a paper; `null`: none has. */
export const readDigestDateOf = async (
  db: Kysely<Tables>,
  subscriberId: string,
  paperId: string,
  now: Date,
): Promise<string | null> => {
  const has = sql`d.entries @> jsonb_build_array(jsonb_build_object('paperId', ${paperId}::text))`
  const today = sql`${now}::timestamptz::date`
  const { rows } = await sql<{ date: string | null }>`
    select greatest(
      (select max(m.local_date) from deliveries m join digests d on d.id = m.digest_id
        where m.subscriber_id = ${subscriberId} and m.local_date between ${today} - 30 and ${today} + 1
          and m.state not in ('canceled', 'skipped') and ${has}),
      (select max(d.local_date) from letters m join digests d on d.id = m.digest_id
        where m.subscriber_id = ${subscriberId} and d.local_date >= ${today} - 30 and ${has})) as date`.execute(db)
  return rows[0]?.date ?? null
}

/** A paper of a list. */
export interface SavedPaper {
  id: string
  at: Date
  readAt: Date | null
  /** `YYYY-MM-DD` */
  digestDate: string | null
}

/** Which papers of a list: `read` or still to be read, or all where it is left out; of a topic that they score `gate` or more in. */
export interface SavedChoice {
  read?: boolean
  topic?: { slug: string; gate: number }
}

const chosen = ({ read, topic }: SavedChoice) => {
  const isState = read === undefined ? sql`true` : sql`(s.read_at is not null) = ${read}`
  if (topic === undefined) return isState
  return sql`${isState} and exists (select from paper_topics r
    where r.paper_id = s.paper_id and r.topic = ${topic.slug} and r.score >= ${topic.gate})`
}

/** At most `limit` papers of a subscriber's list, the newest first, from after one of them on. */
export const readSavedPapers = async (
  db: Kysely<Tables>,
  subscriberId: string,
  choice: SavedChoice,
  { after, limit }: { after: Pick<SavedPaper, 'id' | 'at'> | null; limit: number },
): Promise<SavedPaper[]> => {
  const isAfter = after === null ? sql`true` : sql`(s.at, s.paper_id) < (${after.at}::timestamptz, ${after.id})`
  const { rows } = await sql<SavedPaper>`
    select s.paper_id as id, s.at, s.read_at as "readAt", s.digest_date as "digestDate"
    from saved_papers s where s.subscriber_id = ${subscriberId} and ${isAfter} and ${chosen(choice)}
    order by s.at desc, s.paper_id desc limit ${limit}`.execute(db)
  return rows
}

/** How many papers of a list are to be read and were read. */
export const countSavedByState = async (
  db: Kysely<Tables>,
  subscriberId: string,
): Promise<{ unread: number; read: number }> => {
  const { rows } = await sql<{ unread: number; read: number }>`
    select count(*) filter (where read_at is null)::int as unread, count(read_at)::int as read
    from saved_papers where subscriber_id = ${subscriberId}`.execute(db)
  return rows[0] ?? { unread: 0, read: 0 }
}

/** How many papers of a part of a list score `gate` or more in each topic. */
export const countSavedByTopic = async (
  db: Kysely<Tables>,
  subscriberId: string,
  { read }: Pick<SavedChoice, 'read'>,
  gate: number,
): Promise<Map<string, number>> => {
  const { rows } = await sql<{ topic: string; count: number }>`
    select r.topic, count(*)::int as count
    from saved_papers s join paper_topics r on r.paper_id = s.paper_id and r.score >= ${gate}
    where s.subscriber_id = ${subscriberId} and ${chosen(read === undefined ? {} : { read })} group by r.topic`.execute(
    db,
  )
  return new Map(rows.map(({ topic, count }) => [topic, count]))
}

/** Notes when a subscriber was done with a paper, or that it is still to be read; `false`: it is not in their list. */
export const setSavedRead = async (
  db: Kysely<Tables>,
  subscriberId: string,
  paperId: string,
  readAt: Date | null,
): Promise<boolean> => {
  const { rows } = await sql`
    update saved_papers set read_at = ${readAt}
    where subscriber_id = ${subscriberId} and paper_id = ${paperId} returning 1`.execute(db)
  return rows.length > 0
}
