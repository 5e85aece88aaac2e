/** Adds the table that says which code may run on this schema. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table schema_compatibility (
  single boolean primary key default true check (single),
  -- The number of the newest migration that the oldest code knows which may run on this schema.
  oldest_code integer not null
);
-- The code before 0012 knows the tables by other names.
insert into schema_compatibility (oldest_code) values (12);
`.execute(db)
}
