/** Tastes of readers: what they said of papers, and the weights that were learnt from it. */
import { type Kysely, type Selectable, sql } from 'kysely'
import { GATE } from '../core/relevance/gate.ts'
import type { TastedPaper } from '../core/taste/paper-terms.ts'
import type { Direction, TasteWeight } from '../core/taste/taste.ts'
import type { Tables } from './database.ts'

/** A term that its reader took out, and how it is shown. */
export interface RemovedTerm {
  term: string
  label: string
}

/** The taste of a reader as it is stored. */
export interface StoredTaste {
  on: boolean
  /** As of `movedAt`, the weightiest first. */
  weights: TasteWeight[]
  movedAt: Date
  removed: RemovedTerm[]
  /** Raised by each change. */
  revision: number
}

/** What a reader said of a paper, which is as it is held now. */
export interface StoredPress {
  paperId: string
  direction: Direction
  at: Date
  paper: TastedPaper
}

const tasteOf = (row: Selectable<Tables['tastes']>): StoredTaste => ({
  on: row.is_on,
  weights: row.terms.map((term, n) => ({ term, label: row.labels[n] ?? term, weight: row.weights[n] ?? 0 })),
  movedAt: row.moved_at,
  removed: row.removed.map((term, n) => ({ term, label: row.removed_labels[n] ?? term })),
  revision: row.revision,
})

/** The taste of a subscriber; `null` where they never said or set anything. */
export const readTaste = async (db: Kysely<Tables>, subscriberId: string): Promise<StoredTaste | null> => {
  const row = await db.selectFrom('tastes').selectAll().where('subscriber_id', '=', subscriberId).executeTakeFirst()
  return row === undefined ? null : tasteOf(row)
}

/** The tastes of some subscribers, by their ids; who has none is left out. */
export const readTastes = async (
  db: Kysely<Tables>,
  subscriberIds: readonly string[],
): Promise<Map<string, StoredTaste>> => {
  if (subscriberIds.length === 0) return new Map()
  // Of many readers: JSON is read several times as fast as arrays.
  const { rows } = await sql<Selectable<Tables['tastes']>>`
    select subscriber_id, is_on, to_json(terms) as terms, to_json(labels) as labels, to_json(weights) as weights, moved_at,
      to_json(removed) as removed, to_json(removed_labels) as removed_labels, revision
    from tastes where subscriber_id = any(${subscriberIds}::uuid[])`.execute(db)
  return new Map(rows.map((row) => [row.subscriber_id, tasteOf(row)]))
}

/** Stores the taste of a locked subscriber as its next revision. */
export const storeTaste = async (
  db: Kysely<Tables>,
  subscriberId: string,
  { on, weights, movedAt, removed }: Omit<StoredTaste, 'revision'>,
): Promise<void> => {
  const columns = {
    is_on: on,
    terms: weights.map(({ term }) => term),
    labels: weights.map(({ label }) => label),
    weights: weights.map(({ weight }) => weight),
    moved_at: movedAt,
    removed: removed.map(({ term }) => term),
    removed_labels: removed.map(({ label }) => label),
  }
  await db
    .insertInto('tastes')
    .values({ subscriber_id: subscriberId, ...columns, revision: 1 })
    .onConflict((conflict) =>
      conflict.column('subscriber_id').doUpdateSet({ ...columns, revision: sql<number>`tastes.revision + 1` }),
    )
    .execute()
  await markTaste(db, subscriberId, on && weights.length > 0)
}

/** Says whether publishing looks at a taste of a subscriber. */
const markTaste = async (db: Kysely<Tables>, subscriberId: string, has: boolean): Promise<void> => {
  await sql`update subscribers set has_taste = ${has} where id = ${subscriberId} and has_taste <> ${has}`.execute(db)
}

/** Forgets everything that was learnt of a locked subscriber, and what they said. */
export const deleteTaste = async (db: Kysely<Tables>, subscriberId: string): Promise<void> => {
  await sql`delete from taste_presses where subscriber_id = ${subscriberId}`.execute(db)
  await sql`delete from tastes where subscriber_id = ${subscriberId}`.execute(db)
  await markTaste(db, subscriberId, false)
}

