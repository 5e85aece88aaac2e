/** Who was sent which papers, as far back as mails are kept: asked for a few papers and the readers of a chunk. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database.ts'

/** The papers of a digest `d`: those of digests from before the column stand in their entries. */
const PAPERS = sql`coalesce(d.papers, array(select e ->> 'paperId' from jsonb_array_elements(d.entries) e))`

/**
 * The local dates of the digests that had some papers, by paper, welcomes left out: as counted of complete editions, and
 * looked up in those that are not. Papers that were in none are left out.
 */
export const readDigestDates = async (db: Kysely<Tables>, ids: readonly string[]): Promise<Map<string, string[]>> => {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<{ id: string; day: string }>`
    select paper_id as id, local_date as day from paper_digests where paper_id = any(${ids})
    union
    select p.id, d.local_date from editions n join digests d on d.edition_id = n.id
    cross join lateral unnest(${PAPERS}) p(id)
    where n.canceled_at is null and (n.completed_at is null or n.papers_counted_at is distinct from n.completed_at)
      and ${PAPERS} && ${ids}::text[] and p.id = any(${ids}::text[])`.execute(db)
  const dates = Map.groupBy(rows, ({ id }) => id)
  return new Map([...dates].map(([id, found]) => [id, found.map(({ day }) => day)]))
}

export interface SentTo {
  /** The ids of readers to whom the same applies, with commas between. */
  members: string
  /** Of the papers asked for, those that were sent to them, and on which local date first. */
  sent: { id: string; on: string }[]
  /** Those that are under way to them: owed, deferred, or with an outcome that is not known yet. */
  underWay: string[]
  /** Whether one of the digests `last` did not reach them: it was skipped, failed, or was called off. */
  missedLast: boolean
}

/**
 * What was sent to some readers of some papers, in the digests of `dates` and in welcomes. Readers of whom nothing is to be
 * said are left out. What was sent before a subscription moved here from another address counts. A paper that another only
 * names ("See also") was not sent.
 */
export const readSentTo = async (
  db: Kysely<Tables>,
  { readers, papers, dates, last }: { readers: string[]; papers: string[]; dates: string[]; last: number[] },
): Promise<SentTo[]> => {
  const { rows } = await sql<{ members: string; marks: string[] }>`
    with readers as materialized (
      select s.id, w.whose from subscribers s cross join lateral (values (s.id), (s.moved_from)) w(whose)
      where s.id = any(${readers}::uuid[]) and w.whose is not null),
    -- Each reader by the index, however few readers there are: what a month holds is not read for a chunk.
    mails as materialized (
      select r.id, m.* from readers r cross join lateral (
        select m.digest_id, m.state, m.local_date from deliveries m
        where m.subscriber_id = r.whose and m.local_date = any(${dates}::date[]) offset 0) m
      union all
      select r.id, l.*, null from readers r cross join lateral (
        select l.digest_id, l.state from letters l where l.subscriber_id = r.whose and l.kind = 'welcome' offset 0) l),
    held as materialized (
      select d.id, d.local_date, p.id as paper
      from (select distinct digest_id from mails) m
      cross join lateral (select d.* from digests d where d.id = m.digest_id offset 0) d
      cross join lateral unnest(${PAPERS}) p(id) where p.id = any(${papers}::text[])),
    sent as (
      select m.id, h.paper, min(coalesce(m.local_date, h.local_date)) filter (where m.state = 'sent') as sent_on
      from mails m join held h on h.id = m.digest_id
      where m.state not in ('failed', 'skipped', 'canceled') group by 1, 2),
    marks as (
      select id, coalesce(sent_on::text, '?') || ' ' || paper as mark from sent
      union
      select id, '!' from mails where digest_id = any(${last}::bigint[]) and state in ('failed', 'skipped', 'canceled')),
    readings as (select id, array_agg(mark order by mark) as marks from marks group by id)
    select string_agg(id::text, ',') as members, marks from readings group by marks`.execute(db)
  return rows.map(({ members, marks }) => {
    const told = marks
      .filter((mark) => mark !== '!')
      .map((mark) => ({ on: mark.slice(0, mark.indexOf(' ')), id: mark.slice(mark.indexOf(' ') + 1) }))
    return {
      members,
      sent: told.filter(({ on }) => on !== '?'),
      underWay: told.filter(({ on }) => on === '?').map(({ id }) => id),
      missedLast: marks.includes('!'),
    }
  })
}
