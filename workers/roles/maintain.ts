/** The role `maintain`: makes months of deliveries, drops old ones and deletes old rows, at the start and every day. */
import { DAY } from '../../src/core/calendar.ts'
import { describeError } from '../../src/core/redact.ts'
import { deleteOld, maintainMonths } from '../../src/newsletter/maintenance.ts'
import type { RoleContext } from './context.ts'

const EVERY = DAY

/** Resolves when the months are there, for an edition needs its own; what is deleted nobody waits for. */
export const openMaintain = async ({ config, runtime, db }: Pick<RoleContext, 'config' | 'runtime' | 'db'>) => {
  const { now, log } = runtime
  const stop = new AbortController()
  const options = () => ({ now: now(), keepDays: config.keepDeliveries, signal: stop.signal })
  const keepMonths = async (): Promise<boolean> => {
    const done = await maintainMonths(db, options())
    if (done === null) return false
    if (done.created.length + done.dropped.length > 0)
      log.info({ ...done }, 'months of deliveries were made or dropped')
    if (done.kept.length > 0) log.warn({ kept: done.kept }, 'old months stay: mail of theirs is not settled')
    return true
  }
  const tidy = async (): Promise<void> => {
    const deleted = await deleteOld(db, options())
    if (Object.values(deleted).some((rows) => rows > 0)) log.info({ ...deleted }, 'old rows were deleted')
  }
  const report = (error: unknown) => log.error({ error: describeError(error) }, 'maintenance failed')
  let tidying = (await keepMonths()) ? tidy().catch(report) : Promise.resolve()
  const timer = setInterval(() => {
    tidying = keepMonths()
      .then((mine) => (mine ? tidy() : undefined))
      .catch(report)
  }, EVERY)
  return {
    async close() {
      clearInterval(timer)
      stop.abort()
      await tidying
    },
  }
}
