/** Whose turn it is to ask a source, over all processes and by the database's clock. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** A refusal that names no longer time keeps us away for a minute at least. */
const LEAST_BACK_OFF = 60_000
/** However often in a row it refused, it is asked again after a day. */
const LONGEST_BACK_OFF = 86_400_000

export type PermitResult =
  /** A request may begin now; `holder` ends the turn. */
  | { kind: 'taken'; holder: string }
  /** Another request is under way, or has just ended: try again in so many milliseconds. */
  | { kind: 'busy'; waitMs: number }
  /** The source asked us to stay away for so many milliseconds from now. */
  | { kind: 'resting'; waitMs: number }

/**
 * Takes the turn if it is free, for `leaseMs` at most: a process that dies in the middle of a request keeps the others
 * waiting no longer. One statement, so that of any number of processes one takes it.
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
    -- These two are of before: the statement does not see what it did.
    select exists (select from taken) as taken,
      (select extract(epoch from next_at - clock_timestamp())::float8 * 1000
        from source_permits where source = ${source}) as busy_ms,
      (select extract(epoch from not_before - clock_timestamp())::float8 * 1000
        from source_permits where source = ${source}) as back_off_ms`.execute(db)
  const [row] = rows
  if (row?.taken) return { kind: 'taken', holder }
  const backingOff = row?.back_off_ms ?? 0
  if (backingOff > 0) return { kind: 'resting', waitMs: backingOff }
  return { kind: 'busy', waitMs: Math.max(0, row?.busy_ms ?? 0) }
}

/** What came of the request: an answer, trouble that asks for nothing, or a refusal for so many milliseconds. */
export type PermitOutcome = 'answered' | 'failed' | { backOffMs: number }

/**
 * Ends a turn: the next one begins `gapMs` from now. Every refusal in a row doubles the time that the source asked for;
 * an answer ends the row.
 */
export const releasePermit = async (
  db: Kysely<Tables>,
  source: string,
  holder: string,
  gapMs: number,
  outcome: PermitOutcome,
): Promise<void> => {
  const rest =
    outcome === 'answered'
      ? sql`, not_before = null, refusals = 0`
      : outcome === 'failed'
        ? sql``
        : sql`, refusals = least(refusals + 1, 20), not_before = clock_timestamp() + interval '1 ms' *
            least(${LONGEST_BACK_OFF}::float8, greatest(${LEAST_BACK_OFF}::float8, ${outcome.backOffMs}::float8) * 2 ^ refusals)`
  await sql`update source_permits set next_at = clock_timestamp() + ${gapMs}::float8 * interval '1 ms' ${rest}
    where source = ${source} and holder = ${holder}`.execute(db)
}
