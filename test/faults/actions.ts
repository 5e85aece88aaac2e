/** The actions of a plan, performed: what readers and operators do, and what goes wrong. */
import { setTimeout as delay } from 'node:timers/promises'
import { MINUTE } from '../../src/core/calendar.ts'
import { type Action, describeAction } from './plan.ts'
import {
  beginEvening,
  noteDisruption,
  passTime,
  pauseNewestEdition,
  publishEvening,
  readOpenEditions,
  type SeedContext,
} from './seed-context.ts'
import { isLockTimeout } from './service-clocks.ts'
import { SLOW_CONNECTION } from './service-settings.ts'
import { type RoleName, roleOf } from './supervisor.ts'

const MAILERS = ['mailer-1', 'mailer-2'] as const
/** Long enough for what has begun to reach the server, or its history, milliseconds. */
const MOMENT = 60
/** A scheduler begins to publish within this time, where there is anything to publish. */
const STUCK_WITHIN = 5_000
/** The other scheduler has closed the edition by then, or does not get to it. */
const CLOSED_WITHIN = 20_000

/** Performs one action; resolves when its fault is over, or has begun to last. */
export const performAction = async (context: SeedContext, action: Action): Promise<void> => {
  const { environment, history, queue, readers, smtp } = context
  const from = performance.now()
  history.note(`ACTION ${describeAction(action)}`)
  switch (action.act) {
    case 'sign-up':
      return readers.signUp(action.readers)
    case 'change':
      return readers.change(action.reader)
    case 'leave':
      return readers.leave(action.reader)
    case 'return':
      return readers.comeBack(action.reader)
    case 'publish':
      return publishEvening(context)
    case 'tick':
      return void (await environment.wake('tick'))
    case 'pass':
      history.count('time passed')
      await passTime(context, action.minutes * MINUTE)
      await environment.wake('tick')
      // Leases that end while mailers work are a fault to them, as a machine that stood still would be.
      return void noteDisruption(context, 'mailer', 'time passed', from)
    case 'kill':
      history.count(`kill -9 of ${roleOf(action.role)}`)
      await environment.kill(action.role)
      return void noteDisruption(context, 'mailer', 'kill', from)
    case 'freeze':
      return freezeMailers(context, action.first)
    case 'freeze publisher':
      return freezePublisher(context, action.which)
    case 'wipe queue':
      history.count('queue wiped')
      return environment.wipeQueue(action.how)
    case 'kill Redis':
      if (queue === 'postgres') return performAction(context, { act: 'wipe queue', how: 'emptied' })
      history.count('Redis killed')
      await environment.killRedis()
      await delay(action.forMs)
      return void (await environment.restartRedis())
    case 'Postgres':
      return disturbPostgres(context, action.how)
    case 'SMTP':
      return smtp.arm(action.stage, action.fault, action.times)
    case 'connection':
      return disturbConnection(context, action.how)
    case 'pause':
      return pauseNewestEdition(context)
    case 'skew':
      history.count('clock of a role wrong')
      for (const role of sharingClock(action.role)) environment.skew(role, action.minutes * MINUTE)
      return
  }
}

/** Both mailers stand still for 15 minutes; one goes on first, and is still at what the second held when that wakes up. */
const freezeMailers = async (context: SeedContext, first: (typeof MAILERS)[number]): Promise<void> => {
  const { environment, history, plan, smtp } = context
  const from = performance.now()
  history.count('15 minutes of SIGSTOP')
  for (const mailer of MAILERS) environment.signal(mailer, 'SIGSTOP')
  await delay(MOMENT)
  await passWhileFrozen(context)
  noteDisruption(context, 'mailer', 'freeze', from)
  await environment.wake('tick')
  await delay(MOMENT * 2)
  smtp.setPace(Math.max(plan.pace, MOMENT * 3))
  for (const mailer of MAILERS.toSorted((a) => (a === first ? -1 : 1))) {
    environment.signal(mailer, 'SIGCONT')
    history.note(`${mailer} goes on`)
    await delay(MOMENT * 3)
  }
  smtp.setPace(plan.pace)
}

/** A scheduler whose clock lies behind what another has ticked is not started: that is a rule, and no fault. */
const sharingClock = (role: RoleName): readonly RoleName[] =>
  role === 'scheduler-1' || role === 'scheduler-2' ? ['scheduler-1', 'scheduler-2'] : [role]

/**
 * A scheduler stands still with the evening's chunk locked and its digests not stored. The other closes the edition without
 * them; then the first goes on with what it had begun.
 */
const freezePublisher = async (context: SeedContext, which: 'scheduler-1' | 'scheduler-2'): Promise<void> => {
  const { environment, history } = context
  const other = which === 'scheduler-1' ? 'scheduler-2' : 'scheduler-1'
  await beginEvening(context)
  environment.signal(other, 'SIGSTOP')
  let begun: number[] = []
  const stuck = await environment.holdDigests()
  try {
    await environment.wake('tick')
    if (await stuck.someoneWaits(STUCK_WITHIN)) history.count('scheduler frozen within a chunk')
    environment.signal(which, 'SIGSTOP')
    begun = await readOpenEditions(context)
  } finally {
    await stuck.release()
    environment.signal(other, 'SIGCONT')
  }
  const until = performance.now() + CLOSED_WITHIN
  const areOpen = async () => (await readOpenEditions(context)).some((id) => begun.includes(id))
  while (performance.now() < until && (await areOpen())) {
    await environment.wake('tick')
    await delay(MOMENT)
  }
  environment.signal(which, 'SIGCONT')
  history.note(`${which} goes on`)
}

/** A mailer that was stopped within a transaction holds its locks: it goes on for a moment, and is stopped again. */
const passWhileFrozen = async (context: SeedContext): Promise<void> => {
  const { environment, history } = context
  for (;;) {
    try {
      return await passTime(context, 15 * MINUTE)
    } catch (error) {
      if (!isLockTimeout(error)) throw error
      history.note('a stopped mailer holds a lock')
      for (const mailer of MAILERS) environment.signal(mailer, 'SIGCONT')
      await delay(MOMENT)
      for (const mailer of MAILERS) environment.signal(mailer, 'SIGSTOP')
    }
  }
}

const disturbPostgres = async ({ environment, history, outages }: SeedContext, how: 'stop' | 'kill' | 'cut') => {
  const from = performance.now()
  history.count(how === 'cut' ? 'connections to Postgres cut' : `Postgres restarted (${how})`)
  if (how === 'cut') environment.cutPostgres()
  else await environment.restartPostgres(how)
  outages.push({ from, to: performance.now() })
}

/** Disturbs the connections between the mailers and the mail server. */
const disturbConnection = async (
  context: SeedContext,
  how: Extract<Action, { act: 'connection' }>['how'],
): Promise<void> => {
  const { environment, history } = context
  const { sinkProxy } = environment
  const from = performance.now()
  history.count(`connection to SMTP: ${how}`)
  if (how === 'slow') return sinkProxy.setLatency(SLOW_CONNECTION)
  if (how === 'cut') sinkProxy.cut()
  else if (how === 'halve') sinkProxy.halve()
  else {
    sinkProxy[how](true)
    await delay(MOMENT * 3)
    sinkProxy[how](false)
    sinkProxy.cut()
  }
  noteDisruption(context, 'connection', how, from)
}
