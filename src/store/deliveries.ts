/** The mail that is owed: letters and deliveries, claimed under leases and recorded under fencing numbers. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Letters and deliveries live in tables of their own but have one life (told in `newsletter/delivery`). */
export type MailStream = 'letters' | 'deliveries'

/** A claimed mail: ours to send until the lease ends, and ours to record while the fence stands. */
export interface Claimed {
  id: string
  localDate: string | null
  fence: number
  attempts: number
  /** Milliseconds since the mail was written down, by the database's clock. */
  waitedMs: number
  subscriberId: string
  epoch: number
  email: string
  /** `digest` for a delivery. */
  kind: 'digest' | Tables['letters']['kind']
  digestId: number | null
  /** What `Date` says: the edition's cut-off, or when the letter was asked for. */
  date: Date
  /** The destination in trouble under whose limit it goes; `null` for all others. */
  waitsFor: string | null
}

/** A claimed group, and what the claim met. */
export interface Claim {
  claimed: Claimed[]
  /** Mails whose time has come but whose destination is in trouble: put aside, to wait for it. */
  aside: number
  /** A destination in trouble may be given some of what waits for it. */
  due: boolean
  /** The relay is closed: nothing was claimed. */
  closed: boolean
}

export interface AttemptResult {
  id: string
  localDate: string | null
  fence: number
  /** `unknown` for deliveries alone. */
  state: 'sent' | 'deferred' | 'failed' | 'skipped' | 'queued' | 'unknown'
  reason: string | null
  /** Wait before the next attempt, milliseconds; 0 where there is none. */
  retryAfterMs: number
  /** Whether this attempt counts against the mail (a fault of ours or of the relay does not). */
  counts: boolean
  /** True when the outcome is unknown, so that the next copy may be a second one. */
  resend: boolean
  /** What the server said to this attempt, without addresses; `null` where no attempt was made. */
  reply: ServerReply | null
}

/** The server's own words to an attempt, and its codes; all `null` where the server said nothing. */
export interface ServerReply {
  code: number | null
  enhanced: string | null
  said: string | null
}

/** What becomes of a delivery of which nobody knows whether the server took it: sent again, or held until released. */
export type OnUnknown = 'resend' | 'hold'

const LEASE = sql`interval '60 seconds'`
const table = (stream: MailStream) => sql.table(stream)

/** Whose mail may go: deliveries and welcomes to the active alone, confirmations to the pending, links to those we know. */
const wanted = (stream: MailStream) =>
  stream === 'deliveries'
    ? sql`s.state = 'active'`
    : sql`case m.kind when 'confirmation' then s.state = 'pending' when 'welcome' then s.state = 'active'
        when 'already-subscribed' then s.state in ('active', 'paused')
        else s.state in ('pending', 'active', 'paused', 'unsubscribed') end`

/** Somebody who complained is asked to confirm when they subscribe again, and is mailed nothing before they do. */
const unsuppressed = (stream: MailStream) =>
  sql`s.email is not null and not exists (select from suppressions x where x.email = lower(s.email)
    ${stream === 'letters' ? sql`and not (m.kind = 'confirmation' and x.class = 'complaint')` : sql``})`

const arrays = (mails: Pick<AttemptResult, 'id' | 'localDate' | 'fence'>[]) =>
  sql`unnest(${mails.map((mail) => mail.id)}::uuid[], ${mails.map((mail) => mail.localDate)}::date[],
    ${mails.map((mail) => mail.fence)}::int[])`

const sameClaim = (stream: MailStream) =>
  sql`m.id = u.id and m.fence = u.fence ${stream === 'deliveries' ? sql`and m.local_date = u.local_date` : sql``}`

/**
 * Said so that Postgres goes by the key of each mail. There is an index of what is being sent, hardly anything is, and so it
 * would look through all of that: but until the next vacuum that index holds every mail sent since the last.
 */
const isSending = sql`(m.state = 'sending') is true`

const sameMail = (stream: MailStream) => sql`${sameClaim(stream)} and ${isSending}`

