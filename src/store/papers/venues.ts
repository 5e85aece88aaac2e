/** Where papers were accepted or published, as arXiv was asked; what it names later than at first is news. */
import { type Kysely, sql } from 'kysely'
import type { Database, Tables } from '../database.ts'
import { storeNews } from './paper-news.ts'

/** Papers are asked for within so many days of their sighting, so that what is known by then is not taken for news. */
const FIRST_DAYS = 3
/** Papers of digests are asked for again after so many days, until they are as old as this. */
const AGAIN_DAYS = 14
const LAST_DAYS = 365

/**
 * At most `max` ids of papers at arXiv whose venue is to be asked for by `now`: new ones, and those of digests for which none is
 * known, the longest not asked for first. Ids of the old form (before April 2007) are left out, as for categories.
 */
export const readVenueless = async (db: Kysely<Tables>, now: Date, max: number): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    select p.id from papers p
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    left join venue_questions q on q.paper_id = p.id
    where p.hidden_at is null and p.id ~ '^[0-9]{4}[.][0-9]{4,5}$' and q.venue is null
      -- The request for categories asks for its venue as well.
      and (t.categories <> '{}' or exists (select from category_questions c where c.paper_id = p.id))
      and p.first_seen_at > ${now}::timestamptz - ${LAST_DAYS} * interval '1 day'
      and not exists (select from paper_news n where n.paper_id = p.id and n.kind in ('venue', 'withdrawn'))
      and (q.paper_id is null and p.first_seen_at > ${now}::timestamptz - ${FIRST_DAYS} * interval '1 day'
        or (q.paper_id is null or q.asked_at < ${now}::timestamptz - ${AGAIN_DAYS} * interval '1 day')
          and exists (select from paper_digests d where d.paper_id = p.id))
    order by q.asked_at nulls first, p.list_day desc, p.id desc limit ${max}`.execute(db)
  return rows.map((row) => row.id)
}

/**
 * Stores what arXiv said `now` of the venues of the papers `asked`; of those that it does not know or names no venue of, that they were
 * asked for. A venue is news where none was known when the paper was asked for before.
 */
export const storeVenues = (
  db: Database,
  asked: readonly string[],
  venues: ReadonlyMap<string, string | null>,
  now: Date,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string; isNews: boolean }>`
      insert into venue_questions as q (paper_id, asked_at, venue)
      select u.id, ${now}::timestamptz, u.venue
      from unnest(${asked}::text[], ${asked.map((id) => venues.get(id) ?? null)}::text[]) as u(id, venue)
      order by u.id
      on conflict (paper_id) do update set asked_at = excluded.asked_at
      returning paper_id as id, xmax <> 0 and q.venue is null as "isNews"`.execute(trx)
    await storeNews(
      trx,
      rows.flatMap(({ id, isNews }) => {
        const venue = venues.get(id) ?? null
        return isNews && venue !== null
          ? [{ paperId: id, kind: 'venue' as const, version: null, venue, seenAt: now }]
          : []
      }),
    )
  })

/** The venue of a paper, as arXiv said it first or later; `null` where none is known. */
export const readVenueOf = async (db: Kysely<Tables>, id: string): Promise<string | null> => {
  const { rows } = await sql<{ venue: string | null }>`
    select coalesce((select venue from paper_news where paper_id = ${id} and kind = 'venue'),
      (select venue from venue_questions where paper_id = ${id})) as venue`.execute(db)
  return rows[0]?.venue ?? null
}
