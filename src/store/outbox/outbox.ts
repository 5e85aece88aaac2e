/** The outbox: writes down what is owed, a letter or the digests of an edition. Mailers take it from there by `claims`. */
import { type Kysely, sql } from 'kysely'
import type { Preferences } from '../../core/subscriber/preferences.ts'
import type { LetterKind, Move, Tables } from '../database.ts'
import { newDeliveryId } from './delivery-id.ts'

export interface NewLetter {
  subscriberId: string
  kind: LetterKind
  /** The welcome's digest; `null` for all other kinds. */
  digestId: number | null
  requestedAt: Date
  /** What a confirmation's link confirms. */
  preferences?: Preferences | null
  /** What the link to confirm a new address moves there. */
  moves?: Move | null
  /** The paper that its link to vote leads to. */
  paperId?: string | null
  /** The group that its link joins. */
  groupId?: string | null
}

/** Stores a letter, ready to be sent at once. Returns its id. */
export const storeLetter = async (db: Kysely<Tables>, letter: NewLetter): Promise<string> => {
  const { preferences = null, moves = null, paperId = null, groupId = null } = letter
  const { id } = await db
    .insertInto('letters')
    .values({
      subscriber_id: letter.subscriberId,
      kind: letter.kind,
      digest_id: letter.digestId,
      requested_at: letter.requestedAt,
      preferences: preferences === null ? null : (JSON.stringify(preferences) as never),
      moves: moves === null ? null : (JSON.stringify(moves) as never),
      paper_id: paperId,
      group_id: groupId,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** Stores the letter with a curator's link, ready to be sent at once. */
export const storeCuratorLetter = async (db: Kysely<Tables>, curatorId: string, requestedAt: Date): Promise<void> => {
  await db.insertInto('letters').values({ curator_id: curatorId, kind: 'curator', requested_at: requestedAt }).execute()
}

/** Lets a letter that waits to be sent count as asked for anew; `false` where there is none. */
export const renewWaitingLetter = async (
  db: Kysely<Tables>,
  subscriberId: string,
  kind: LetterKind,
  requestedAt: Date,
): Promise<boolean> => {
  const waiting = await db
    .updateTable('letters')
    .set({ requested_at: requestedAt })
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', kind)
    .where('state', 'in', ['queued', 'deferred'])
    .returning('id')
    .execute()
  return waiting.length > 0
}

/** Notes that the link of a letter was used at `at`; `false` where it was before, or ended. */
export const useLetter = async (db: Kysely<Tables>, id: string, at: Date): Promise<boolean> => {
  const used = await db
    .updateTable('letters')
    .set({ used_at: at })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .returning('id')
    .execute()
  return used.length > 0
}

/** Ends the links of all letters of a kind to some subscribers. */
export const endLetters = async (
  db: Kysely<Tables>,
  subscriberIds: readonly string[],
  kind: LetterKind,
  at: Date,
): Promise<void> => {
  await db
    .updateTable('letters')
    .set({ used_at: at })
    .where('subscriber_id', 'in', subscriberIds)
    .where('kind', '=', kind)
    .where('used_at', 'is', null)
    .execute()
}

/** When a digest was due, for which local date, and when the next is due. Digests that agree in all three share one object. */
export interface DueSlot {
  /** `YYYY-MM-DD`. */
  localDate: string
  dueAt: Date
  nextDueAt: Date
}

/** Subscribers who are due and get nothing, as `lockDue` locked them. */
export interface PassedReaders {
  /** Their ids. */
  members: readonly string[]
  slot: DueSlot
}

/** A digest and the subscribers who are owed it, as `lockDue` locked them. */
export interface OwedDigest extends PassedReaders {
  digestId: number
  /** A digest without papers becomes `skipped` at once: nobody is sent an empty mail. */
  empty: boolean
  /**
   * Their cut-off stays as it is, or becomes this one where they have none: they go on choosing from what they chose from
   * before; `null` mostly.
   */
  keptCutoff?: Date | null
}

/** Each member of some parts with the number of their part: `r(subscriber_id, part)`. */
const memberRows = (parts: readonly PassedReaders[]) =>
  sql`unnest(${parts.flatMap(({ members }) => members)}::uuid[],
    ${parts.flatMap(({ members }, part) => Array<number>(members.length).fill(part))}::int[]) as r(subscriber_id, part)`

/** Throws unless all members of some parts were moved on: they are locked, so none can have gone. */
const requireAll = (moved: number | undefined, parts: readonly PassedReaders[]): void => {
  if (moved !== parts.reduce((sum, { members }) => sum + members.length, 0))
    throw new Error('a locked subscriber is gone')
}

/**
 * Inserts the deliveries of an edition and moves its subscribers on to their next due time, in one statement. A subscriber
 * who already has a delivery of that local date keeps it and is moved on all the same: never two on one date. One that was
 * canceled was not sent, so this edition takes it over. What a subscriber had before is kept as `previous_…`, so that the
 * edition can be canceled. Returns how many deliveries are this edition's; throws when a subscriber of `owed` is gone.
 */
export const addDeliveries = async (
  db: Kysely<Tables>,
  edition: { id: number; cutoff: Date },
  owed: readonly OwedDigest[],
): Promise<number> => {
  // Digests and slots are few, so the statement carries each once and not for every subscriber.
  const slots = [...new Set(owed.map((one) => one.slot))]
  const numberOf = new Map(slots.map((slot, n) => [slot, n]))
  const { rows } = await sql<{ owed: number; moved: number }>`
    with slots as (select * from unnest(${slots.map((_, n) => n)}::int[], ${slots.map((s) => s.localDate)}::date[],
        ${slots.map((s) => s.dueAt)}::timestamptz[], ${slots.map((s) => s.nextDueAt)}::timestamptz[])
        as t(slot, local_date, due_at, next_due_at)),
      parts as (select * from unnest(${owed.map((_, n) => n)}::int[], ${owed.map((o) => o.digestId)}::bigint[],
          ${owed.map((o) => o.empty)}::bool[], ${owed.map((o) => o.keptCutoff ?? null)}::timestamptz[],
          ${owed.map((o) => numberOf.get(o.slot))}::int[]) as p(part, digest_id, empty, kept_cutoff, slot) join slots using (slot)),
      readers as materialized (select * from ${memberRows(owed)} join parts using (part)),
      written as (
        insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id, state, reason, next_attempt_at)
        select local_date, ${newDeliveryId(sql`subscriber_id`, sql`local_date`)}, subscriber_id, ${edition.id}, digest_id,
          case when empty then 'skipped' else 'queued' end, case when empty then 'nothing to send' end,
          (select begun_at from editions where id = ${edition.id})
        from readers on conflict (subscriber_id, local_date) do update set
          edition_id = excluded.edition_id, digest_id = excluded.digest_id, state = excluded.state, reason = excluded.reason,
          next_attempt_at = excluded.next_attempt_at, created_at = excluded.created_at, attempts = 0, failed_before = null,
          told_change = null, proposal_id = null,
          fence = deliveries.fence + 1
        where deliveries.state = 'canceled' returning subscriber_id),
      moved as (
        update subscribers s set next_due_at = u.next_due_at, last_due_at = u.due_at, last_local_date = u.local_date,
          previous_digest_id = case when u.is_new then s.last_digest_id else s.previous_digest_id end,
          previous_cutoff = case when u.is_new then s.last_cutoff else s.previous_cutoff end,
          previous_due_at = case when u.is_new then s.last_due_at else s.previous_due_at end,
          previous_local_date = case when u.is_new then s.last_local_date else s.previous_local_date end,
          last_cutoff = case when not u.is_new then s.last_cutoff
            when u.kept_cutoff is null then ${edition.cutoff} else coalesce(s.last_cutoff, u.kept_cutoff) end,
          last_digest_id = case when u.is_new then u.digest_id else s.last_digest_id end,
          state = 'active', paused_until = null
        from (select readers.*, subscriber_id in (select subscriber_id from written) as is_new from readers) u
        where s.id = u.subscriber_id returning 1)
    select (select count(*) from written)::int as owed, (select count(*) from moved)::int as moved`.execute(db)
  requireAll(rows[0]?.moved, owed)
  return rows[0]?.owed ?? 0
}

/** Moves subscribers who are due on to their next due time, and stores nothing else. Throws as `addDeliveries`. */
export const passReaders = async (db: Kysely<Tables>, passed: readonly PassedReaders[]): Promise<void> => {
  if (passed.length === 0) return
  const { rows } = await sql<{ moved: number }>`
    with moved as (
        update subscribers s set next_due_at = p.next_due_at, state = 'active', paused_until = null
        from ${memberRows(passed)} join unnest(${passed.map((_, n) => n)}::int[],
          ${passed.map(({ slot }) => slot.nextDueAt)}::timestamptz[]) as p(part, next_due_at) using (part)
        where s.id = r.subscriber_id returning 1)
    select count(*)::int as moved from moved`.execute(db)
  requireAll(rows[0]?.moved, passed)
}

/**
 * Gives up mails that would show papers of the sample that ships with the project, and hides these papers: the sample is
 * for looking at on one's own machine, and is never sent by SMTP. Mails already claimed lose their claim. `now` is when
 * the papers count as hidden.
 */
export const withdrawSample = async (db: Kysely<Tables>, now: Date): Promise<void> => {
  await sql`update papers set hidden_at = ${now} where source = 'sample' and hidden_at is null`.execute(db)
  for (const stream of ['letters', 'deliveries'] as const)
    await sql`
      update ${sql.table(stream)} m set state = 'skipped', reason = 'sample papers are not sent by SMTP',
        lease_until = null, fence = m.fence + 1
      from digests d where d.id = m.digest_id and d.sample and m.state in ('queued', 'sending', 'deferred', 'unknown')`.execute(
      db,
    )
}