/** The late word of a mailer whose delivery is held as unknown settles it, if it is a final one. */
const stillTheirs = (stream: MailStream) =>
  sql`${sameClaim(stream)} and (${isSending} or ((m.state = 'unknown') is true and u.state in ('sent', 'failed')))`

/**
 * The editions whose digests may go, the oldest first. Each is looked into by itself: one that is paused costs nothing,
 * and a complete one has nothing.
 */
const running = sql`select id from editions where completed_at is null and paused_at is null order by cutoff`

/** A mail put aside is looked at again after this long even if nobody said that its destination is free. */
const ASIDE = sql`interval '1 hour'`
/** The destination in trouble, if it is, of a subscriber `s`: a look into a small table, most of the time an empty one. */
const throttledRoute = sql`throttled_routes w on w.kind = 'destination' and lower(split_part(s.email, '@', 2)) = any(w.domains)`
const closed = (relay: string | null) =>
  sql`exists (select from throttled_routes where kind = 'relay' and name = ${relay})`
const due = (stream: MailStream) => sql`exists (select from throttled_routes w where w.kind = 'destination'
    and w.not_before <= now() and exists (select from ${table(stream)} m
      where m.waits_for = w.name and m.state in ('queued', 'deferred')))`

/**
 * The mails whose time has come; none while the relay is closed. Those of a digest come together, so that a mailer that
 * has its message at hand sends it to all: they share their moment, the edition's beginning.
 */
const ready = (stream: MailStream, most: number, relay: string | null) => {
  const isDelivery = stream === 'deliveries'
  const found = sql`select m.id, ${isDelivery ? sql`m.local_date` : sql`null::date as local_date`}, false as seated
      from ${table(stream)} m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and not ${closed(relay)}
        ${isDelivery ? sql`and m.edition_id = e.id` : sql``}
      order by m.next_attempt_at ${isDelivery ? sql`, m.digest_id` : sql``} limit ${most} for update skip locked`
  return isDelivery ? sql`select r.* from (${running}) e, lateral (${found}) r limit ${most}` : found
}

/** Of what waits for each of these destinations as many as may be under way beside those that are. */
const seated = (stream: MailStream, names: string[]) =>
  sql`select m.id, ${stream === 'deliveries' ? sql`m.local_date` : sql`null::date as local_date`}, true as seated
      from throttled_routes w cross join lateral (
        select * from ${table(stream)} m where m.waits_for = w.name and m.state in ('queued', 'deferred')
          ${stream === 'deliveries' ? sql`and m.edition_id in (select id from (${running}) e)` : sql``}
        order by m.next_attempt_at limit greatest(0, w.concurrency
          - (select count(*) from letters u where u.state = 'sending' and u.waits_for = w.name)
          - (select count(*) from deliveries u where u.state = 'sending' and u.waits_for = w.name))
        for update skip locked) m
      where w.kind = 'destination' and w.name = any(${names}::text[])`

/**
 * Claims the mails that `found` selects, in three common table expressions that end in `taken`. Consent and suppression
 * are checked in the same statement: what is no longer wanted ends as `skipped` here and is never seen by a mailer. What
 * goes to a destination in trouble without having a seat there is put aside.
 */
const taking = (stream: MailStream, found: RawBuilder<unknown>) => {
  const isDelivery = stream === 'deliveries'
  return sql`ready as (${found}),
    judged as (
      select m.id, m.subscriber_id, ${wanted(stream)} and ${unsuppressed(stream)} as wanted, w.name as way,
        w.name is not null and not ready.seated as aside
      from ready join ${table(stream)} m on m.id = ready.id ${isDelivery ? sql`and m.local_date = ready.local_date` : sql``}
      join subscribers s on s.id = m.subscriber_id left join ${throttledRoute}),
    taken as (
      update ${table(stream)} m set
        state = case when not j.wanted then 'skipped' when j.aside then m.state else 'sending' end,
        reason = case when j.wanted then m.reason else 'no longer wanted' end,
        fence = m.fence + 1,
        lease_until = case when j.wanted and not j.aside then now() + ${LEASE} end,
        waits_for = case when j.wanted then j.way end,
        next_attempt_at = case when j.aside then now() + ${ASIDE} else m.next_attempt_at end
      from judged j join ready on ready.id = j.id
      where m.id = j.id ${isDelivery ? sql`and m.local_date = ready.local_date` : sql``}
      returning m.*)`
}

