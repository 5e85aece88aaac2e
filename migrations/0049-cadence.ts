/** Lets daily readers ask for a least number of papers, and weekly readers get at once what stands out. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table subscribers
  -- With fewer papers a daily digest is not sent: they come with the next.
  add column least_papers smallint not null default 1,
  -- Whether a weekly reader is sent what stands out without waiting for the week's digest.
  add column at_once boolean not null default false,
  -- Dates for which a digest was due and none was published, or it was canceled, each with the reason; null mostly.
  add column missed_digests jsonb;

-- Not validated: all rows have the default, and looking at them would keep the table locked.
alter table subscribers
  add constraint subscribers_least_papers_check check (least_papers in (1, 2, 3, 5)) not valid;

alter table digests
  -- What the next digest is to tell: the digests before it that were not sent, and what was sent at once; null mostly.
  add column untold jsonb,
  drop constraint digests_kind_check,
  -- Not validated: older rows have fewer kinds, and looking at all of them would keep the table locked.
  add constraint digests_kind_check check (kind in ('daily', 'weekly', 'welcome', 'at-once')) not valid;
`.execute(db)
}
