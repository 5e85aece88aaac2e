/** Moving a subscription from one address to another: each address keeps a row of its own, and with it the links it was sent. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'
import { moveMemberships, storeOnlyGroups } from './groups.ts'
import { moveSaved } from './saved-papers.ts'
import { columnsOf, preferencesOf, type Subscriber } from './subscribers.ts'
import { moveProposals } from './taste-proposals.ts'
import { moveTaste } from './tastes.ts'
import { moveVotes } from './votes.ts'

/**
 * Moves a subscription to another subscriber, with what was chosen and the history through which no paper comes twice. Both
 * are locked by the caller. The old one gets nothing more; what waits to be sent to them goes to the new one. Their votes
 * go with it, or they could vote for the same papers again, and so do their reading list, their taste and what was proposed
 * to them. Feedback on what they were sent, and links in it, stay with the address that had it.
 * go with it, or they could vote for the same papers again, and so do their reading list, their groups and what was proposed to
 * them. Feedback on what they were sent, and links in it, stay with the address that had it.
 */
export const moveSubscription = async (db: Kysely<Tables>, from: Subscriber, to: string, at: Date): Promise<void> => {
  await db
    .updateTable('subscribers')
    .set({
      state: 'unsubscribed',
      paused_until: null,
      next_due_at: null,
      moved_to: to,
      before_reduction: null,
      changed_by_link_on: null,
      changed_by_link: null,
      proposal_id: null,
      missed_digests: null,
    })
    .where('id', '=', from.id)
    .execute()
  await db
    .updateTable('subscribers')
    .set({
      ...columnsOf(preferencesOf(from)),
      announcements: from.announcements,
      state: from.state,
      confirmed_at: at,
      left_at: null,
      paused_until: from.paused_until,
      next_due_at: from.next_due_at,
      last_digest_id: from.last_digest_id,
      last_cutoff: from.last_cutoff,
      last_due_at: from.last_due_at,
      last_local_date: from.last_local_date,
      previous_digest_id: from.previous_digest_id,
      previous_cutoff: from.previous_cutoff,
      previous_due_at: from.previous_due_at,
      previous_local_date: from.previous_local_date,
      changed_by_link_on: from.changed_by_link_on,
      changed_by_link: from.changed_by_link,
      proposal_id: from.proposal_id,
      missed_digests: from.missed_digests === null ? null : (JSON.stringify(from.missed_digests) as never),
      before_reduction: null,
      moved_to: null,
      moved_from: from.id,
    })
    .where('id', '=', to)
    .execute()
  await sql`update deliveries m set subscriber_id = ${to} where subscriber_id = ${from.id} and state in ('queued', 'deferred')
    and not exists (select from deliveries o where o.subscriber_id = ${to} and o.local_date = m.local_date)`.execute(db)
  await sql`update announcement_mails m set subscriber_id = ${to}
    where subscriber_id = ${from.id} and state in ('queued', 'deferred') and not exists (select from announcement_mails o
      where o.subscriber_id = ${to} and o.announcement_id = m.announcement_id)`.execute(db)
  await sql`update letters set subscriber_id = ${to}
    where subscriber_id = ${from.id} and kind = 'welcome' and state in ('queued', 'deferred')`.execute(db)
  await moveVotes(db, from.id, to)
  await moveProposals(db, from.id, to)
  await moveSaved(db, from.id, to)
  await moveTaste(db, from.id, to)
  await moveMemberships(db, from.id, to)
  await storeOnlyGroups(db, to, from.only_groups)
}

/** Forgets that these subscriptions came from another address, and gives the one that they came back to its own past. */
export const forgetMoves = async (
  db: Kysely<Tables>,
  moved: readonly string[],
  back: Pick<Subscriber, 'id' | 'moved_from'>,
): Promise<void> => {
  if (moved.length > 0) await db.updateTable('subscribers').set({ moved_from: null }).where('id', 'in', moved).execute()
  await db
    .updateTable('subscribers')
    .set({ moved_to: null, moved_from: back.moved_from })
    .where('id', '=', back.id)
    .execute()
}