/** What `taking` took, as `Claimed`. */
const claimed = (stream: MailStream) => {
  const isDelivery = stream === 'deliveries'
  return sql`select t.id, ${isDelivery ? sql`t.local_date` : sql`null`} as "localDate", t.fence, t.attempts,
      extract(epoch from now() - t.created_at)::float8 * 1000 as "waitedMs",
      t.subscriber_id as "subscriberId", s.epoch, s.email, t.digest_id as "digestId",
      t.waits_for as "waitsFor",
      ${isDelivery ? sql`'digest' as kind, e.cutoff as date` : sql`t.kind, t.requested_at as date`}
    from taken t join subscribers s on s.id = t.subscriber_id
      ${isDelivery ? sql`join editions e on e.id = t.edition_id` : sql``}
    where t.state = 'sending'`
}

/** Writes outcomes down, in a common table expression that gives back the ids of those that took theirs. */
const recording = (stream: MailStream, results: AttemptResult[]) =>
  sql`update ${table(stream)} m set state = u.state, reason = u.reason, lease_until = null, waits_for = null,
      attempts = m.attempts + case when u.counts then 1 else 0 end,
      resent = m.resent + case when u.resend then 1 else 0 end,
      next_attempt_at = now() + u.retry_ms * interval '1 millisecond',
      sent_at = case when u.state = 'sent' then now() end,
      attempted_at = case when u.attempted then now() else m.attempted_at end,
      code = case when u.attempted then u.code else m.code end,
      enhanced = case when u.attempted then u.enhanced else m.enhanced end,
      said = case when u.attempted then u.said else m.said end
    from unnest(${results.map((v) => v.id)}::uuid[], ${results.map((v) => v.localDate)}::date[],
      ${results.map((v) => v.fence)}::int[], ${results.map((v) => v.state)}::text[],
      ${results.map((v) => v.reason)}::text[], ${results.map((v) => v.retryAfterMs)}::float8[],
      ${results.map((v) => v.counts)}::bool[], ${results.map((v) => v.resend)}::bool[],
      ${results.map((v) => v.reply !== null)}::bool[], ${results.map((v) => v.reply?.code ?? null)}::smallint[],
      ${results.map((v) => v.reply?.enhanced ?? null)}::text[], ${results.map((v) => v.reply?.said ?? null)}::text[])
      as u(id, local_date, fence, state, reason, retry_ms, counts, resend, attempted, code, enhanced, said)
    where ${stillTheirs(stream)} returning m.id`

/** Claims up to `most` mails whose time has come and that are still wanted, whether their relay is closed or not. */
export const claim = async (db: Kysely<Tables>, stream: MailStream, most: number): Promise<Claimed[]> => {
  const { rows } = await sql<Claimed>`with ${taking(stream, ready(stream, most, null))} ${claimed(stream)}`.execute(db)
  return rows
}

/**
 * Claims what destinations in trouble may be given now, by a limit that all mailers share: whoever counts what is under way
 * holds the destination's row until the claim is seen by others, and takes none that somebody else holds.
 */
export const claimThrottled = async (db: Kysely<Tables>, stream: MailStream): Promise<Claimed[]> =>
  db.transaction().execute(async (trx) => {
    const { rows: routes } = await sql<{ name: string }>`
      select w.name from throttled_routes w where w.kind = 'destination' and w.not_before <= now()
        and exists (select from ${table(stream)} m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
      for update skip locked`.execute(trx)
    if (routes.length === 0) return []
    const names = routes.map((route) => route.name)
    // A statement of its own, for it must see what was claimed before the lock was had.
    const { rows } = await sql<Claimed>`with ${taking(stream, seated(stream, names))} ${claimed(stream)}`.execute(trx)
    return rows
  })

