/**
 * What happens every minute, as a list of checks. They do not depend on each other: what one of them throws is reported
 * with its name, and the others are done all the same.
 */
import { DAY } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import { describeError } from '../core/redact.ts'
import { STANDARD_RETENTION } from '../core/subscriber/retention.ts'
import { storeLastTick } from '../store/last-tick.ts'
import { countDigestPapers } from '../store/papers/paper-digests.ts'
import { isReadOnly } from '../store/read-only.ts'
import { readHold } from '../store/service-hold.ts'
import { forgetFailedSignUps } from '../store/sign-ups.ts'
import { forgetUnconfirmed } from '../store/subscribers.ts'
import { runAnnouncements } from './announcement-run.ts'
import { countDailyFigures } from './daily-figures.ts'
import { finishCancellations } from './edition-cancellation.ts'
import { checkEditions } from './feedback/edition-alarm.ts'
import { suppressFailing } from './feedback/feedback.ts'
import { type PublisherPorts, publishDue } from './publishing/publisher.ts'
import { type ReconcilerPorts, reconcile } from './sending/reconciler.ts'
import { sweepRoutes } from './sending/routes.ts'
import { describeHold } from './service-hold.ts'

export interface TickPorts extends PublisherPorts, ReconcilerPorts {
  /** Rejects while there is too little space to publish; left out where that cannot be known. */
  requireSpace?: () => Promise<void>
  /** The days for which a request that nobody confirmed is kept. */
  keepUnconfirmed?: number
}

/** Something that is done every minute. Its name is what the log and the error of the tick call it. */
interface TickCheck {
  name: string
  /** `now` is the service's clock at the beginning of the tick. */
  run(ports: TickPorts, now: Date): Promise<unknown>
}

/** An edition that fills the disk would stop everything else, too. */
const publishWithSpace: TickCheck['run'] = async (ports, now) => {
  await ports.requireSpace?.()
  await publishDue(ports, now)
}

/** What every tick does, in this order: a new check is added here. */
const CHECKS: readonly TickCheck[] = [
  { name: 'clock', run: ({ db }, now) => storeLastTick(db, now) },
  { name: 'hold', run: (ports) => tellHold(ports) },
  { name: 'outbox', run: reconcile },
  { name: 'canceled editions', run: ({ db, log }, now) => finishCancellations({ db, log, now: () => now }) },
  { name: 'editions', run: publishWithSpace },
  { name: 'papers of digests', run: ({ db }) => countDigestPapers(db) },
  { name: 'unconfirmed requests', run: (ports, now) => forgetRequests(ports, now) },
  { name: 'announcements', run: runAnnouncements },
  { name: 'routes', run: sweepRoutes },
  { name: 'bounces and complaints of editions', run: checkEditions },
  { name: 'readers who cannot be reached', run: suppressFailing },
  {
    name: 'figures of the day',
    run: ({ db, keepUnconfirmed }, now) => countDailyFigures(db, { now, keepUnconfirmed }),
  },
]

/** Does every check. Throws at the end when some failed, and names them; each is logged by then. */
export const tick = async (ports: TickPorts, now: Date): Promise<void> => {
  if (await isReadOnly(ports.db))
    return ports.log.warn({}, 'the database is read-only: nothing is published or sent; the next tick looks again')
  const failed: { name: string; error: unknown }[] = []
  for (const { name, run } of CHECKS)
    try {
      await run(ports, now)
    } catch (error) {
      failed.push({ name, error })
      ports.log.error({ check: name, error: describeError(error) }, 'a check of the tick failed; the others go on')
    }
  if (failed.length === 0) return
  const names = failed.map(({ name }) => name).join(', ')
  throw new AggregateError(
    failed.map(({ error }) => error),
    `${failed.length} ${failed.length === 1 ? 'check' : 'checks'} of the tick failed: ${names}`,
  )
}

const forgetRequests = async (
  { db, log, keepUnconfirmed = STANDARD_RETENTION.unconfirmed }: Pick<TickPorts, 'db' | 'log' | 'keepUnconfirmed'>,
  now: Date,
): Promise<void> => {
  const before = new Date(now.getTime() - keepUnconfirmed * DAY)
  const forgotten = (await forgetUnconfirmed(db, before)) + (await forgetFailedSignUps(db, before))
  if (forgotten > 0) log.info({ forgotten }, 'requests were not confirmed in time and are forgotten')
}

const tellHold = async ({ db, log }: { db: TickPorts['db']; log: Log }): Promise<void> => {
  const hold = await readHold(db)
  if (hold !== null) log.warn({}, `${describeHold(hold)}; to go on: service resume`)
}
