/** Lets papers be of bioRxiv and medRxiv. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table papers
  drop constraint papers_source_check,
  -- Not validated: older rows have fewer sources, and looking at all of them would keep the table locked.
  add constraint papers_source_check
    check (source in ('huggingface', 'file', 'sample', 'arxiv', 'biorxiv', 'medrxiv')) not valid;
`.execute(db)
}
