/** Lets letters to curators be stored beside those with a link to vote: the two came by migrations that did not know each other. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table letters
  drop constraint letters_kind_check,
  -- Not validated: older rows have fewer kinds, and looking at all of them would keep the table locked.
  add constraint letters_kind_check check (kind in ('confirmation', 'welcome', 'links', 'already-subscribed', 'account',
    'new-address', 'address-changed', 'vote', 'curator')) not valid;
`.execute(db)
}
