/** What curators do to papers: picks, pins and hides, each in force until it is undone. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Whether an action `c` was in force at an instant: there by then, and undone later or never. */
const inForceAt = (at: Date): RawBuilder<boolean> => sql`c.at <= ${at} and (c.undone_at is null or c.undone_at > ${at})`

/** A pick, as readers see it. */
export interface Pick {
  /** The curator's name. */
  curator: string
  /** Why it was picked. */
  note: string
  at: Date
}

/** The picks of some papers that were in force at an instant, by paper id: at most one each, the first of several. */
export const readPicks = async (
  db: Kysely<Tables>,
  paperIds: readonly string[],
  at: Date,
): Promise<Map<string, Pick>> => {
  if (paperIds.length === 0) return new Map()
  const { rows } = await sql<Pick & { paperId: string }>`
    select distinct on (c.paper_id) c.paper_id as "paperId", u.name as curator, c.note, c.at
    from curations c join curators u on u.id = c.curator_id
    where c.paper_id = any(${paperIds}::text[]) and c.action = 'pick' and ${inForceAt(at)}
    order by c.paper_id, c.at`.execute(db)
  return new Map(rows.map(({ paperId, ...pick }) => [paperId, pick]))
}

/** A paper that is pinned to a list day, as readers see it. */
export interface Pin {
  paperId: string
  /** The curator's name. */
  curator: string
  /** `null` where none was given. */
  note: string | null
  at: Date
}

/** The pins of some list days (`YYYY-MM-DD`) that were in force at an instant, by day, the first pinned first. */
export const readPins = async (
  db: Kysely<Tables>,
  listDays: readonly string[],
  at: Date,
): Promise<Map<string, Pin[]>> => {
  if (listDays.length === 0) return new Map()
  const { rows } = await sql<Pin & { listDay: string }>`
    select c.list_day as "listDay", c.paper_id as "paperId", u.name as curator, c.note, c.at
    from curations c join curators u on u.id = c.curator_id
    where c.list_day = any(${listDays}::date[]) and c.action = 'pin' and ${inForceAt(at)}
    order by c.list_day, c.at, c.paper_id`.execute(db)
  const pins = new Map<string, Pin[]>()
  for (const { listDay, ...pin } of rows) pins.set(listDay, [...(pins.get(listDay) ?? []), pin])
  return pins
}
