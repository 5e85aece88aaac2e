/** The run of a seed: readers and faults as planned, then recovery, then the check of the invariants. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { HOUR } from '../../src/core/calendar.ts'
import { deriveToken } from '../../src/core/token.ts'
import { performAction } from './actions.ts'
import { type Environment, openEnvironment, type QueueKind, type Trace } from './environment.ts'
import { type Copy, createHistory, type History } from './history.ts'
import { checkInvariants, type Findings, type LedgerRow, type Violation } from './invariants.ts'
import { installLedgerLog } from './ledger-log.ts'
import { oneClickOf } from './message-fields.ts'
import type { Plan } from './plan.ts'
import { createReaders, type Readers } from './readers.ts'
import { RECOVERED_WITHIN, readOpenMail, recover } from './recovery.ts'
import { awaitPublished, dateOf, forgetThrottled, type SeedContext, setCalendar } from './seed-context.ts'
import { SECRET_KEY, SENDER_DOMAIN } from './service-settings.ts'
import { createSmtpFaults } from './smtp-faults.ts'
import { roleOf } from './supervisor.ts'

const BEGIN = new Date('2026-04-13T05:00:00Z')
const DAY = 24 * HOUR
const LOOK_EVERY = 40
/** Of the measure of how late everything is, milliseconds. */
const RESOLUTION = 10
const WELCOMED_WITHIN = 30_000

/** What a seed came to, and what its story is made of. */
export interface SeedResult extends Findings {
  ledger: LedgerRow[]
  traces: Trace[]
}

export interface SeedRunner extends AsyncDisposable {
  history: History
  run(plan: Plan, name: string): Promise<SeedResult>
}

/** An environment in which seeds are run one after the other, each with readers of its own. */
export const openSeedRunner = async (queue: QueueKind, root?: string): Promise<SeedRunner> => {
  const history = createHistory()
  const smtp = createSmtpFaults(history)
  const environment = await openEnvironment({
    queue,
    at: BEGIN,
    sink: smtp.sink,
    onEvent: (what) => history.note(what),
    onFailedStart: (name) => history.count(`failed start of ${roleOf(name)}, repeated`),
    ...(root === undefined ? {} : { root }),
  })
  try {
    history.follow(environment)
    const ledgerLog = await installLedgerLog(environment.db)
    return {
      history,
      async run(plan, name) {
        history.startSeed()
        const readers = createReaders(environment, name, history.note)
        history.onCopy(readers.receive)
        const context: SeedContext = {
          ...{ environment, queue, history, smtp, readers, plan },
          ...{ disruptions: [], outages: [], editions: [], jumps: [], violations: [] },
        }
        const result = await runSeed(context)
        for (const { at, what } of await ledgerLog.read()) history.note(what, at)
        return result
      },
      [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose](),
    }
  } catch (error) {
    await environment[Symbol.asyncDispose]()
    throw error
  }
}

const runSeed = async (context: SeedContext): Promise<SeedResult> => {
  const { environment, history, readers, smtp, violations } = context
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  delays.enable()
  /** Milliseconds by which this process was woken too late, at worst. */
  const lateness = () => Math.max(0, delays.max / 1e6 - RESOLUTION)
  try {
    await performPlan(context)
    if (!(await recover(context, lateness))) {
      readers.giveUp()
      const open = JSON.stringify(await readOpenMail(context))
      violations.push({ invariant: 4, what: `not settled within ${RECOVERED_WITHIN} ms: ${open}` })
    }
    await smtp.settled()
    await awaitPublished(context)
  } finally {
    delays.disable()
  }
  const ledger = await readLedger(environment, readers)
  const traces = await environment.readTraces()
  violations.push(...(await pressOneClick(history)))
  await unsubscribeOthers(environment, readers)
  const unsigned = await findUnsigned(environment, history)
  const findings = checkInvariants({ ...context, ledger, traces, unsigned, late: lateness() })
  return { ...findings, violations: [...violations, ...findings.violations], ledger, traces }
}

