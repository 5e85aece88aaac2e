/** Editions: begun, published, paused and resumed, each a row that counts what it owes. */
import { type Kysely, sql } from 'kysely'
import type { StateCount } from '../core/sending/ledger.ts'
import type { Tables } from './database.ts'

export interface EditionRow {
  id: number
  cutoff: Date
  begunAt: Date
  /** When a delivery was stored for everybody due; `null` while it is published. */
  publishedAt: Date | null
  /** When nothing was pending any more and the equation held. */
  completedAt: Date | null
  /** How many deliveries it owes. */
  due: number
  /** What the deliveries added up to when it was completed last. */
  totals: StateCount[] | null
  /** By how much the deliveries fell short of what was due, when that was checked last. */
  missing: number
  pausedAt: Date | null
  pausedBy: string | null
  pausedWhy: string | null
  /** When it was called off; it is paused from then on, and is never resumed. */
  canceledAt: Date | null
  canceledBy: string | null
  canceledWhy: string | null
  /** How many of its deliveries were called off. */
  canceled: number
}

/** The columns of an `EditionRow`, of `editions e`. */
export const editionColumns = sql`e.id, e.cutoff, e.begun_at as "begunAt", e.published_at as "publishedAt",
  e.completed_at as "completedAt", e.due, e.totals, e.missing, e.paused_at as "pausedAt", e.paused_by as "pausedBy",
  e.paused_why as "pausedWhy", e.canceled_at as "canceledAt", e.canceled_by as "canceledBy",
  e.canceled_why as "canceledWhy", e.canceled`

/** The editions that were begun and not published to their end, the oldest first: each goes on with its own cut-off. */
export const readUnpublishedEditions = (db: Kysely<Tables>): Promise<{ id: number; cutoff: Date }[]> =>
  db
    .selectFrom('editions')
    .select(['id', 'cutoff'])
    .where('published_at', 'is', null)
    .where('canceled_at', 'is', null)
    .orderBy('cutoff')
    .execute()

/**
 * Begins the edition of a cut-off, or opens the one that has it again, so that there is one edition per cut-off. One that
 * was canceled stays as it is: the next has its cut-off a millisecond later.
 */
export const beginEdition = async (db: Kysely<Tables>, cutoff: Date): Promise<{ id: number; cutoff: Date }> => {
  for (let at = cutoff; ; at = new Date(at.getTime() + 1)) {
    const { rows } = await sql<{ id: number; cutoff: Date }>`
      insert into editions (cutoff) values (${at})
      on conflict (cutoff) do update set published_at = null, completed_at = null
        where editions.canceled_at is null returning id, cutoff`.execute(db)
    const [edition] = rows
    if (edition !== undefined) return edition
  }
}

/** The edition was canceled while it was being published: nothing more is published of it. */
export class CanceledEdition extends Error {}

/**
 * Adds what a chunk of publishing owes to what is due, in the chunk's transaction. An edition that another publisher has
 * finished meanwhile is open again: of one that is complete nothing would be claimed. Throws `CanceledEdition` where the
 * edition was canceled: the chunk must not be committed.
 */
export const addDue = async (db: Kysely<Tables>, id: number, owed: number): Promise<void> => {
  if (owed === 0) return
  const { rows } = await sql`
    update editions set due = due + ${owed}, published_at = null, completed_at = null
    where id = ${id} and canceled_at is null returning 1`.execute(db)
  if (rows.length === 0) throw new CanceledEdition(`edition ${id} was canceled`)
}

/**
 * Records, by the database's clock, that everybody due has their delivery, and owes that to the webhooks that are told of
 * it, unless the edition is canceled.
 */
export const markPublished = async (db: Kysely<Tables>, id: number): Promise<void> => {
  await sql`
    with published as (update editions set published_at = now() where id = ${id} and published_at is null
        returning id, cutoff, due, canceled_at)
    insert into webhook_messages (endpoint_id, event, at, data, next_attempt_at)
    select w.id, 'edition.published', now(),
      jsonb_build_object('edition', p.id, 'cutoff', p.cutoff, 'due', p.due), now()
    from published p, webhook_endpoints w
    where p.canceled_at is null and w.disabled_at is null and 'edition.published' = any(w.events)`.execute(db)
}

/** At most `most`, the newest cut-off first, those before `before`. */
export const readEditions = async (
  db: Kysely<Tables>,
  most: number,
  before: Date | null = null,
): Promise<EditionRow[]> => {
  const { rows } = await sql<EditionRow>`
    select ${editionColumns} from editions e where ${before === null ? sql`true` : sql`e.cutoff < ${before}`}
    order by e.cutoff desc limit ${most}`.execute(db)
  return rows
}

/** The editions whose cut-off is at an instant or later, and those that are not complete, the newest first. */
export const readEditionsSince = async (db: Kysely<Tables>, since: Date): Promise<EditionRow[]> => {
  const { rows } = await sql<EditionRow>`
    select ${editionColumns} from editions e where e.cutoff >= ${since} or e.completed_at is null order by e.cutoff desc`.execute(
    db,
  )
  return rows
}

/** How many digests of the complete editions since an instant were sent, by what these came to. */
export const countSentSince = async (db: Kysely<Tables>, since: Date): Promise<number> => {
  const { rows } = await sql<{ sent: number }>`
    select coalesce(sum((total->>'count')::int), 0)::int as sent
    from editions e, jsonb_array_elements(e.totals) total
    where e.cutoff >= ${since} and e.completed_at is not null and total->>'state' = 'sent'`.execute(db)
  return rows[0]?.sent ?? 0
}

/** The editions that are not complete, without looking at their deliveries: of one under way there may be a million. */
export const readIncompleteEditions = async (db: Kysely<Tables>): Promise<EditionRow[]> => {
  const { rows } = await sql<EditionRow>`
    select ${editionColumns} from editions e where e.completed_at is null order by e.cutoff`.execute(db)
  return rows
}

/**
 * With `lock`, in a transaction: those who complete, open again or pause an edition do so one after the other. They do not
 * wait for a publisher whose digests refer to the edition, which may stand still.
 */
export const readEdition = async (db: Kysely<Tables>, id: number, lock = false): Promise<EditionRow | undefined> => {
  const { rows } = await sql<EditionRow>`
    select ${editionColumns} from editions e where e.id = ${id} ${lock ? sql`for no key update` : sql``}`.execute(db)
  return rows[0]
}

/** Pauses an edition: nothing of it is claimed. Of one that is paused already the beginning stays, and the reason changes. */
export const markPaused = async (
  db: Kysely<Tables>,
  id: number,
  why: { by: string | null; why: string | null },
): Promise<void> => {
  await sql`update editions set paused_at = coalesce(paused_at, now()), paused_by = ${why.by}, paused_why = ${why.why}
    where id = ${id}`.execute(db)
}

/** Ends a pause, and forgets who asked for it and why. */
export const markResumed = async (db: Kysely<Tables>, id: number): Promise<void> => {
  await sql`update editions set paused_at = null, paused_by = null, paused_why = null where id = ${id}`.execute(db)
}
