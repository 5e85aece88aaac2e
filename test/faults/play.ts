/** Plays one seed on a stage: people and faults as planned, then peace, then the judgement. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { HOUR, MINUTE } from '../../src/core/calendar.ts'
import { pauseEdition, resumeEdition, UnusableEdition } from '../../src/newsletter/edition-control.ts'
import { forgetRoute, readThrottled } from '../../src/store/throttled-routes.ts'
import { storeDay } from '../support/fixtures/newsletter.ts'
import { type Book, type Copy, openBook } from './book.ts'
import {
  type Accident,
  type Evidence,
  type Judgement,
  judge,
  type LedgerRow,
  oneClickOf,
  type Violation,
} from './judge.ts'
import type { Action, Plan } from './plan.ts'
import { openReaders, type Readers } from './readers.ts'
import { openStage, type QueueKind, SENDER_DOMAIN, type Stage, TOPICS } from './stage.ts'

const BEGIN = new Date('2026-04-13T05:00:00Z')
const DAY = 24 * HOUR
const MAILERS = ['mailer-1', 'mailer-2'] as const
/** A pause long enough for what has begun to reach the server, or its book. */
const BREATH = 60
const LOOK_EVERY = 40
/** Of the measure of how late everything is, milliseconds. */
const RESOLUTION = 10
const PATIENCE_TO_BEGIN = 30_000
const PATIENCE_TO_PUBLISH = 60_000
const PATIENCE_FOR_PEACE = 150_000
/** Sending that has not changed for so long is nobody's any more: outcomes are written down within half a second. */
const NOBODYS_AFTER = 1_300
/** On a machine with too much to do, longer by so many times what it is late at worst. */
const LATE = 5
/** The longest wait before another try, with its spread. */
const LONGEST_WAIT = 80 * MINUTE
const MOST_WAITS = 20

/** What is not settled: the mails that are being sent, and how many wait; `closed`: the relay rests. */
interface OpenMail {
  sending: string
  ready: number
  later: number
  asked: number
  closed: boolean
}

export interface Theatre extends AsyncDisposable {
  book: Book
  play(plan: Plan, name: string): Promise<Judgement & { words: string[] }>
}

