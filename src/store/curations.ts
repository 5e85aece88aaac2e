/** What curators do to papers: picks, pins and hides, each in force until it is undone. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { CurationAction, Tables } from './database.ts'

/** Whether an action `c` was in force at an instant: there by then, and undone later or never. */
const inForceAt = (at: Date): RawBuilder<boolean> => sql`c.at <= ${at} and (c.undone_at is null or c.undone_at > ${at})`

/** A pick, as readers see it. */
export interface PaperPick {
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
): Promise<Map<string, PaperPick>> => {
  if (paperIds.length === 0) return new Map()
  const { rows } = await sql<PaperPick & { paperId: string }>`
    select distinct on (c.paper_id) c.paper_id as "paperId", u.name as curator, c.note, c.at
    from curations c join curators u on u.id = c.curator_id
    where c.paper_id = any(${paperIds}::text[]) and c.action = 'pick' and ${inForceAt(at)}
    order by c.paper_id, c.at`.execute(db)
  return new Map(rows.map(({ paperId, ...pick }) => [paperId, pick]))
}

/** A paper that is pinned to a list day, as readers see it. */
export interface PaperPin {
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
): Promise<Map<string, PaperPin[]>> => {
  if (listDays.length === 0) return new Map()
  const { rows } = await sql<PaperPin & { listDay: string }>`
    select c.list_day as "listDay", c.paper_id as "paperId", u.name as curator, c.note, c.at
    from curations c join curators u on u.id = c.curator_id
    where c.list_day = any(${listDays}::date[]) and c.action = 'pin' and ${inForceAt(at)}
    order by c.list_day, c.at, c.paper_id`.execute(db)
  const pins = new Map<string, PaperPin[]>()
  for (const { listDay, ...pin } of rows) pins.set(listDay, [...(pins.get(listDay) ?? []), pin])
  return pins
}

/** What a curator did, as the curators' page lists it. */
export interface Curation {
  id: string
  action: CurationAction
  paperId: string
  /** `null` where the paper is not held. */
  title: string | null
  note: string | null
  /** `YYYY-MM-DD`; `null` of a hide. */
  listDay: string | null
  curator: string
  at: Date
  undoneBy: string | null
  undoneAt: Date | null
  /** When arXiv was last asked for a picked paper that is not held, and did not know it; `null` where it was not yet. */
  askedAt: Date | null
}

const CURATION = sql`
    select c.id, c.action, c.paper_id as "paperId", t.title, c.note, c.list_day as "listDay", u.name as curator, c.at,
      coalesce(v.name, c.undone_by_operator) as "undoneBy", c.undone_at as "undoneAt", l.asked_at as "askedAt"
    from curations c join curators u on u.id = c.curator_id left join curators v on v.id = c.undone_by
    left join papers p on p.id = c.paper_id left join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    left join picked_lookups l on l.paper_id = c.paper_id`

/** At most `max` of what all curators did, the newest first, from the one after `after` (an id) on. */
export const listCurations = async (db: Kysely<Tables>, after: string | null, max: number): Promise<Curation[]> => {
  const from = after === null ? sql`true` : sql`(c.at, c.id) < (select at, id from curations where id = ${after}::uuid)`
  const { rows } = await sql<Curation>`${CURATION} where ${from} order by c.at desc, c.id desc limit ${max}`.execute(db)
  return rows
}

/** What a curator did, by its id (a UUID). */
export const readCuration = async (db: Kysely<Tables>, id: string): Promise<Curation | undefined> => {
  const { rows } = await sql<Curation>`${CURATION} where c.id = ${id}::uuid`.execute(db)
  return rows[0]
}

/** What is in force for a paper now, of each action at most one. */
export const readInForce = async (db: Kysely<Tables>, paperId: string): Promise<Curation[]> => {
  const { rows } = await sql<Curation>`${CURATION} where c.paper_id = ${paperId} and c.undone_at is null`.execute(db)
  return rows
}

/** Makes whatever else curators do to this paper wait for the end of `trx`, so that of two at the same moment one is first. */
export const lockCuratedPaper = async (trx: Kysely<Tables>, paperId: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtext('paper-round curation'), hashtext(${paperId}))`.execute(trx)
}

export const addCuration = async (
  db: Kysely<Tables>,
  curation: Pick<Tables['curations'], 'curator_id' | 'action' | 'paper_id' | 'note' | 'list_day' | 'at'>,
): Promise<void> => {
  await db
    .insertInto('curations')
    .values({ ...curation, undone_at: null, undone_by: null, undone_by_operator: null })
    .execute()
}

/** Undoes what a curator did; `false` where it was undone before. */
export const undoCuration = async (db: Kysely<Tables>, id: string, by: string, at: Date): Promise<boolean> => {
  const undone = await db
    .updateTable('curations')
    .set({ undone_at: at, undone_by: by })
    .where('id', '=', id)
    .where('undone_at', 'is', null)
    .returning('id')
    .execute()
  return undone.length > 0
}

/** Undoes what a curator did, by an operator of this name; `false` where it was undone before. */
export const undoCurationByOperator = async (
  db: Kysely<Tables>,
  id: string,
  operator: string,
  at: Date,
): Promise<boolean> => {
  const { rows } = await sql`update curations set undone_at = ${at}, undone_by_operator = ${operator}
    where id = ${id}::uuid and undone_at is null returning 1`.execute(db)
  return rows.length > 0
}

/** How much a curator did and undid since an instant. */
export const countCurations = async (db: Kysely<Tables>, curatorId: string, since: Date): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select ((select count(*) from curations where curator_id = ${curatorId} and at > ${since})
      + (select count(*) from curations where undone_by = ${curatorId} and undone_at > ${since}))::int as count`.execute(
    db,
  )
  return rows[0]?.count ?? 0
}

/** Takes a paper out of everything that readers are shown or sent, or lets it in again, save a sample beside real papers. */
export const setHidden = async (db: Kysely<Tables>, paperId: string, at: Date | null): Promise<void> => {
  await sql`update papers set hidden_at = ${at} where id = ${paperId}
    and (${at}::timestamptz is not null or source <> 'sample'
      or not exists (select from papers where source <> 'sample'))`.execute(db)
}

/** Whether papers of a list day are held, hidden ones left out. */
export const hasListDay = async (db: Kysely<Tables>, listDay: string): Promise<boolean> => {
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from papers where list_day = ${listDay}::date and hidden_at is null) as any`.execute(db)
  return rows[0]?.any ?? false
}

/** Whether a paper is held, and readers may see it. */
export const readPaperState = async (db: Kysely<Tables>, paperId: string): Promise<'held' | 'hidden' | 'unknown'> => {
  const row = await db.selectFrom('papers').select('hidden_at').where('id', '=', paperId).executeTakeFirst()
  if (row === undefined) return 'unknown'
  return row.hidden_at === null ? 'held' : 'hidden'
}

/** When a paper that is held was last news for digests: since its sighting, or its first listing by Hugging Face. */
export const readNewsInstant = async (db: Kysely<Tables>, paperId: string): Promise<Date | undefined> => {
  const row = await db
    .selectFrom('papers')
    .select(sql<Date>`greatest(eligible_at, eligible_again_at)`.as('at'))
    .where('id', '=', paperId)
    .executeTakeFirst()
  return row?.at
}
