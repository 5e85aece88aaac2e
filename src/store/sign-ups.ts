/** Sign-ups: what people entered on the site and is not answered yet, and how often a mailbox may get letters for it. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ConsentOrigin } from '../core/subscriber/consent.ts'
import { type Preferences, STANDARD } from '../core/subscriber/preferences.ts'
import { NEAR, type SignUpScope } from '../core/subscriber/sign-up-limits.ts'
import type { Move, Tables } from './database.ts'

export interface SignUp {
  id: number
  /** `links` asks for fresh links, `vote` for one to vote, and `move` for a subscription to go to this address; they have no preferences. */
  kind: 'subscribe' | 'links' | 'move' | 'vote'
  email: string
  preferences: Preferences | null
  requestedAt: Date
  /** Where it came from, under a keyed hash; `null` where that is not known. */
  client: Buffer | null
  /** Whether work was proven for it. */
  proven: boolean
  /** Whether it was held before. */
  held: boolean
  /** For the record of consent; `null` where it is not known. */
  origin: ConsentOrigin | null
  /** Whose subscription goes to this address. */
  moves: Move | null
  /** The paper to vote for. */
  paperId: string | null
  /** The group to join by confirming, or by the link that goes to somebody subscribed. */
  groupId: string | null
}

/** A sign-up as it comes in. */
export interface NewSignUp extends Pick<SignUp, 'kind' | 'email' | 'preferences' | 'requestedAt'> {
  client?: Buffer | null
  /** Held in any case, since it came faster than a person types. */
  suspicious?: boolean
  origin?: ConsentOrigin | null
  moves?: Move | null
  paperId?: string | null
  groupId?: string | null
}

const toJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

/** Sign-ups are held for 10 to 50 minutes: those of one attack come back one by one, not all together. */
const HOLD = sql`now() + interval '10 minutes' + random() * interval '40 minutes'`

/** So many of those that wait to be answered are looked at: more than a mailer leaves over while one request is stored. */
const MOST_WAITING = 300

/** When the window of so many seconds began that is under way. */
const windowOf = (seconds: RawBuilder<unknown>) =>
  sql`date_bin(${seconds} * interval '1 second', now(), 'epoch'::timestamptz)`
/** How many were counted within so many seconds until now, as a sliding window counter estimates it. */
const counted = (c: string, seconds: RawBuilder<unknown>) => {
  const column = (name: string) => sql.ref(`${c}.${name}`)
  const begun = windowOf(seconds)
  const previous = sql`case when ${column('window_at')} >= ${begun} then ${column('previous')}
    when ${column('window_at')} = ${begun} - ${seconds} * interval '1 second' then ${column('count')} else 0 end`
  return sql`(case when ${column('window_at')} >= ${begun} then ${column('count')} else 0 end
    + ${previous} * (1 - extract(epoch from now() - ${begun}) / ${seconds}))`
}

/**
 * Stores a sign-up by one statement, the same for every address, so that its time tells nothing of the address. It is
 * held where one of the limits of `scopes` is nearly reached, with those that wait to be counted; then its ticket is
 * returned, a UUID by which work is proven for it, and otherwise `null`.
 */
export const storeSignUp = async (
  db: Kysely<Tables>,
  signUp: NewSignUp,
  scopes: readonly SignUpScope[] = [],
): Promise<string | null> => {
  const {
    kind,
    email,
    requestedAt,
    client = null,
    suspicious = false,
    origin = null,
    moves = null,
    paperId = null,
    groupId = null,
  } = signUp
  const preferences = toJson(signUp.preferences)
  const { rows } = await sql<{ ticket: string | null }>`
    with waiting as materialized (
        select client from sign_ups where not_before is null and set_aside_at is null limit ${MOST_WAITING}),
      near as (select from unnest(${scopes.map(({ scope }) => scope)}::bytea[], ${scopes.map(({ most }) => most)}::float8[],
          ${scopes.map(({ within }) => within)}::int[], ${scopes.map(({ ofAll }) => ofAll)}::bool[])
          l(scope, most, within, of_all) left join sign_up_counts c using (scope)
        where coalesce(${counted('c', sql`l.within`)}, 0) + (select count(*) from waiting w where l.of_all or w.client = l.scope)
          >= l.most * ${NEAR}::float8)
    insert into sign_ups (kind, email, preferences, requested_at, client, origin, moves, paper_id, group_id, ticket, not_before)
    values (${kind}, ${email}, ${preferences}::jsonb, ${requestedAt}, ${client}, ${toJson(origin)}::jsonb, ${toJson(moves)}::jsonb,
      ${paperId}, ${groupId}, gen_random_uuid(),
      case when ${suspicious} or exists (select from near) then ${HOLD} end)
    returning case when not_before is not null then ticket end as ticket`.execute(db)
  return rows[0]?.ticket ?? null
}

/**
 * Takes the oldest sign-up that is not set aside, not held, not one of `except` (ids), and that nobody else has taken, in
 * the caller's transaction: rolled back, it is there again. Those that were held come after all others, or with `neverHeld`
 * not at all.
 */
