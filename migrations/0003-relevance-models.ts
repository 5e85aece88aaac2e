/** Adds a table of relevance models trained by an operator (dropped by 0012), and which model the stored scores are of. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table relevance_models (
  version integer generated always as identity primary key,
  trained_at timestamptz not null,
  -- As the program writes models into files; read with suspicion, like any file.
  model text not null,
  papers integer not null,
  first_day date,
  last_day date,
  -- How it did on days that it had not seen, beside the model in use then.
  trial jsonb not null,
  in_use boolean not null default false
);
create unique index relevance_models_in_use on relevance_models (in_use) where in_use;

-- Which model the stored scores are of: a new version of the program may ship another one.
create table papers_scored (
  single boolean primary key default true check (single),
  by_model text not null
);
`.execute(db)
}
