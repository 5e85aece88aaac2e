/** A log of the ledger: every claim and outcome that the service writes, as triggers of the database see it. */
import { sql } from 'kysely'
import type { Database } from '../../src/store/database.ts'

export interface LedgerLog {
  /** What was written since the last call, in its order; `at` by `performance.now`. */
  read(): Promise<{ at: number; what: string }[]>
}

/** Puts the triggers on letters and deliveries; to be called once, on a migrated database. */
export const installLedgerLog = async (db: Database): Promise<LedgerLog> => {
  await sql`create schema fault_runner`.execute(db)
  await sql`create table fault_runner.ledger_log (
    id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
    what text not null)`.execute(db)
  await sql`create function fault_runner.log_mail() returns trigger language plpgsql as $$ begin
    insert into fault_runner.ledger_log (what) values (format(
      '%s %s: %s, fence %s, attempts %s, resent %s, lease %s, next attempt %s, reason: %s (backend %s)',
      tg_argv[0], new.id, new.state, new.fence, new.attempts, new.resent, coalesce(new.lease_until::text, 'none'),
      new.next_attempt_at, coalesce(new.reason, 'none'), pg_backend_pid()));
    return null; end $$`.execute(db)
  const changed = sql`(old.state, old.fence, old.attempts, old.resent, old.reason)
    is distinct from (new.state, new.fence, new.attempts, new.resent, new.reason)`
  for (const [table, name] of Object.entries({ letters: 'LETTER', deliveries: 'DELIVERY' })) {
    await sql`create trigger fault_runner_insert after insert on ${sql.table(table)}
      for each row execute function fault_runner.log_mail(${sql.lit(name)})`.execute(db)
    // Not when time is made to pass.
    await sql`create trigger fault_runner_update after update on ${sql.table(table)}
      for each row when (${changed}) execute function fault_runner.log_mail(${sql.lit(name)})`.execute(db)
  }

  let last = '0'
  return {
    async read() {
      const { rows } = await sql<{ id: string; at: Date; what: string }>`
        select id::text, at, what from fault_runner.ledger_log where id > ${last}::bigint order by id`.execute(db)
      last = rows.at(-1)?.id ?? last
      return rows.map(({ at, what }) => ({ at: at.getTime() - performance.timeOrigin, what }))
    },
  }
}
