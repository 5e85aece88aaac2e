/** What people typed in on the site and is not worked off yet, and how often a mailbox may be written to for it. */
import { type Kysely, sql } from 'kysely'
import { type Preferences, STANDARD } from '../core/subscriber/preferences.ts'
import type { Tables } from './database.ts'

export interface SignUp {
  id: number
  kind: 'subscribe' | 'links'
  email: string
  preferences: Preferences | null
  requestedAt: Date
}

/** One insert, the same for every address. */
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

/** Takes the oldest sign-up out of the list, in the caller's transaction: undone with it, it is there again. */
export const takeSignUp = async (db: Kysely<Tables>): Promise<SignUp | null> => {
  const { rows } = await sql<SignUp>`
    delete from sign_ups where id = (select id from sign_ups order by id limit 1 for update skip locked)
    returning id, kind, email, preferences, requested_at as "requestedAt"`.execute(db)
  const [signUp] = rows
  if (signUp === undefined) return null
  // What was taken down before a choice was offered does not have it.
  return { ...signUp, preferences: signUp.preferences && { ...STANDARD, ...signUp.preferences } }
}

/** Whether anything that was typed in still waits to be worked off. */
export const hasSignUps = async (db: Kysely<Tables>): Promise<boolean> =>
  (await db.selectFrom('sign_ups').select('id').limit(1).executeTakeFirst()) !== undefined

/**
 * Counts one more letter to a mailbox and says whether it may go: at most one in so many days, and at most `most` until
 * `forgetLetterLimits`. By the database's clock; refused letters are not counted. (List bombing.)
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

/** A confirmed mailbox starts anew. */
export const forgetLetterLimits = async (db: Kysely<Tables>, mailbox: Buffer): Promise<void> => {
  await db.deleteFrom('letter_limits').where('mailbox', '=', mailbox).where('kind', '=', 'confirmation').execute()
}