/** Gives the taste of a subscriber to another, in the place of their own. Both are locked by the caller. */
export const moveTaste = async (db: Kysely<Tables>, from: string, to: string): Promise<void> => {
  await deleteTaste(db, to)
  await sql`update taste_presses set subscriber_id = ${to} where subscriber_id = ${from}`.execute(db)
  await sql`update tastes set subscriber_id = ${to} where subscriber_id = ${from}`.execute(db)
  await sql`update subscribers s set has_taste = f.has_taste from subscribers f
    where s.id = ${to} and f.id = ${from}`.execute(db)
  await markTaste(db, from, false)
}

/** What a subscriber said of a paper last; `null`: nothing. */
export const readPress = async (
  db: Kysely<Tables>,
  subscriberId: string,
  paperId: string,
): Promise<Direction | null> => {
  const row = await db
    .selectFrom('taste_presses')
    .select('direction')
    .where('subscriber_id', '=', subscriberId)
    .where('paper_id', '=', paperId)
    .executeTakeFirst()
  return row?.direction ?? null
}

/** Stores what a locked subscriber said of a paper, in the place of what they said of it before. */
export const storePress = async (
  db: Kysely<Tables>,
  press: { subscriberId: string; paperId: string; direction: Direction; at: Date },
): Promise<void> => {
  const { subscriberId, paperId, direction, at } = press
  await db
    .insertInto('taste_presses')
    .values({ subscriber_id: subscriberId, paper_id: paperId, direction, at })
    .onConflict((conflict) => conflict.columns(['subscriber_id', 'paper_id']).doUpdateSet({ direction, at }))
    .execute()
}

/** Takes back what a subscriber said of a paper; `false`: they said nothing. */
export const deletePress = async (db: Kysely<Tables>, subscriberId: string, paperId: string): Promise<boolean> => {
  const { rows } = await sql`
    delete from taste_presses where subscriber_id = ${subscriberId} and paper_id = ${paperId} returning 1`.execute(db)
  return rows.length > 0
}

/** How many papers a subscriber said something of since an instant. */
export const countPressesSince = async (db: Kysely<Tables>, subscriberId: string, since: Date): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from taste_presses where subscriber_id = ${subscriberId} and at > ${since}`.execute(
    db,
  )
  return rows[0]?.count ?? 0
}

/** The newest presses of a subscriber, at most `most`, with what their papers hold. */
export const readPresses = async (db: Kysely<Tables>, subscriberId: string, most: number): Promise<StoredPress[]> => {
  const { rows } = await sql<Omit<StoredPress, 'paper'> & TastedPaper>`
    select x.paper_id as "paperId", x.direction, x.at, t.title, t.abstract, t.authors,
      coalesce((select jsonb_agg(jsonb_build_object('topic', r.topic, 'score', r.score) order by r.topic)
        from paper_topics r where r.paper_id = p.id and r.score >= ${GATE}), '[]') as topics
    from taste_presses x
    join papers p on p.id = x.paper_id
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    where x.subscriber_id = ${subscriberId} order by x.at desc, x.paper_id limit ${most}`.execute(db)
  return rows.map(({ paperId, direction, at, ...paper }) => ({ paperId, direction, at, paper }))
}

/** What a subscriber said of papers, the oldest first. */
export const readPressesOf = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('taste_presses as x')
    .innerJoin('papers as p', 'p.id', 'x.paper_id')
    .innerJoin('paper_texts as t', (join) =>
      join.onRef('t.paper_id', '=', 'p.id').onRef('t.revision', '=', 'p.revision'),
    )
    .select(['x.paper_id as id', 't.title', 'x.direction', 'x.at'])
    .where('x.subscriber_id', '=', subscriberId)
    .orderBy('x.at')
    .orderBy('x.paper_id')
    .execute()