/** Of the `most` mails that are ready longest, puts those aside whose destination is in trouble. Returns how many. */
export const deferThrottled = async (db: Kysely<Tables>, stream: MailStream, most: number): Promise<number> => {
  const isDelivery = stream === 'deliveries'
  const { rows } = await sql`
    with oldest as (
      select m.id, m.subscriber_id ${isDelivery ? sql`, m.local_date` : sql``} from ${table(stream)} m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now()
      order by m.next_attempt_at limit ${most} for update skip locked)
    update ${table(stream)} m set waits_for = w.name, next_attempt_at = now() + ${ASIDE}
    from oldest o join subscribers s on s.id = o.subscriber_id join ${throttledRoute}
    where m.id = o.id ${isDelivery ? sql`and m.local_date = o.local_date` : sql``} returning 1`.execute(db)
  return rows.length
}

/** Readies up to `most` mails that wait for a destination whose trouble is over. Returns how many. */
export const requeueDeferred = async (db: Kysely<Tables>, stream: MailStream, most: number): Promise<number> => {
  const isDelivery = stream === 'deliveries'
  const { rows } = await sql`
    with free as (
      select m.id ${isDelivery ? sql`, m.local_date` : sql``} from ${table(stream)} m
      where m.waits_for is not null and m.state in ('queued', 'deferred')
        and not exists (select from throttled_routes w where w.kind = 'destination' and w.name = m.waits_for)
      limit ${most} for update skip locked)
    update ${table(stream)} m set waits_for = null, next_attempt_at = now() from free f
    where m.id = f.id ${isDelivery ? sql`and m.local_date = f.local_date` : sql``} returning 1`.execute(db)
  return rows.length
}

/** Gives up what was put aside for a day for a destination that has been in trouble for a day. Returns how many. */
export const expireDeferred = async (db: Kysely<Tables>, stream: MailStream): Promise<number> => {
  const { rows } = await sql`
    update ${table(stream)} m set state = 'failed', waits_for = null,
      reason = 'expired: ' || w.name || ' has taken no mail for a day: ' || w.reason
    from throttled_routes w where w.kind = 'destination' and w.name = m.waits_for and m.state in ('queued', 'deferred')
      and w.since < now() - interval '1 day' and m.created_at < now() - interval '1 day' returning 1`.execute(db)
  return rows.length
}

/**
 * Records outcomes. A mail that was claimed anew meanwhile has another fence and is left alone: a mailer that was
 * frozen cannot overwrite what its successor found out. Returns how many took theirs.
 */
export const record = async (db: Kysely<Tables>, stream: MailStream, results: AttemptResult[]): Promise<number> => {
  if (results.length === 0) return 0
  const { rows } = await recording(stream, results).execute(db)
  return rows.length
}

/**
 * Both in one statement: what became of the group before, and the next group. On the way of every mail there is no other
 * statement than this one, once a group. `recorded` is how many verdicts were taken; while `relay` is closed nothing is
 * claimed.
 */
export const recordAndClaim = async (
  db: Kysely<Tables>,
  stream: MailStream,
  results: AttemptResult[],
  most: number,
  relay: string | null = null,
): Promise<Claim & { recorded: number }> => {
  const recorded = results.length === 0 ? sql`select null where false` : recording(stream, results)
  const { rows } = await sql<Claimed & Omit<Claim, 'claimed'> & { recorded: number }>`
    with recorded as (${recorded}),
    ${taking(stream, ready(stream, most, relay))}
    select r.*, c.* from (select (select count(*) from recorded)::int as recorded,
      (select count(*) from judged where wanted and aside)::int as aside,
      ${due(stream)} as due, ${closed(relay)} as closed) r
    left join (${claimed(stream)}) c on true`.execute(db)
  const { recorded: taken = 0, aside = 0, due: isDue = false, closed: isClosed = false } = rows[0] ?? {}
  return { recorded: taken, aside, due: isDue, closed: isClosed, claimed: rows.filter((row) => row.id !== null) }
}

