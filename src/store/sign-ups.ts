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

/** Takes the oldest sign-up that nobody else has taken, in the caller's transaction: rolled back, it is there again. */
export const takeSignUp = async (db: Kysely<Tables>): Promise<SignUp | null> => {
  const { rows } = await sql<SignUp>`
    delete from sign_ups where id = (select id from sign_ups order by id limit 1 for update skip locked)
    returning id, kind, email, preferences, requested_at as "requestedAt"`.execute(db)
  const [signUp] = rows
  if (signUp === undefined) return null
  // A sign-up that was stored before a preference was offered does not have it.
  return { ...signUp, preferences: signUp.preferences && { ...STANDARD, ...signUp.preferences } }
}

/** Whether any sign-up waits to be answered. */
export const hasSignUps = async (db: Kysely<Tables>): Promise<boolean> =>
  (await db.selectFrom('sign_ups').select('id').limit(1).executeTakeFirst()) !== undefined

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
