/** Writing down what is owed: a letter, or the digests of an edition. What becomes of them is in `store/deliveries`. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Writes a letter down, to be sent as soon as a mailer is free. */
export const storeLetter = async (
  db: Kysely<Tables>,
  letter: { subscriberId: string; kind: Tables['letters']['kind']; digestId: number | null; requestedAt: Date },
): Promise<void> => {
  await db
    .insertInto('letters')
    .values({
      subscriber_id: letter.subscriberId,
      kind: letter.kind,
      digest_id: letter.digestId,
      requested_at: letter.requestedAt,
    })
    .execute()
}

/** When a digest was due, its local date, and when the next one is: the same object for all who share these. */
export interface DueSlot {
  localDate: string
  dueAt: Date
  nextDueAt: Date
}

export interface OwedDigest {
  /** Those who are owed it, locked by `lockDue`: their ids and the places of their rows, and how many they are. */
  members: string
  rows: string
  count: number
  digestId: number
  /** A digest without papers is owed and settled at once: nobody is sent an empty mail. */
  empty: boolean
  slot: DueSlot
}

/**
 * Writes down what an edition owes and moves its subscribers on, in one statement. A subscriber who has a delivery of
 * that date already keeps it and is moved on all the same: never two on one date. Returns how many were newly owed.
 */
export const addDeliveries = async (
  db: Kysely<Tables>,
  edition: { id: number; cutoff: Date },
  owed: OwedDigest[],
): Promise<number> => {
  // Digests and slots are few: they are not written out for each subscriber.
  const slots = [...new Set(owed.map((one) => one.slot))]
  const numberOf = new Map(slots.map((slot, n) => [slot, n]))
  const { rows } = await sql<{ owed: number; moved: number }>`
    with slots as (select * from unnest(${slots.map((_, n) => n)}::int[], ${slots.map((s) => s.localDate)}::date[],
        ${slots.map((s) => s.dueAt)}::timestamptz[], ${slots.map((s) => s.nextDueAt)}::timestamptz[])
        as t(slot, local_date, due_at, next_due_at)),
      u as materialized (
        select m.subscriber_id, m.row, o.digest_id, o.empty, t.local_date, t.due_at, t.next_due_at
        from unnest(${`{${owed.map((o) => o.members).join()}}`}::uuid[], ${`{${owed.map((o) => o.rows).join()}}`}::tid[],
          ${`{${owed.map((o, n) => `${n}${`,${n}`.repeat(o.count - 1)}`).join()}}`}::int[]) as m(subscriber_id, row, party)
        join unnest(${owed.map((_, n) => n)}::int[], ${owed.map((o) => o.digestId)}::bigint[],
          ${owed.map((o) => o.empty)}::bool[], ${owed.map((o) => numberOf.get(o.slot))}::int[])
          as o(party, digest_id, empty, slot) using (party) join slots t using (slot)),
      written as (
        insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id, state, reason, next_attempt_at)
        -- The date, then the microsecond, so that an index grows at its end, and 40 random bits.
        select local_date, (lpad(to_hex(local_date - date '1970-01-01'), 8, '0')
            || lpad(to_hex((extract(epoch from clock_timestamp()) * 1e6)::bigint), 14, '0')
            || right(gen_random_uuid()::text, 10))::uuid,
          subscriber_id, ${edition.id}, digest_id,
          case when empty then 'skipped' else 'queued' end, case when empty then 'nothing to send' end,
          (select begun_at from editions where id = ${edition.id})
        from u on conflict (subscriber_id, local_date) do nothing returning subscriber_id),
      moved as (
        update subscribers s set next_due_at = u.next_due_at, last_due_at = u.due_at, last_local_date = u.local_date,
          last_cutoff = case when u.is_new then ${edition.cutoff} else s.last_cutoff end,
          last_digest_id = case when u.is_new then u.digest_id else s.last_digest_id end,
          state = 'active', paused_until = null
        from (select u.*, subscriber_id in (select subscriber_id from written) as is_new from u) u
        where s.ctid = u.row and s.id = u.subscriber_id returning 1)
    select (select count(*) from written)::int as owed, (select count(*) from moved)::int as moved`.execute(db)
  const { owed: written = 0, moved = 0 } = rows[0] ?? {}
  if (moved !== owed.reduce((sum, { count }) => sum + count, 0)) throw new Error('a subscriber who is locked has gone')
  return written
}