/** Extends leases of mails that take their time; returns the ids still held. */
export const renew = async (
  db: Kysely<Tables>,
  stream: MailStream,
  mails: Pick<AttemptResult, 'id' | 'localDate' | 'fence'>[],
): Promise<string[]> => {
  if (mails.length === 0) return []
  const { rows } = await sql<{ id: string }>`
    update ${table(stream)} m set lease_until = now() + ${LEASE}
    from ${arrays(mails)} as u(id, local_date, fence) where ${sameMail(stream)} returning m.id`.execute(db)
  return rows.map((row) => row.id)
}

/** Which of these claimed mails are still ours and still wanted, asked again when they waited long for their turn. */
export const stillWanted = async (
  db: Kysely<Tables>,
  stream: MailStream,
  mails: Pick<AttemptResult, 'id' | 'localDate' | 'fence'>[],
): Promise<Set<string>> => {
  const { rows } = await sql<{ id: string }>`
    select m.id from ${arrays(mails)} as u(id, local_date, fence)
    join ${table(stream)} m on ${sameMail(stream)} join subscribers s on s.id = m.subscriber_id
    where ${wanted(stream)} and ${unsuppressed(stream)}`.execute(db)
  return new Set(rows.map((row) => row.id))
}

/**
 * Puts mails whose lease ran out back in the queue, counted as resent: their mailer died, and nobody knows whether the
 * server had taken them. With `hold` deliveries are not sent again but wait, as `unknown`, until somebody releases them.
 * With `all` (the embedded start, whose predecessor is known to be dead) leases still running too. Returns how many.
 */
export const requeueExpired = async (
  db: Kysely<Tables>,
  stream: MailStream,
  { all = false, onUnknown = 'resend' }: { all?: boolean; onUnknown?: OnUnknown } = {},
): Promise<number> => {
  const outcome =
    onUnknown === 'hold' && stream === 'deliveries'
      ? sql`state = 'unknown'`
      : sql`state = 'queued', resent = m.resent + 1, next_attempt_at = now()`
  const { rows } = await sql`
    update ${table(stream)} m set ${outcome}, lease_until = null, attempted_at = m.lease_until - ${LEASE},
      code = null, enhanced = null,
      said = null, reason = 'its mailer ended before the outcome was known'
    where m.state = 'sending' and ${all ? sql`true` : sql`m.lease_until < now()`} returning 1`.execute(db)
  return rows.length
}

/**
 * The sample that ships with the project is for looking at on one's own machine: once mail leaves it, sample papers are
 * hidden, and mails that would have shown them are given up.
 */
export const keepSampleOffTheWire = async (db: Kysely<Tables>, now: Date): Promise<void> => {
  await sql`update papers set hidden_at = ${now} where source = 'sample' and hidden_at is null`.execute(db)
  for (const stream of ['letters', 'deliveries'] as const)
    await sql`update ${table(stream)} m set state = 'skipped', reason = 'sample papers are not sent by SMTP',
        lease_until = null, fence = m.fence + 1
      from digests d where d.id = m.digest_id and d.sample and m.state in ('queued', 'sending', 'deferred', 'unknown')`.execute(
      db,
    )
}

/** Whether any mail of the ledger may be claimed now, or waits for a destination that may be tried again. */
export const anyReady = async (db: Kysely<Tables>, stream: MailStream): Promise<boolean> => {
  // In order, so that the index is used that holds nothing else, however few are ready.
  const ready = sql`select 1 from ${table(stream)} m where m.state in ('queued', 'deferred') and m.next_attempt_at <= now()`
  const found =
    stream === 'letters'
      ? ready
      : sql`select 1 from (${running}) e, lateral (${ready} and m.edition_id = e.id
          order by m.next_attempt_at limit 1) r`
  const { rows } = await sql<{ any: boolean }>`select ${due(stream)} or exists (${found}) as any`.execute(db)
  return rows[0]?.any ?? false
}
