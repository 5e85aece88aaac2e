/** Addresses that must not be mailed, why, and every change to that. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { SuppressionClass, Tables } from './database.ts'

export type Suppression = Selectable<Tables['suppressions']>

/** The suppression of an address, in any letter case; `undefined` where it is not suppressed. */
export const readSuppression = (db: Kysely<Tables>, email: string) =>
  db.selectFrom('suppressions').selectAll().where('email', '=', email.toLowerCase()).executeTakeFirst()

/**
 * Why an address must not be mailed, also where it was erased and only its `hashes` are known; `null` where it may be, as an
 * address may that was merely erased and is entered again.
 */
export const readSuppressionClass = async (
  db: Kysely<Tables>,
  email: string,
  hashes: readonly Buffer[],
): Promise<SuppressionClass | null> => {
  const known = (await readSuppression(db, email))?.class ?? (await readErased(db, hashes))?.class ?? null
  return known === 'erased' ? null : known
}

/** At most `max` suppressions, the newest first. */
export const listSuppressions = (db: Kysely<Tables>, max: number): Promise<Suppression[]> =>
  db.selectFrom('suppressions').selectAll().orderBy('created_at', 'desc').orderBy('email').limit(max).execute()

/** Some suppressions; what is `null` does not matter. Times are those of adding, `until` excluded. */
export interface SuppressionFilter {
  editionId: number | null
  classes: readonly SuppressionClass[]
  since: Date | null
  until: Date | null
}

/** A suppression with the subscriber of its address, by their id; `null` where it has none. */
export type ListedSuppression = Suppression & { subscriber: string | null }

/**
 * At most `max` suppressions of some classes, the newest first, those behind the address `after`; only those of an edition,
 * and only those with a text in their address, where these are given.
 */
export const listSuppressionsWhere = async (
  db: Kysely<Tables>,
  { classes, editionId, text }: { classes: readonly SuppressionClass[]; editionId: number | null; text: string | null },
  after: string | null,
  max: number,
): Promise<ListedSuppression[]> => {
  const behind = sql`and (created_at, email) < (select a.created_at, a.email from suppressions a where a.email = ${after})`
  const { rows } = await sql<ListedSuppression>`
    select x.*, s.id as subscriber from (
      select * from suppressions where class = any(${classes}::text[])
        ${editionId === null ? sql`` : sql`and edition_id = ${editionId}`}
        ${text === null ? sql`` : sql`and position(${text.toLowerCase()} in email) > 0`}
        ${after === null ? sql`` : behind}
      order by created_at desc, email desc limit ${max}) x left join subscribers s on lower(s.email) = x.email
    order by x.created_at desc, x.email desc`.execute(db)
  return rows
}

/** How many addresses are suppressed, by class; and how many were erased, under a hash each. */
export const countSuppressions = async (
  db: Kysely<Tables>,
): Promise<{ classes: Partial<Record<SuppressionClass, number>>; erased: number }> => {
  const { rows } = await sql<{ class: SuppressionClass; count: number }>`
    select class, count(*)::int as count from suppressions group by 1 order by 2 desc, 1`.execute(db)
  const erased = await sql<{ count: number }>`select count(*)::int as count from erased_addresses`.execute(db)
  return {
    classes: Object.fromEntries(rows.map((row) => [row.class, row.count])),
    erased: erased.rows[0]?.count ?? 0,
  }
}

export type SuppressionChange = Selectable<Tables['suppression_log']> & { subscriber: string | null }

/** The newest changes to suppressions, at most `max`, those with a lower number than `before`. */
export const listSuppressionChanges = async (
  db: Kysely<Tables>,
  before: number | null,
  max: number,
): Promise<SuppressionChange[]> => {
  const { rows } = await sql<SuppressionChange>`
    select x.*, s.id as subscriber from (
      select * from suppression_log where ${before === null ? sql`true` : sql`id < ${before}`}
      order by id desc limit ${max}) x left join subscribers s on lower(s.email) = x.email order by x.id desc`.execute(
    db,
  )
  return rows
}

/** At most `max` suppressions that a filter lets through, by address, those after `after`. */
export const readSuppressionsWhere = async (
  db: Kysely<Tables>,
  { editionId, classes, since, until }: SuppressionFilter,
  after: string,
  max: number,
): Promise<Suppression[]> => {
  const { rows } = await sql<Suppression>`
    select * from suppressions where email > ${after} and class = any(${classes}::text[])
      ${editionId === null ? sql`` : sql`and edition_id = ${editionId}`}
      ${since === null ? sql`` : sql`and created_at >= ${since}`}
      ${until === null ? sql`` : sql`and created_at < ${until}`}
    order by email limit ${max}`.execute(db)
  return rows
}

