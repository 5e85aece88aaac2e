/** Addresses that must not be mailed, why, and every change to that. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { SuppressionClass, Tables } from './database.ts'

export type Suppression = Selectable<Tables['suppressions']>

export const readSuppression = (db: Kysely<Tables>, email: string) =>
  db.selectFrom('suppressions').selectAll().where('email', '=', email.toLowerCase()).executeTakeFirst()

export const listSuppressions = (db: Kysely<Tables>, most: number): Promise<Suppression[]> =>
  db.selectFrom('suppressions').selectAll().orderBy('created_at', 'desc').orderBy('email').limit(most).execute()

export interface Grounds {
  class: SuppressionClass
  reason: string
  code: string | null
  diagnostic: string | null
  source: string
}

/**
 * Takes an address out of all mail until it is undone; what the subscriber was before is kept for that. On one that is on
 * the list already only a complaint changes the grounds. Returns whether anything changed.
 */
const add = async (db: Kysely<Tables>, whom: { id: string } | { email: string }, why: Grounds): Promise<boolean> => {
  const known = 'id' in whom ? sql`s.id = ${whom.id}` : sql`lower(s.email) = ${whom.email.toLowerCase()}`
  const address =
    'id' in whom
      ? sql`select lower(s.email) as email, s.state, s.paused_until from subscribers s where ${known} and s.email is not null`
      : sql`select a.email, s.state, s.paused_until from (select ${whom.email.toLowerCase()}::text as email) a
          left join subscribers s on lower(s.email) = a.email`
  const { rows } = await sql`
    with address as (${address}),
      added as (
        insert into suppressions as x (email, class, reason, code, diagnostic, source, state_before, paused_before)
        select email, ${why.class}, ${why.reason}, ${why.code}, ${why.diagnostic}, ${why.source}, state, paused_until
        from address
        on conflict (email) do update set class = excluded.class, reason = excluded.reason, code = excluded.code,
          diagnostic = excluded.diagnostic, source = excluded.source, created_at = now()
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

export const suppress = (db: Kysely<Tables>, subscriberId: string, why: Grounds): Promise<boolean> =>
  add(db, { id: subscriberId }, why)

/** By hand, whether anybody subscribed with the address or not. */
export const suppressAddress = (db: Kysely<Tables>, email: string, why: Grounds): Promise<boolean> =>
  add(db, { email }, why)

/** Takes an address off the list and gives back what stood there; the subscriber's own state is the caller's to mend. */
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

/** What was changed about an address, the oldest first. */
export const readSuppressionLog = (db: Kysely<Tables>, email: string) =>
  db
    .selectFrom('suppression_log')
    .select(['at', 'change', 'class', 'by_whom', 'why'])
    .where('email', '=', email.toLowerCase())
    .orderBy('id')
    .execute()
