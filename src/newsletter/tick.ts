/**
 * What happens every minute: what went astray is put right, what is due is published, and requests that were never
 * confirmed are forgotten.
 */
import { storeLastTick } from '../store/last-tick.ts'
import { forgetUnconfirmed } from '../store/subscribers.ts'
import { type PublisherPorts, publishDue } from './publishing/publisher.ts'
import { type ReconcilerPorts, reconcile } from './sending/reconciler.ts'
import { sweepRoutes } from './sending/routes.ts'
import { CONFIRM_WITHIN } from './subscription/confirmation.ts'

export const tick = async (ports: PublisherPorts & ReconcilerPorts, now: Date): Promise<void> => {
  const { db, log } = ports
  await storeLastTick(db, now)
  await reconcile(ports)
  await publishDue(ports, now)
  const forgotten = await forgetUnconfirmed(db, new Date(now.getTime() - CONFIRM_WITHIN))
  if (forgotten > 0) log.info({ forgotten }, 'requests were not confirmed in time and are forgotten')
  await sweepRoutes({ db, log })
}