export const takeSignUp = async (
  db: Kysely<Tables>,
  except: readonly number[] = [],
  { neverHeld = false }: { neverHeld?: boolean } = {},
): Promise<SignUp | null> => {
  const { rows } = await sql<SignUp>`
    delete from sign_ups where id = (select id from sign_ups where set_aside_at is null
        and (not_before is null or (not_before <= now() and not ${neverHeld}::bool)) and id <> all(${except}::bigint[])
      order by not_before nulls first, id limit 1 for update skip locked)
    returning id, kind, email, preferences, requested_at as "requestedAt", client, proven, origin, moves, paper_id as "paperId",
      group_id as "groupId", not_before is not null as held`.execute(db)
  const [signUp] = rows
  if (signUp === undefined) return null
  // A sign-up that was stored before a preference was offered does not have it.
  return { ...signUp, preferences: signUp.preferences && { ...STANDARD, ...signUp.preferences } }
}

/** Puts a sign-up that was taken in the same transaction back, and holds it. */
export const holdSignUp = async (db: Kysely<Tables>, signUp: SignUp): Promise<void> => {
  const preferences = toJson(signUp.preferences)
  await sql`
    insert into sign_ups (id, kind, email, preferences, requested_at, client, proven, origin, moves, paper_id, group_id,
      not_before) overriding system value
    values (${signUp.id}, ${signUp.kind}, ${signUp.email}, ${preferences}::jsonb, ${signUp.requestedAt}, ${signUp.client},
      ${signUp.proven}, ${toJson(signUp.origin)}::jsonb, ${toJson(signUp.moves)}::jsonb, ${signUp.paperId},
      ${signUp.groupId}, ${HOLD})`.execute(db)
}

/** Notes that work was proven for a held sign-up, which is then answered next; `false` where it is not held (any more). */
export const releaseSignUp = async (db: Kysely<Tables>, ticket: string): Promise<boolean> => {
  const { rows } = await sql`
    update sign_ups set proven = true, not_before = null
    where ticket = ${ticket}::uuid and not proven and not_before is not null returning 1`.execute(db)
  return rows.length > 0
}

/**
 * Counts a sign-up under each of its scopes, in their order, and says whether it may be answered: `factor` times as many
 * may as are allowed. The first scope that is full ends it. By the database's clock; whatever is known of the address.
 */
export const countSignUp = async (
  db: Kysely<Tables>,
  scopes: readonly SignUpScope[],
  factor: number,
): Promise<boolean> => {
  for (const { scope, most, within } of scopes) {
    const seconds = sql`${within}::int`
    const begun = windowOf(seconds)
    const { rows } = await sql`
      insert into sign_up_counts as c (scope, window_at, count, previous) values (${scope}, ${begun}, 1, 0)
      on conflict (scope) do update set window_at = greatest(c.window_at, ${begun}),
        count = case when c.window_at >= ${begun} then c.count + 1 else 1 end,
        previous = case when c.window_at >= ${begun} then c.previous
          when c.window_at = ${begun} - ${seconds} * interval '1 second' then c.count else 0 end
      where ${counted('c', seconds)} < ${most * factor}::float8
      returning 1`.execute(db)
    if (rows.length === 0) return false
  }
  return true
}

/** Whether any sign-up but some (ids) waits to be answered; those that are held do not. */
export const hasSignUps = async (db: Kysely<Tables>, except: readonly number[] = []): Promise<boolean> => {
  const { rows } = await sql`
    select from sign_ups where set_aside_at is null and (not_before is null or not_before <= now())
      and id <> all(${except}::bigint[]) limit 1`.execute(db)
  return rows.length > 0
}

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

/** A limit on letters: at most one in `everyDays` days, and `most` in all. */
export interface LetterLimit {
  /** What is counted; any name. */
  name: string
  most: number
  everyDays: number
}

/**
 * Counts one more letter to a mailbox under each of some limits and says whether it may go, so that nobody can fill
 * somebody else's mailbox. `most` counts until `forgetLetterLimits`. By the database's clock; a letter that may not go is
 * not counted. `mailbox` is a keyed hash.
 */
export const allowLetter = async (
  db: Kysely<Tables>,
  mailbox: Buffer,
  limits: readonly LetterLimit[],
): Promise<boolean> => {
  const isOver = sql`(l.last_at > now() - k.days * interval '24 hours' or l.times >= k.most)`
  const { rows } = await sql`
    with k as (select * from unnest(${limits.map(({ name }) => name)}::text[], ${limits.map(({ most }) => most)}::int[],
        ${limits.map(({ everyDays }) => everyDays)}::int[]) as k(kind, most, days))
    insert into letter_limits as l (mailbox, kind, last_at, times) select ${mailbox}::bytea, kind, now(), 1 from k
      where not exists (select from letter_limits l join k using (kind) where l.mailbox = ${mailbox} and ${isOver})
    on conflict (mailbox, kind) do update set last_at = now(), times = l.times + 1
      where not (select ${isOver} from k where k.kind = l.kind)
    returning 1`.execute(db)
  return rows.length === limits.length
}

/** A mailbox that confirmed has its letters under these limits again. */
export const forgetLetterLimits = async (
  db: Kysely<Tables>,
  mailbox: Buffer,
  names: readonly string[],
): Promise<void> => {
  await db.deleteFrom('letter_limits').where('mailbox', '=', mailbox).where('kind', 'in', names).execute()
}
