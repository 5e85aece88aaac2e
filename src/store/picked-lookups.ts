/** Picked papers that no source has brought, and what arXiv said when it was asked for them. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** A paper may be picked before arXiv shows it: one that it does not know is asked for again a day later, so many times. */
const MAX_REQUESTS = 5

export interface WantedPaper {
  paperId: string
  /** Under which it stands, `YYYY-MM-DD`. */
  listDay: string
}

/** At most `max` picked papers that are not held and are to be asked for by now, the first picked first. */
export const readWantedPapers = async (db: Kysely<Tables>, now: Date, max: number): Promise<WantedPaper[]> => {
  const { rows } = await sql<WantedPaper>`
    select c.paper_id as "paperId", c.list_day as "listDay"
    from curations c left join picked_lookups l on l.paper_id = c.paper_id
    where c.action = 'pick' and c.undone_at is null and not exists (select from papers p where p.id = c.paper_id)
      and (l.paper_id is null or l.times < ${MAX_REQUESTS} and l.asked_at < ${now}::timestamptz - interval '1 day')
    order by c.at, c.id limit ${max}`.execute(db)
  return rows
}

/** Notes that arXiv was asked for papers and did not know them. */
export const storeUnknown = async (db: Kysely<Tables>, paperIds: readonly string[], at: Date): Promise<void> => {
  await sql`insert into picked_lookups as l (paper_id, asked_at) select id, ${at} from unnest(${paperIds}::text[]) as id
    on conflict (paper_id) do update set asked_at = excluded.asked_at, times = l.times + 1`.execute(db)
}

/** A paper that is picked anew is asked for anew. */
export const forgetLookup = async (db: Kysely<Tables>, paperId: string): Promise<void> => {
  await db.deleteFrom('picked_lookups').where('paper_id', '=', paperId).execute()
}
