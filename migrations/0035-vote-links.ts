/** Letters with a link to vote, which somebody asked for on the page of a paper. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table letters
  -- The paper that the link of such a letter leads to.
  add column paper_id text,
  drop constraint letters_kind_check,
  -- Not validated: older rows have fewer kinds, and looking at all of them would keep the table locked.
  add constraint letters_kind_check check (kind in ('confirmation', 'welcome', 'links', 'already-subscribed', 'account',
    'new-address', 'address-changed', 'vote')) not valid;

alter table sign_ups
  add column paper_id text,
  drop constraint sign_ups_kind_check,
  add constraint sign_ups_kind_check check (kind in ('subscribe', 'links', 'move', 'vote'));
`.execute(db)
}
