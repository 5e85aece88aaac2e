/** What is proposed to readers from what they said of papers: noted, mailed by the next digest, and answered. */
import { type Kysely, sql } from 'kysely'
import type { Proposed } from '../core/taste/proposal.ts'
import type { Tables } from './database.ts'

/** A proposal as it is stored. */
export interface StoredProposal extends Proposed {
  id: number
  proposedAt: Date
  answer: 'accepted' | 'declined' | null
}

const COLUMNS = ['id', 'kind', 'value', 'label', 'presses', 'proposed_at as proposedAt', 'answer'] as const

/** Everything that was proposed to a subscriber, the oldest first. */
export const readProposals = (db: Kysely<Tables>, subscriberId: string): Promise<StoredProposal[]> =>
  db
    .selectFrom('taste_proposals')
    .select(COLUMNS)
    .where('subscriber_id', '=', subscriberId)
    .orderBy('proposed_at')
    .orderBy('id')
    .execute()

/** A proposal to a subscriber; `null` where they never had it. */
export const readProposal = async (
  db: Kysely<Tables>,
  subscriberId: string,
  id: number,
): Promise<StoredProposal | null> =>
  (await db
    .selectFrom('taste_proposals')
    .select(COLUMNS)
    .where('subscriber_id', '=', subscriberId)
    .where('id', '=', id)
    .executeTakeFirst()) ?? null

/** Has the next digest of a locked subscriber propose something, in the place of what it would have. */
export const noteProposal = async (
  db: Kysely<Tables>,
  subscriberId: string,
  { kind, value, label, presses }: Proposed,
  at: Date,
): Promise<void> => {
  await sql`
    with noted as (
      insert into taste_proposals (subscriber_id, kind, value, label, presses, proposed_at)
      values (${subscriberId}, ${kind}, ${value}, ${label}, ${presses}, ${at})
      on conflict (subscriber_id, kind, value) do update set label = excluded.label, presses = excluded.presses,
        proposed_at = excluded.proposed_at, answer = null, answered_at = null
      returning id)
    update subscribers set proposal_id = noted.id from noted where subscribers.id = ${subscriberId}`.execute(db)
}

/**
 * Forgets what the next digest of a locked subscriber would propose, as if it had not been noted: nobody was shown it. What
 * is on its way already stays.
 */
export const withdrawProposal = async (db: Kysely<Tables>, subscriberId: string): Promise<void> => {
  await sql`
    with waiting as (
      update subscribers s set proposal_id = null from subscribers before
      where s.id = ${subscriberId} and before.id = s.id and before.proposal_id is not null returning before.proposal_id as id)
    delete from taste_proposals p using waiting where p.id = waiting.id and p.answer is null`.execute(db)
}

/** Stores what a locked subscriber answered to a proposal, which waits for no digest then; `null` takes the answer back. */
export const answerProposal = async (
  db: Kysely<Tables>,
  id: number,
  answer: StoredProposal['answer'],
  at: Date,
): Promise<void> => {
  await db
    .updateTable('taste_proposals')
    .set({ answer, answered_at: answer === null ? null : at })
    .where('id', '=', id)
    .execute()
  await sql`update subscribers set proposal_id = null where proposal_id = ${id}
    and id = (select subscriber_id from taste_proposals where id = ${id})`.execute(db)
}

/**
 * Has the digests of an edition that some subscribers are owed since this transaction make their proposals, once: what a
 * digest proposes no longer waits. A digest that is not sent, for it is empty or of another edition, proposes nothing.
 */
export const proposeInDigests = async (
  db: Kysely<Tables>,
  editionId: number,
  ids: readonly string[],
): Promise<void> => {
  await sql`
    with proposed as (
      update deliveries m set proposal_id = s.proposal_id from subscribers s
      where s.id = any(${ids}::uuid[]) and s.proposal_id is not null and m.subscriber_id = s.id
        and m.local_date = s.last_local_date and m.edition_id = ${editionId} and m.state = 'queued'
      returning m.subscriber_id)
    update subscribers s set proposal_id = null from proposed where s.id = proposed.subscriber_id`.execute(db)
}

/** Gives what was proposed to a subscriber to another: with it the answers. Both are locked by the caller. */
export const moveProposals = async (db: Kysely<Tables>, from: string, to: string): Promise<void> => {
  await sql`
    delete from taste_proposals p using taste_proposals o
    where p.subscriber_id = ${to} and o.subscriber_id = ${from} and p.kind = o.kind and p.value = o.value`.execute(db)
  await sql`update taste_proposals set subscriber_id = ${to} where subscriber_id = ${from}`.execute(db)
}
