/** The role `maintain`: makes the months of deliveries that are to come, and drops old ones, at the start and every day. */
import { DAY } from '../../src/core/calendar.ts'
import { describeError } from '../../src/core/redact.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import type { RoleContext } from './context.ts'

const EVERY = DAY

/** Resolves when it was done once: an edition needs its month. */
export const openMaintain = async ({ config, runtime, db }: Pick<RoleContext, 'config' | 'runtime' | 'db'>) => {
  const { now, log } = runtime
  const keep = async (): Promise<void> => {
    const done = await maintain(db, { now: now(), keepDays: config.keepDeliveries })
    if (done === null) return
    if (done.created.length + done.dropped.length > 0)
      log.info({ ...done }, 'months of deliveries were made or dropped')
    if (done.kept.length > 0) log.warn({ kept: done.kept }, 'old months stay: mail of theirs is not settled')
  }
  await keep()
  const timer = setInterval(() => {
    keep().catch((error) => log.error({ error: describeError(error) }, 'maintenance failed'))
  }, EVERY)
  return { close: async () => clearInterval(timer) }
}
