/** The end of a seed: every fault is over, and time passes until nothing is left to do. */
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { MINUTE } from '../../src/core/calendar.ts'
import { readThrottled } from '../../src/store/outbox/throttled-routes.ts'
import { isAnyoneDue, noteDisruption, passTime, resumeEditions, type SeedContext } from './seed-context.ts'

const LOOK_EVERY = 40
export const RECOVERED_WITHIN = 150_000
/** Sending that has not changed for so long has lost its mailer: outcomes are recorded within half a second. */
const ABANDONED_AFTER = 1_300
/** On a machine with too much to do, longer by so many times what it is late at worst. */
const LATE = 5
const LEASE = 61_000
/** The longest wait before another try, with its spread. */
const LONGEST_BACK_OFF = 80 * MINUTE
const MOST_WAITS = 20
const TICK_EVERY = 400

/** What is not settled: the mails that are being sent, and how many wait. */
interface OpenMail {
  sending: string
  ready: number
  later: number
  /** Sign-ups that are not worked off. */
  asked: number
  /** The relay is backing off. */
  closed: boolean
}

export const readOpenMail = async ({ environment: { db } }: SeedContext): Promise<OpenMail> => {
  const { rows } = await sql<OpenMail>`
    select coalesce(string_agg(id || '.' || fence, ' ' order by id) filter (where state = 'sending'), '') as sending,
      count(*) filter (where state in ('queued', 'deferred') and next_attempt_at <= now())::int as ready,
      count(*) filter (where state in ('queued', 'deferred') and next_attempt_at > now())::int as later,
      (select count(*) from sign_ups)::int as asked,
      exists (select from throttled_routes where kind = 'relay' and not_before > now()) as closed
    from (select id, fence, state, next_attempt_at from letters where state in ('queued', 'sending', 'deferred') union all
      select id, fence, state, next_attempt_at from deliveries where state in ('queued', 'sending', 'deferred')) mails
    `.execute(db)
  return rows[0] ?? { sending: '', ready: 0, later: 0, asked: 0, closed: false }
}

/** Ends every fault and waits until nothing is left to do; resolves to whether that was reached in time. */
export const recover = async (context: SeedContext, lateness: () => number): Promise<boolean> => {
  const { environment, history, violations } = context
  history.note('RECOVERY: every fault ends')
  await endFaults(context)
  for (const { kind } of await readThrottled(environment.db)) history.count(`${kind} throttled before recovery`)
  await environment.allReady()
  for (const what of environment.takeUnexpectedEnds()) violations.push({ invariant: 0, what })
  return waitUntilSettled(context, lateness)
}

const endFaults = async (context: SeedContext): Promise<void> => {
  const { environment, smtp } = context
  const { sinkProxy } = environment
  smtp.disarm()
  smtp.setPace(0)
  sinkProxy.setLatency(0)
  const from = performance.now()
  sinkProxy.cut()
  noteDisruption(context, 'connection', 'cut', from)
  for (const role of environment.roles) environment.skew(role, 0)
  await resumeEditions(context)
}

const waitUntilSettled = async (context: SeedContext, lateness: () => number): Promise<boolean> => {
  const { environment, readers } = context
  const until = performance.now() + RECOVERED_WITHIN
  let sending = ''
  let sendingSince = performance.now()
  let waits = 0
  let wokenAt = 0
  while (performance.now() < until) {
    const idle = readers.idle()
    const open = await readOpenMail(context)
    if (open.sending !== sending) {
      sending = open.sending
      sendingSince = performance.now()
    }
    const due = await isAnyoneDue(context)
    // A reader who was answered while we looked may have caused more than we saw.
    const allIdle = idle !== null && idle === readers.idle()
    if (sending === '' && open.ready + open.later + open.asked === 0 && !due && allIdle) return true
    const abandoned = performance.now() - sendingSince > ABANDONED_AFTER + LATE * lateness()
    const nothingToClaim = open.asked === 0 && (open.closed || (open.ready === 0 && open.later > 0))
    if (waits < MOST_WAITS && (sending === '' ? nothingToClaim : abandoned)) {
      waits++
      sendingSince = performance.now()
      const passing = performance.now()
      await passTime(context, sending === '' ? LONGEST_BACK_OFF : LEASE)
      // A mailer may only have been slow, or have claimed since we looked: then its leases ended while it worked.
      noteDisruption(context, 'mailer', 'time passed', passing)
      wokenAt = 0
    }
    if (performance.now() - wokenAt > TICK_EVERY) {
      wokenAt = performance.now()
      if (!(await environment.wake('tick'))) await environment.repairQueue().catch(() => undefined)
      if (due) await environment.wake('refresh')
      await resumeEditions(context)
    }
    await delay(LOOK_EVERY)
  }
  return false
}
