/** The permits to request from a source: one at a time over all processes, by the database's clock. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Milliseconds of back-off after a refusal, at least. */
const MIN_BACK_OFF = 60_000
/** At most, however often in a row the source refused. */
const MAX_BACK_OFF = 86_400_000

export type PermitResult =
  /** A request may begin now; `holder` releases the permit. */
  | { kind: 'granted'; holder: string }
  /** Another request is under way, or has just ended: try again in `waitMs` milliseconds. */
  | { kind: 'busy'; waitMs: number }
  /** The source asked for no request within `waitMs` milliseconds from now. */
  | { kind: 'backing off'; waitMs: number }

/**
 * Acquires the permit if it is free, for `leaseMs` milliseconds at most: a process that dies during a request makes the
 * others wait no longer. One statement, so that of any number of processes one gets it.
 */
export const acquirePermit = async (
  db: Kysely<Tables>,
  source: string,
  holder: string,
  leaseMs: number,
): Promise<PermitResult> => {
  const { rows } = await sql<{ taken: boolean; busy_ms: number | null; back_off_ms: number | null }>`
    with taken as (
      insert into source_permits as t (source, holder, next_at)
      values (${source}, ${holder}, clock_timestamp() + ${leaseMs}::float8 * interval '1 ms')
      on conflict (source) do update
        set holder = excluded.holder, next_at = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
        where t.next_at <= clock_timestamp() and (t.not_before is null or t.not_before <= clock_timestamp())
      returning source)
    -- These two are the values from before: the statement does not see its own changes.
    select exists (select from taken) as taken,
      (select extract(epoch from next_at - clock_timestamp())::float8 * 1000
        from source_permits where source = ${source}) as busy_ms,
      (select extract(epoch from not_before - clock_timestamp())::float8 * 1000
        from source_permits where source = ${source}) as back_off_ms`.execute(db)
  const [row] = rows
  if (row?.taken) return { kind: 'granted', holder }
  const backingOff = row?.back_off_ms ?? 0
  if (backingOff > 0) return { kind: 'backing off', waitMs: backingOff }
  return { kind: 'busy', waitMs: Math.max(0, row?.busy_ms ?? 0) }
}

/** The outcome of a request: a response, an error without a back-off, or a refusal with one in milliseconds. */
export type PermitOutcome = 'answered' | 'failed' | { backOffMs: number }

/**
 * Releases a permit: the next may be acquired `gapMs` milliseconds from now. Each refusal in a row doubles the back-off
 * that the source asked for; a response ends the row. Does nothing where another holder has the permit.
 */
export const releasePermit = async (
  db: Kysely<Tables>,
  source: string,
  holder: string,
  gapMs: number,
  outcome: PermitOutcome,
): Promise<void> => {
  const backOff =
    outcome === 'answered'
      ? sql`, not_before = null, refusals = 0`
      : outcome === 'failed'
        ? sql``
        : sql`, refusals = least(refusals + 1, 20), not_before = clock_timestamp() + interval '1 ms' *
            least(${MAX_BACK_OFF}::float8, greatest(${MIN_BACK_OFF}::float8, ${outcome.backOffMs}::float8) * 2 ^ refusals)`
  await sql`update source_permits set next_at = clock_timestamp() + ${gapMs}::float8 * interval '1 ms' ${backOff}
    where source = ${source} and holder = ${holder}`.execute(db)
}