/** Why an address is suppressed. */
export interface SuppressionReason {
  class: SuppressionClass
  /** In words, for the operator; without addresses. */
  reason: string
  /** Of the refusal: `5.1.1` or `550`. */
  code: string | null
  /** The refusal's text, redacted. */
  diagnostic: string | null
  /** Who said so: a provider, `mail`, `smtp`, or an operator. */
  source: string
  /** The edition whose digest led to it; left out where none did. */
  editionId?: number | null
}

/**
 * Suppresses an address until that is undone, for which the subscriber's former state is kept. Where it is suppressed
 * already, only a complaint changes the reason. Returns whether anything changed.
 */
const add = async (
  db: Kysely<Tables>,
  whom: { id: string } | { email: string },
  why: SuppressionReason,
): Promise<boolean> => {
  const known = 'id' in whom ? sql`s.id = ${whom.id}` : sql`lower(s.email) = ${whom.email.toLowerCase()}`
  const address =
    'id' in whom
      ? sql`select lower(s.email) as email, s.state, s.paused_until from subscribers s where ${known} and s.email is not null`
      : sql`select a.email, s.state, s.paused_until from (select ${whom.email.toLowerCase()}::text as email) a
          left join subscribers s on lower(s.email) = a.email`
  const { rows } = await sql`
    with address as (${address}),
      added as (
        insert into suppressions as x (email, class, reason, code, diagnostic, source, state_before, paused_before, edition_id)
        select email, ${why.class}, ${why.reason}, ${why.code}, ${why.diagnostic}, ${why.source}, state, paused_until,
          ${why.editionId ?? null}::bigint
        from address
        on conflict (email) do update set class = excluded.class, reason = excluded.reason, code = excluded.code,
          diagnostic = excluded.diagnostic, source = excluded.source, edition_id = excluded.edition_id,
          created_at = now()
          where excluded.class = 'complaint' and x.class <> 'complaint'
        returning email, class),
      logged as (
        insert into suppression_log (email, change, class, by_whom, why)
        select email, 'added', class, ${why.source}, ${why.reason} from added),
      stopped as (
        update subscribers s set state = 'suppressed', paused_until = null, next_due_at = null
        where ${known} and s.state not in ('suppressed', 'erased'))
    select 1 from added`.execute(db)
  return rows.length > 0
}

/** Suppresses the address of a subscriber; one without an address (erased) is left as it is. Returns whether anything changed. */
export const suppress = (db: Kysely<Tables>, subscriberId: string, why: SuppressionReason): Promise<boolean> =>
  add(db, { id: subscriberId }, why)

/** Suppresses an address by hand, whether it has a subscriber or not. Returns whether anything changed. */
export const suppressAddress = (db: Kysely<Tables>, email: string, why: SuppressionReason): Promise<boolean> =>
  add(db, { email }, why)

/**
 * Deletes the suppression of an address and returns it; `undefined` where there is none. The subscriber's state is left
 * `suppressed`: the caller must restore it.
 */
export const unsuppress = async (
  db: Kysely<Tables>,
  email: string,
  by: { whom: string; why: string },
): Promise<Suppression | undefined> => {
  const removed = await db
    .deleteFrom('suppressions')
    .where('email', '=', email.toLowerCase())
    .returningAll()
    .executeTakeFirst()
  if (removed !== undefined)
    await db
      .insertInto('suppression_log')
      .values({ email: removed.email, change: 'removed', class: removed.class, by_whom: by.whom, why: by.why })
      .execute()
  return removed
}

/** The changes to the suppression of an address, the oldest first. */
export const readSuppressionLog = (db: Kysely<Tables>, email: string) =>
  db
    .selectFrom('suppression_log')
    .select(['at', 'change', 'class', 'by_whom', 'why'])
    .where('email', '=', email.toLowerCase())
    .orderBy('id')
    .execute()

/** What is left of an address that was erased, by any of its hashes; `undefined` where it was not. */
export const readErased = (db: Kysely<Tables>, hashes: readonly Buffer[]) =>
  db
    .selectFrom('erased_addresses')
    .selectAll()
    .where('address_hash', 'in', [...hashes])
    .executeTakeFirst()

/** Takes an erased address off the list. Returns whether it stood there. */
export const forgetErased = async (db: Kysely<Tables>, hashes: readonly Buffer[]): Promise<boolean> => {
  const removed = await db
    .deleteFrom('erased_addresses')
    .where('address_hash', 'in', [...hashes])
    .returning('class')
    .execute()
  return removed.length > 0
}
