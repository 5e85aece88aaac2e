/** What the parts of a seed's run share: where it runs, and what is noted of it for the check of the invariants. */
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { HOUR } from '../../src/core/calendar.ts'
import { pauseEdition, resumeEdition, UnusableEdition } from '../../src/newsletter/edition-control.ts'
import { forgetRoute, readThrottled } from '../../src/store/outbox/throttled-routes.ts'
import { storeDay } from '../support/fixtures/newsletter.ts'
import type { Environment, QueueKind } from './environment.ts'
import type { History } from './history.ts'
import type { Disruption, Evidence, Violation } from './invariants.ts'
import type { Plan } from './plan.ts'
import type { Readers } from './readers.ts'
import { TOPICS } from './service-settings.ts'
import type { SmtpFaults } from './smtp-faults.ts'

export interface SeedContext
  extends Pick<Evidence, 'history' | 'readers' | 'disruptions' | 'outages' | 'editions' | 'jumps'> {
  environment: Environment
  queue: QueueKind
  history: History
  smtp: SmtpFaults
  readers: Readers
  plan: Plan
  violations: Violation[]
}

const DAY = 24 * HOUR
const LOOK_EVERY = 80
export const PUBLISHED_WITHIN = 60_000

/** The date of an instant in UTC, `YYYY-MM-DD`. */
export const dateOf = (at: Date): string => at.toISOString().slice(0, 10)

/** Notes a disruption that began at `from` and is over now. */
export const noteDisruption = ({ disruptions }: SeedContext, hits: Disruption['hits'], what: string, from: number) =>
  disruptions.push({ what, hits, from, to: performance.now() })

/** Moves all clocks of the service on, and the roles' calendar with them. */
export const passTime = async ({ environment, history, jumps }: SeedContext, ms: number): Promise<void> => {
  // Each process sees it at some moment meanwhile, which lasts where locks are waited for: what begins then may have been
  // decided before.
  const from = performance.now()
  if (await environment.pass(ms)) jumps.push({ from, to: performance.now(), ms })
  history.noteCalendar()
  history.note(`${ms} ms passed`)
}

/** Moves the roles' calendar alone. */
export const setCalendar = async ({ environment, history }: SeedContext, to: Date): Promise<void> => {
  await environment.setCalendar(to)
  history.noteCalendar()
  history.note(`the calendar was set to ${to.toISOString()}`)
}

export const isAnyoneDue = async ({ environment: { db, now } }: SeedContext): Promise<boolean> => {
  const { rows } = await sql<{ due: boolean }>`select exists (select from subscribers where next_due_at <= ${now()})
    or exists (select from editions where published_at is null) as due`.execute(db)
  return rows[0]?.due === true
}

/** The editions that are not complete. */
export const readOpenEditions = async ({ environment: { db } }: SeedContext): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`select id from editions where completed_at is null`.execute(db)
  return rows.map(({ id }) => id)
}

/** Waits until nobody is due any more; resolves to whether that was so in time. */
export const awaitPublished = async (context: SeedContext): Promise<boolean> => {
  const { environment, editions } = context
  const until = performance.now() + PUBLISHED_WITHIN
  while (performance.now() < until) {
    if (!(await isAnyoneDue(context))) {
      const last = editions.at(-1)
      if (last !== undefined) last.done = Math.min(last.done, environment.elapsed())
      return true
    }
    await environment.wake('refresh')
    await environment.wake('tick')
    await delay(LOOK_EVERY)
  }
  return false
}

/** The service's clock moves on to the next evening, with its papers; what has fallen due is published at the next tick. */
export const beginEvening = async (context: SeedContext): Promise<void> => {
  const { environment, editions } = context
  // Those who were due on the evening before have it: a longer outage is made up for by one digest, not by two.
  if (!(await awaitPublished(context))) editions.pop()
  await forgetThrottled(environment)
  const evening = new Date(`${dateOf(new Date(environment.now().getTime() + DAY))}T20:00:00Z`)
  await storeDay(environment.db, dateOf(evening), TOPICS)
  await setCalendar(context, evening)
  editions.push({ day: dateOf(evening), begun: environment.elapsed(), done: Number.POSITIVE_INFINITY })
}

/** The same, and the tick comes at once. */
export const publishEvening = async (context: SeedContext): Promise<void> => {
  await beginEvening(context)
  await context.environment.wake('tick')
}

/** As an operator who has put the relay right: what was learned of it before says nothing of what is planned next. */
export const forgetThrottled = async ({ db }: Environment): Promise<void> => {
  for (const { name } of await readThrottled(db)) await forgetRoute(db, name)
}

/** As an operator who stops what is being sent of the newest edition. */
export const pauseNewestEdition = async ({ environment: { db }, history }: SeedContext): Promise<void> => {
  const { rows } = await sql<{ id: number }>`select id from editions where completed_at is null and paused_at is null
    order by cutoff desc limit 1`.execute(db)
  for (const { id } of rows) {
    history.count('edition paused')
    await pauseEdition(db, id, { by: 'fault runner', why: null }).catch(unlessUnusable)
  }
}

/** As an operator who has looked at the editions that are paused, by hand or by an alarm, and lets them go on. */
export const resumeEditions = async ({ environment: { db } }: SeedContext): Promise<void> => {
  const { rows } = await sql<{ id: number }>`select id from editions where paused_at is not null`.execute(db)
  for (const { id } of rows) await resumeEdition(db, id).catch(unlessUnusable)
}

/** The edition was complete meanwhile, or another operator was quicker. */
const unlessUnusable = (error: unknown) => {
  if (!(error instanceof UnusableEdition)) throw error
}
