/** The role `maintain`: creates months of deliveries, drops old ones and deletes old rows, at the start and every day. */
import { DAY } from '../../src/core/calendar.ts'
import { describeError } from '../../src/core/redact.ts'
import { deleteOld, maintainMonths } from '../../src/newsletter/maintenance.ts'
import { deletePersonalData } from '../../src/newsletter/personal-retention.ts'
import type { RoleContext } from './context.ts'

const INTERVAL = DAY

/** Resolves when the months exist, since an edition needs its own; old rows are deleted afterwards, while others work. */
export const openMaintain = async ({
  config,
  db,
  keys,
  now,
  log,
  forgetMails,
}: Pick<RoleContext, 'config' | 'db' | 'keys' | 'now' | 'log' | 'forgetMails'>) => {
  const stop = new AbortController()
  const options = () => ({ now: now(), keepDays: config.keepDeliveries, signal: stop.signal })
  /** False when another process does the maintenance. */
  const keepMonths = async (): Promise<boolean> => {
    const done = await maintainMonths(db, options())
    if (done === null) return false
    if (done.created.length + done.dropped.length > 0)
      log.info({ ...done }, 'months of deliveries were created or dropped')
    if (done.kept.length > 0) log.warn({ kept: done.kept }, 'old months stay, since some of their mail is not settled')
    return true
  }
  const deleteRows = async (): Promise<void> => {
    const deleted = await deleteOld(db, options())
    if (Object.values(deleted).some((rows) => rows > 0)) log.info({ ...deleted }, 'old rows were deleted')
    const { retention } = config
    const personal = await deletePersonalData({ db, keys, now, forgetMails }, { retention, signal: stop.signal })
    if (Object.values(personal).some((rows) => rows > 0))
      log.info({ ...personal }, 'personal data was deleted, whose time was over')
  }
  const report = (error: unknown) =>
    log.error({ error: describeError(error) }, 'the maintenance failed; it is tried again in a day')
  let deleting = (await keepMonths()) ? deleteRows().catch(report) : Promise.resolve()
  const timer = setInterval(() => {
    deleting = keepMonths()
      .then((mine) => (mine ? deleteRows() : undefined))
      .catch(report)
  }, INTERVAL)
  return {
    async close() {
      clearInterval(timer)
      stop.abort()
      await deleting
    },
  }
}
