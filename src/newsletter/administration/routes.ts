/** What operators see of the routes that take less mail for now, of caps, and of alarms; and ending a back-off. */
import type { Log } from '../../core/log.ts'
import type { Actor } from '../../core/operator.ts'
import { destinationOfDomain } from '../../core/sending/destination.ts'
import { readAlarms, type StoredAlarm } from '../../store/alarms.ts'
import { recordAct } from '../../store/audit.ts'
import type { Database } from '../../store/database.ts'
import { forgetRoute, readThrottled, type ThrottledRoute } from '../../store/outbox/throttled-routes.ts'
import { type LimitReport, reportLimits } from '../sending/limits.ts'
import { sweepRoutes } from '../sending/routes.ts'

export type { LimitReport, StoredAlarm, ThrottledRoute }

export interface RouteReport {
  throttled: ThrottledRoute[]
  limits: LimitReport[]
  /** Those that stand, then those that are over, the newest first. */
  alarms: StoredAlarm[]
}

export interface RoutePorts {
  db: Database
  log: Log
  now: () => Date
}

export interface RouteAdministration {
  read(): Promise<RouteReport>
  /** `false` where the route is not throttled. */
  clear(by: Actor, name: string): Promise<boolean>
}

const MAX_PAST_ALARMS = 30

export const createRouteAdministration = (ports: RoutePorts): RouteAdministration => ({
  async read() {
    const { db } = ports
    return {
      throttled: await readThrottled(db),
      limits: await reportLimits(db),
      alarms: await readAlarms(db, MAX_PAST_ALARMS),
    }
  },
  clear: (by, name) => clearRoute(ports, by, name),
})

/**
 * Stops throttling a destination, by a domain of it, or a relay, by its name; the mail that waits for it is sent within a
 * minute. `false` where neither is throttled.
 */
export const clearRoute = async ({ db, log, now }: RoutePorts, by: Actor, name: string): Promise<boolean> => {
  const cleared = await db.transaction().execute(async (trx) => {
    const family = destinationOfDomain(name).name
    const names = family === name ? [name] : [family, name]
    let routes = 0
    for (const one of names) routes += await forgetRoute(trx, one)
    if (routes > 0) await recordAct(trx, { ...by, action: 'route.cleared', subject: `route:${name}` }, now())
    return routes > 0
  })
  if (cleared) await sweepRoutes({ db, log }, now())
  return cleared
}