/** Readers sign up and get their welcome; then everything happens that was planned. */
const performPlan = async (context: SeedContext): Promise<void> => {
  const { environment, plan, readers, smtp } = context
  await setCalendar(context, nextMonday(environment.now()))
  await forgetThrottled(environment)
  smtp.setPace(plan.pace)
  readers.signUp(plan.readers)
  const begun = performance.now()
  while (!readers.readers.every(({ tokens }) => tokens.has('unsubscribe'))) {
    if (performance.now() - begun > WELCOMED_WITHIN) break
    await delay(LOOK_EVERY)
  }
  for (const { wait, ...action } of plan.actions) {
    await performAction(context, action)
    await delay(wait)
  }
  for (const reader of await readWaiting(environment)) readers.leave(reader)
}

/** Every seed begins on a Monday morning. */
const nextMonday = (after: Date): Date => {
  const monday = new Date(`${dateOf(after)}T05:00:00Z`)
  do monday.setTime(monday.getTime() + DAY)
  while (monday.getUTCDay() !== 1)
  return monday
}

/** A few of those whose digests wait: who leaves now must not get theirs. */
const readWaiting = async ({ db }: Environment): Promise<{ email: string }[]> => {
  const { rows } = await sql<{ email: string }>`
    select s.email from deliveries m join subscribers s on s.id = m.subscriber_id
    where m.state in ('queued', 'deferred') order by s.email limit 2`.execute(db)
  return rows
}

/** What is wrong with the signatures of the copies, by a receiver that knows the sender's key. */
const findUnsigned = async (environment: Environment, history: History): Promise<Map<Copy, string>> => {
  const found = new Map<Copy, string>()
  for (const copy of history.copies) {
    const results = await environment.verify(Buffer.from(copy.raw, 'latin1'))
    const words = results.map(({ result, domain }) => `${result} of ${domain}`).join(', ') || 'none'
    if (words !== `pass of ${SENDER_DOMAIN}`) found.set(copy, words)
  }
  return found
}

const readLedger = async ({ db }: Environment, { readers }: Readers): Promise<LedgerRow[]> => {
  const emails = readers.map((reader) => reader.email)
  const { rows } = await sql<LedgerRow>`
    select m.id, m.kind as what, s.email, null::text as "localDate", m.state, m.reason, m.resent from letters m
      join subscribers s on s.id = m.subscriber_id where s.email = any(${emails})
    union all
    select m.id, 'digest', s.email, m.local_date::text, m.state, m.reason, m.resent from deliveries m
      join subscribers s on s.id = m.subscriber_id where s.email = any(${emails})`.execute(db)
  return rows
}

const post = async (url: string | URL): Promise<number> => {
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual' })
  await response.arrayBuffer()
  return response.status
}

/** Everybody presses the button that their mail program shows: the newest one-click address must work for each. */
const pressOneClick = async (history: History): Promise<Violation[]> => {
  const buttons = new Map<string, string>()
  for (const { to, raw } of history.copies) {
    const url = oneClickOf(raw)
    if (url !== null) buttons.set(to, url)
  }
  const pressed = await Promise.all(
    [...buttons].map(async ([email, url]) => {
      const status = await post(url)
      return status === 200 ? [] : [{ invariant: 5, what: `one click for ${email} was answered ${status}` }]
    }),
  )
  return pressed.flat()
}

/**
 * A reader whose welcome was refused for good has no mail with a button, and is subscribed all the same: they leave by the
 * link that they were never sent. Otherwise their digests would come in the next seed.
 */
const unsubscribeOthers = async ({ db, url }: Environment, { readers }: Readers): Promise<void> => {
  const emails = readers.map((reader) => reader.email)
  const { rows } = await sql<{ id: string }>`
    select id from subscribers where email = any(${emails}) and state in ('pending', 'active', 'paused')`.execute(db)
  for (const { id } of rows) {
    const token = deriveToken([Buffer.from(SECRET_KEY, 'hex')], 'unsubscribe', id)
    const status = await post(new URL(`/unsubscribe/${token}`, url))
    if (status !== 200) throw new Error(`leaving was answered ${status}`)
  }
}
