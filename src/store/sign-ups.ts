/** Sign-ups: what people entered on the site and is not answered yet, and how often a mailbox may get letters for it. */
import { type Kysely, sql } from 'kysely'
import { type Preferences, STANDARD } from '../core/subscriber/preferences.ts'
import type { Tables } from './database.ts'

export interface SignUp {
  id: number
  /** `links` asks for fresh links, and has no preferences. */
  kind: 'subscribe' | 'links'
  email: string
  preferences: Preferences | null
  requestedAt: Date
}

/** Stores a sign-up by one insert, the same for every address, so that its time tells nothing of the address. */
export const storeSignUp = async (db: Kysely<Tables>, signUp: Omit<SignUp, 'id'>): Promise<void> => {
  await db
    .insertInto('sign_ups')
    .values({
      kind: signUp.kind,
      email: signUp.email,
      preferences: signUp.preferences === null ? null : (JSON.stringify(signUp.preferences) as never),
      requested_at: signUp.requestedAt,
    })
    .execute()
}

/**
 * Takes the oldest sign-up after `after` (an id) that is not set aside and that nobody else has taken, in the caller's
 * transaction: rolled back, it is there again.
 */
export const takeSignUp = async (db: Kysely<Tables>, after = 0): Promise<SignUp | null> => {
  const { rows } = await sql<SignUp>`
    delete from sign_ups where id = (select id from sign_ups where id > ${after} and set_aside_at is null
      order by id limit 1 for update skip locked)
    returning id, kind, email, preferences, requested_at as "requestedAt"`.execute(db)
  const [signUp] = rows
  if (signUp === undefined) return null
  // A sign-up that was stored before a preference was offered does not have it.
  return { ...signUp, preferences: signUp.preferences && { ...STANDARD, ...signUp.preferences } }
}

/** Whether any sign-up waits to be answered. */
export const hasSignUps = async (db: Kysely<Tables>): Promise<boolean> =>
  (await db.selectFrom('sign_ups').select('id').where('set_aside_at', 'is', null).limit(1).executeTakeFirst()) !==
  undefined

/**
 * Counts an attempt at a sign-up that failed, for a reason without addresses; the `most`th sets it aside. Returns whether
 * this one did; `false` for a sign-up that was answered meanwhile.
 */
export const countFailedSignUp = async (
  db: Kysely<Tables>,
  id: number,
  reason: string,
  most: number,
): Promise<boolean> => {
  const { rows } = await sql<{ setAside: boolean }>`
    update sign_ups set attempts = attempts + 1, reason = ${reason},
      set_aside_at = case when attempts + 1 >= ${most} then now() end
    where id = ${id} and set_aside_at is null returning set_aside_at is not null as "setAside"`.execute(db)
  return rows[0]?.setAside === true
}

/** A sign-up that is not tried any more. */
export interface FailedSignUp {
  id: number
  kind: SignUp['kind']
  email: string
  requestedAt: Date
  attempts: number
  reason: string | null
  setAsideAt: Date
}

/** The oldest first. */
export const readFailedSignUps = async (db: Kysely<Tables>): Promise<FailedSignUp[]> => {
  const { rows } = await sql<FailedSignUp>`
    select id, kind, email, requested_at as "requestedAt", attempts, reason, set_aside_at as "setAsideAt"
    from sign_ups where set_aside_at is not null order by id`.execute(db)
  return rows
}

/** Has sign-ups that were set aside tried again, with all their attempts: one, or all. Returns how many. */
export const retrySignUps = async (db: Kysely<Tables>, which: { id: number } | 'all'): Promise<number> => {
  const { rows } = await sql`
    update sign_ups set attempts = 0, set_aside_at = null
    where set_aside_at is not null and ${which === 'all' ? sql`true` : sql`id = ${which.id}`} returning 1`.execute(db)
  return rows.length
}

/** Deletes sign-ups that were set aside and asked for before an instant: nobody waits for their letters any more. */
export const forgetFailedSignUps = async (db: Kysely<Tables>, requestedBefore: Date): Promise<number> => {
  const { rows } = await sql`
    delete from sign_ups where set_aside_at is not null and requested_at < ${requestedBefore} returning 1`.execute(db)
  return rows.length
}

/**
 * Counts one more letter to a mailbox and says whether it may go: at most one in `everyDays` days, and at most `most`
 * until `forgetLetterLimits`, so that nobody can fill somebody else's mailbox. By the
 * database's clock; letters that may not go are not counted. `mailbox` is a keyed hash, `kind` any name.
 */
export const allowLetter = async (
  db: Kysely<Tables>,
  mailbox: Buffer,
  kind: string,
  most: number,
  everyDays = 1,
): Promise<boolean> => {
  const { rows } = await sql`
    insert into letter_limits as l (mailbox, kind, last_at, times) values (${mailbox}, ${kind}, now(), 1)
    on conflict (mailbox, kind) do update set last_at = now(), times = l.times + 1
      where l.last_at <= now() - ${everyDays} * interval '24 hours' and l.times < ${most}
    returning 1`.execute(db)
  return rows.length > 0
}

/** A mailbox that confirmed has all its confirmations again. */
export const forgetLetterLimits = async (db: Kysely<Tables>, mailbox: Buffer): Promise<void> => {
  await db.deleteFrom('letter_limits').where('mailbox', '=', mailbox).where('kind', '=', 'confirmation').execute()
}
