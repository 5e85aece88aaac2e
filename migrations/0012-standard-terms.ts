/** Renames tables and columns to the field's standard terms, and drops the models that were trained on the spot. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table troubled_ways rename to throttled_routes;
alter table throttled_routes rename column trouble to cause;
alter table throttled_routes rename column seats to concurrency;
alter table throttled_routes rename column strikes to failures;
alter table throttled_routes rename constraint troubled_ways_pkey to throttled_routes_pkey;
alter table throttled_routes rename constraint troubled_ways_kind_check to throttled_routes_kind_check;
alter table throttled_routes rename constraint troubled_ways_seats_check to throttled_routes_concurrency_check;

alter table mail_returns rename to mail_feedback;
alter table mail_feedback rename column ledger to stream;
alter table mail_feedback rename constraint mail_returns_pkey to mail_feedback_pkey;
alter table mail_feedback rename constraint mail_returns_kind_check to mail_feedback_kind_check;
alter table mail_feedback rename constraint mail_returns_ledger_check to mail_feedback_stream_check;
alter table mail_feedback rename constraint mail_returns_class_check to mail_feedback_class_check;
alter table mail_feedback rename constraint mail_returns_check to mail_feedback_check;
alter table mail_feedback rename constraint mail_returns_subscriber_id_fkey to mail_feedback_subscriber_id_fkey;
alter table mail_feedback rename constraint mail_returns_edition_id_fkey to mail_feedback_edition_id_fkey;
alter index mail_returns_by_subscriber rename to mail_feedback_by_subscriber;
alter index mail_returns_by_edition rename to mail_feedback_by_edition;

alter table source_turns rename to source_permits;
alter table source_permits rename constraint source_turns_pkey to source_permits_pkey;
alter table source_permits rename constraint source_turns_refusals_check to source_permits_refusals_check;

alter table source_refreshes rename column trouble to error;
alter table digests rename column carry to recently_sent;
alter table digests rename column quiet_from to empty_since;
alter table subscribers rename column quiet_day to when_empty;
alter table subscribers rename constraint subscribers_quiet_day_check to subscribers_when_empty_check;
-- Sign-ups that are not worked off yet hold preferences as JSON, under the names of the code.
update sign_ups set preferences = preferences - 'quietDay' || jsonb_build_object('whenEmpty', preferences -> 'quietDay')
  where preferences ? 'quietDay';

-- A model is a file now, named by a setting; one trained here could not be told from a worse one.
drop table relevance_models;
`.execute(db)
}
