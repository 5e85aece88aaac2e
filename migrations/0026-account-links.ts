/**
 * Links that work once and for a short time: to a subscriber's account, to confirm a new address, and to undo that. And what
 * is told or undone of changes that were made by the links of digests, which may have been forwarded.
 */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table letters
  -- When the link of the letter was used, or ended, by the service's clock; null while it may be used.
  add column used_at timestamptz,
  -- Of the letter that confirms a new address: whose subscription moves, and their epoch when it was asked for.
  add column moves jsonb,
  drop constraint letters_kind_check,
  -- Not validated: older rows have fewer kinds, and looking at all of them would keep the table locked.
  add constraint letters_kind_check check (kind in ('confirmation', 'welcome', 'links', 'already-subscribed', 'account',
    'new-address', 'address-changed')) not valid;

alter table sign_ups
  add column moves jsonb,
  drop constraint sign_ups_kind_check,
  add constraint sign_ups_kind_check check (kind in ('subscribe', 'links', 'move'));

alter table subscribers
  -- Where a subscription went when its reader changed their address, and where it came from.
  add column moved_to uuid,
  add column moved_from uuid,
  -- The local date of the last change of settings by a link that digests hold; null once a digest has told of it.
  add column changed_by_link_on date,
  -- What a press of the unsubscribe link took away, until it is undone or something else is changed.
  add column before_reduction jsonb;
`.execute(db)
}