/** A stage with a book, on which seeds are played one after the other, each with people of its own. */
export const openTheatre = async (queue: QueueKind, root?: string): Promise<Theatre> => {
  let stage: Stage | null = null
  const book = openBook(() => stage?.elapsed() ?? 0)
  stage = await openStage({ queue, at: BEGIN, sink: book.sink, ...(root === undefined ? {} : { root }) })
  const opened = stage
  return {
    book,
    play: (plan, name) => playOn(opened, book, queue, plan, name),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** Every seed begins on a Monday morning. */
const nextMonday = (after: Date): Date => {
  const monday = new Date(`${dayOf(after)}T05:00:00Z`)
  do monday.setTime(monday.getTime() + DAY)
  while (monday.getUTCDay() !== 1)
  return monday
}

const playOn = async (stage: Stage, book: Book, queue: QueueKind, plan: Plan, name: string) => {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  delays.enable()
  /** Milliseconds by which this process was woken too late, at worst. */
  const lateness = () => Math.max(0, delays.max / 1e6 - RESOLUTION)
  book.turnPage()
  await stage.setClock(nextMonday(stage.now()))
  await openRoutes(stage)
  const people = openReaders(stage, name)
  book.read(people.receive)
  book.setPace(plan.pace)
  const accidents: Accident[] = []
  const editions: Evidence['editions'] = []
  const jumps: Evidence['jumps'] = []
  const violations: Violation[] = []

  const happened = (hits: Accident['hits'], what: string, from: number) =>
    accidents.push({ what, hits, from, to: performance.now() })
  const pass = async (ms: number) => {
    // Processes see it at some moment while it is made to pass: what begins meanwhile may be of before.
    const at = performance.now()
    if (await stage.pass(ms)) jumps.push({ at, ms })
  }
  const anyoneDue = async (): Promise<boolean> => {
    const { rows } = await sql<{
      due: boolean
    }>`select exists (select from subscribers where next_due_at <= ${stage.now()})
      or exists (select from editions where published_at is null) as due`.execute(stage.db)
    return rows[0]?.due === true
  }
  const closeEdition = async (withinMs: number): Promise<boolean> => {
    const until = performance.now() + withinMs
    while (performance.now() < until) {
      if (!(await anyoneDue())) {
        const last = editions.at(-1)
        if (last !== undefined) last.done = Math.min(last.done, stage.elapsed())
        return true
      }
      await stage.wake('refresh')
      await stage.wake('tick')
      await delay(LOOK_EVERY * 2)
    }
    return false
  }
  const publish = async () => {
    // Whoever was due on the evening before has it: a longer outage is made up for by one digest, not by two.
    if (!(await closeEdition(PATIENCE_TO_PUBLISH))) editions.pop()
    await openRoutes(stage)
    const evening = new Date(`${dayOf(new Date(stage.now().getTime() + DAY))}T20:00:00Z`)
    await storeDay(stage.db, dayOf(evening), TOPICS)
    await stage.setClock(evening)
    editions.push({ day: dayOf(evening), begun: stage.elapsed(), done: Number.POSITIVE_INFINITY })
    await stage.wake('tick')
  }

  const pauseNewest = async () => {
    const { rows } = await sql<{ id: number }>`select id from editions where completed_at is null and paused_at is null
      order by cutoff desc limit 1`.execute(stage.db)
    for (const { id } of rows) {
      book.count('edition paused')
      await pauseEdition(stage.db, id, { by: 'fault runner', why: null }).catch(unlessUnusable)
    }
  }
  /** Those that an alarm paused as well: whoever has looked at them lets them go on. */
  const resumeAll = async () => {
    const { rows } = await sql<{ id: number }>`select id from editions where paused_at is not null`.execute(stage.db)
    for (const { id } of rows) await resumeEdition(stage.db, id).catch(unlessUnusable)
  }

  const perform = async (action: Action): Promise<void> => {
    const from = performance.now()
    switch (action.act) {
      case 'sign-up':
        return people.signUp(action.readers)
      case 'change':
        return people.change(action.reader)
      case 'leave':
        return people.leave(action.reader)
      case 'return':
        return people.returnTo(action.reader)
      case 'publish':
        return publish()
      case 'tick':
        return void (await stage.wake('tick'))
      case 'pass':
        book.count('time passed')
        await pass(action.minutes * MINUTE)
        await stage.wake('tick')
        // Leases that end while mailers work are a fault to them, as a machine that stood still would be.
        return void happened('process', 'time passed', from)
      case 'kill':
        book.count(`kill -9 of ${action.role.replace(/-\d/, '')}`)
        await stage.kill(action.role)
        return void happened('process', 'kill', from)
      case 'freeze': {
        book.count('15 minutes of SIGSTOP')
        for (const mailer of MAILERS) stage.signal(mailer, 'SIGSTOP')
        await delay(BREATH)
        await pass(15 * MINUTE)
        happened('process', 'freeze', from)
        await stage.wake('tick')
        await delay(BREATH * 2)
        const second = MAILERS.find((mailer) => mailer !== action.first) ?? 'mailer-2'
        // The first is still at what the second held when that wakes up.
        book.setPace(Math.max(plan.pace, BREATH * 3))
        stage.signal(action.first, 'SIGCONT')
        await delay(BREATH * 3)
        stage.signal(second, 'SIGCONT')
        await delay(BREATH * 3)
        return book.setPace(plan.pace)
      }
      case 'wipe queue':
        book.count('queue wiped')
        return void (await stage.wipeQueue(action.how))
      case 'kill Redis':
        if (queue === 'postgres') return perform({ act: 'wipe queue', how: 'emptied' })
        book.count('Redis killed')
        await stage.killRedis()
        await delay(action.forMs)
        return void (await stage.restartRedis())
      case 'Postgres':
        book.count(action.how === 'cut' ? 'connections to Postgres cut' : `Postgres restarted (${action.how})`)
        if (action.how === 'cut') stage.cutPostgres()
        else await stage.restartPostgres(action.how)
        return
      case 'SMTP':
        return book.arm(action.stage, action.fault, action.times)
      case 'way': {
        book.count(`way to SMTP: ${action.how}`)
        const { sinkProxy } = stage
        if (action.how === 'slow') return sinkProxy.setLatency(80)
        if (action.how === 'cut') sinkProxy.cut()
        else if (action.how === 'halve') sinkProxy.halve()
        else {
          sinkProxy[action.how](true)
          await delay(BREATH * 3)
          sinkProxy[action.how](false)
          sinkProxy.cut()
        }
        return void happened('way', action.how, from)
      }
      case 'pause':
        return pauseNewest()
      case 'skew':
        book.count('clock of a role wrong')
        return stage.skew(action.role, action.minutes * MINUTE)
    }
  }

  const openMail = async () => {
    const { rows } = await sql<OpenMail>`
      select coalesce(string_agg(id || '.' || fence, ' ' order by id) filter (where state = 'sending'), '') as sending,
        count(*) filter (where state in ('queued', 'deferred') and next_attempt_at <= now())::int as ready,
        count(*) filter (where state in ('queued', 'deferred') and next_attempt_at > now())::int as later,
        (select count(*) from sign_ups)::int as asked,
        exists (select from throttled_routes where kind = 'relay' and not_before > now()) as closed
      from (select id, fence, state, next_attempt_at from letters where state in ('queued', 'sending', 'deferred') union all
        select id, fence, state, next_attempt_at from deliveries where state in ('queued', 'sending', 'deferred')) mails
      `.execute(stage.db)
    return rows[0] ?? { sending: '', ready: 0, later: 0, asked: 0, closed: false }
  }

  /** Everything is up and well again, and time passes until nothing is left to do. */
  const makePeace = async (): Promise<boolean> => {
    book.disarm()
    book.setPace(0)
    stage.sinkProxy.setLatency(0)
    const from = performance.now()
    stage.sinkProxy.cut()
    happened('way', 'cut', from)
    for (const role of stage.roles) stage.skew(role, 0)
    await resumeAll()
    for (const { kind } of await readThrottled(stage.db)) book.count(`${kind} in trouble before peace`)
    for (const what of await stage.allReady()) violations.push({ invariant: 0, what })
    const until = performance.now() + PATIENCE_FOR_PEACE
    let sendingSince = performance.now()
    let sending = ''
    let waits = 0
    let wokenAt = 0
    while (performance.now() < until) {
      const rest = people.rest()
      const open = await openMail()
      if (open.sending !== sending) {
        sending = open.sending
        sendingSince = performance.now()
      }
      const still = performance.now() - sendingSince > NOBODYS_AFTER + LATE * lateness()
      const nothingToClaim = open.asked === 0 && (open.closed || (open.ready === 0 && open.later > 0))
      const due = await anyoneDue()
      // Whoever was answered while we looked may have caused more than we saw.
      const atRest = rest !== null && rest === people.rest()
      if (sending === '' && open.ready + open.later + open.asked === 0 && !due && atRest) return true
      if (waits < MOST_WAITS && (sending === '' ? nothingToClaim : still)) {
        waits++
        sendingSince = performance.now()
        const passing = performance.now()
        await pass(sending === '' ? LONGEST_WAIT : 61_000)
        // A mailer may only have been slow, or have claimed since we looked: then its leases ended while it worked.
        happened('process', 'time passed', passing)
        wokenAt = 0
      }
      if (performance.now() - wokenAt > 400) {
        wokenAt = performance.now()
        if (!(await stage.wake('tick'))) await stage.repairQueue().catch(() => undefined)
        if (due) await stage.wake('refresh')
        await resumeAll()
      }
      await delay(LOOK_EVERY)
    }
    return false
  }

  people.signUp(plan.readers)
  const begun = performance.now()
  while (!people.readers.every(({ tokens }) => tokens.has('unsubscribe'))) {
    if (performance.now() - begun > PATIENCE_TO_BEGIN) break
    await delay(LOOK_EVERY)
  }
  for (const action of plan.actions) {
    await perform(action)
    await delay(action.wait)
  }
  for (const reader of await readWaiting(stage)) people.leave(reader)
  if (!(await makePeace())) {
    people.giveUp()
    violations.push({
      invariant: 4,
      what: `no peace within ${PATIENCE_FOR_PEACE} ms: ${JSON.stringify(await openMail())}`,
    })
  }
  await closeEdition(PATIENCE_TO_PUBLISH)
  const late = lateness()
  delays.disable()
  const ledger = await readLedger(stage, people)
  const traces = await stage.readTraces()
  violations.push(...(await leaveAll(book)))
  const unsigned = await findUnsigned(stage, book)
  const judged = judge({ book, people, accidents, editions, jumps, ledger, traces, unsigned, late })
  violations.push(...judged.violations)
  const words =
    violations.length === 0 ? [] : stage.lastWords(12).flatMap(({ name: role, said }) => [`${role}:`, ...said])
  return { ...judged, violations, words }
}

/** As an operator who has put the relay right: what was learned of it before says nothing of what is planned next. */
const openRoutes = async (stage: Stage) => {
  for (const { name } of await readThrottled(stage.db)) await forgetRoute(stage.db, name)
}

/** The edition was over meanwhile, or somebody was quicker. */
const unlessUnusable = (error: unknown) => {
  if (!(error instanceof UnusableEdition)) throw error
}

/** A few of those whose digests wait: who leaves now must not get theirs. */
const readWaiting = async (stage: Stage) => {
  const { rows } = await sql<{
    email: string
  }>`select s.email from deliveries m join subscribers s on s.id = m.subscriber_id
    where m.state in ('queued', 'deferred') order by s.email limit 2`.execute(stage.db)
  return rows
}

/** What is wrong with the signatures of the copies, by a receiver that knows the sender's key. */
const findUnsigned = async (stage: Stage, book: Book): Promise<Map<Copy, string>> => {
  const found = new Map<Copy, string>()
  for (const copy of book.copies) {
    const results = await stage.verify(Buffer.from(copy.raw, 'latin1'))
    const words = results.map(({ result, domain }) => `${result} of ${domain}`).join(', ') || 'none'
    if (words !== `pass of ${SENDER_DOMAIN}`) found.set(copy, words)
  }
  return found
}

const readLedger = async (stage: Stage, people: Readers): Promise<LedgerRow[]> => {
  const emails = people.readers.map((reader) => reader.email)
  const { rows } = await sql<LedgerRow>`
    select m.id, m.kind as what, s.email, null::text as "localDate", m.state, m.reason, m.resent from letters m
      join subscribers s on s.id = m.subscriber_id where s.email = any(${emails})
    union all
    select m.id, 'digest', s.email, m.local_date::text, m.state, m.reason, m.resent from deliveries m
      join subscribers s on s.id = m.subscriber_id where s.email = any(${emails})`.execute(stage.db)
  return rows
}

/** Everybody presses the button that their mail program shows: the newest one-click address must work for each. */
const leaveAll = async (book: Book): Promise<Violation[]> => {
  const buttons = new Map<string, string>()
  for (const { to, raw } of book.copies) {
    const url = oneClickOf(raw)
    if (url !== null) buttons.set(to, url)
  }
  const pressed = await Promise.all(
    [...buttons].map(async ([email, url]) => {
      const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
      const response = await fetch(url, { method: 'POST', body, redirect: 'manual' })
      await response.arrayBuffer()
      return response.status === 200
        ? []
        : [{ invariant: 5, what: `one click for ${email} was answered ${response.status}` }]
    }),
  )
  return pressed.flat()
}
