/** Alarms of a real database: raised once, told once, and over once, whoever looks. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { AlarmNotice } from '../../src/core/alarms.ts'
import { MINUTE } from '../../src/core/calendar.ts'
import { LittleSpace } from '../../src/core/disk-space.ts'
import { type AlarmPorts, CALM, createAlarmCheck } from '../../src/newsletter/alarms.ts'
import { recordFeedback } from '../../src/newsletter/feedback/feedback.ts'
import { createFigureReader } from '../../src/newsletter/figures.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { readAlarms } from '../../src/store/alarms.ts'
import { storeLastTick } from '../../src/store/last-tick.ts'
import { changeRoute } from '../../src/store/outbox/throttled-routes.ts'
import { storeRefresh } from '../../src/store/refreshes.ts'
import {
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { bounce, openSent } from '../support/fixtures/sent-edition.ts'

/** A Thursday, with yesterday's papers. */
const BEGUN = new Date('2026-04-16T08:00:00Z')

/** A service that ticked a moment ago, its clock, and an operator who writes down what they are told. */
const openWatched = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-15')
  let at = BEGUN
  let refusing: string | null = null
  let isFull = false
  const told: string[] = []
  const errors: string[] = []
  const record = (channel: string) => async (notice: AlarmNotice) => {
    if (refusing !== null) throw new Error(refusing)
    told.push(`${channel} ${notice.event} ${notice.kind}`)
  }
  const ports: AlarmPorts = {
    db,
    now: () => at,
    requireSpace: async () => {
      if (isFull) throw new LittleSpace('1 MB is free in DATA_DIR')
    },
    log: { ...SILENT, error: (_: object, event: string) => void errors.push(event) },
    channels: { email: record('email'), webhook: record('webhook') },
  }
  await storeLastTick(db, at)
  return {
    ...newsletter,
    ports,
    told,
    errors,
    check: createAlarmCheck(ports),
    pass: (milliseconds: number) => {
      at = new Date(at.getTime() + milliseconds)
      return at
    },
    fill: () => {
      isFull = true
    },
    refuse: (why: string | null) => {
      refusing = why
    },
  }
}

test('a scheduler that does not tick is told once, and once when it ticks again', async () => {
  await using watched = await openWatched()
  await watched.check()
  expect(watched.told).toEqual([])
  for (let minute = 0; minute < 8; minute++) {
    watched.pass(MINUTE)
    await watched.check()
  }
  expect(watched.told).toEqual(['email raised tick', 'webhook raised tick'])
  expect(watched.errors).toEqual([
    expect.stringContaining('the scheduler does not tick. It ticked last at 2026-04-16 08:00 UTC.'),
  ])

  await storeLastTick(watched.db, watched.pass(MINUTE))
  await watched.check()
  // It might stop again at once.
  expect(watched.told).toHaveLength(2)
  await storeLastTick(watched.db, watched.pass(CALM))
  await watched.check()
  await watched.check()
  expect(watched.told.slice(2)).toEqual(['email cleared tick', 'webhook cleared tick'])
  const [alarm] = await readAlarms(watched.db, 10)
  expect(alarm).toMatchObject({
    kind: 'tick',
    raisedAt: new Date('2026-04-16T08:05:00Z'),
    // When it was found last.
    clearedAt: new Date('2026-04-16T08:08:00Z'),
  })
})

test('what comes and goes is one alarm', async () => {
  await using watched = await openWatched()
  watched.pass(6 * MINUTE)
  for (let round = 0; round < 3; round++) {
    await watched.check()
    await storeLastTick(watched.db, watched.pass(MINUTE))
    await watched.check()
    watched.pass(5 * MINUTE)
  }
  expect(watched.told).toEqual(['email raised tick', 'webhook raised tick'])
})

test('several processes that look at the same time tell of it once', async () => {
  await using watched = await openWatched()
  const others = [watched.check, ...Array.from({ length: 3 }, () => createAlarmCheck(watched.ports))]
  watched.pass(6 * MINUTE)
  await Promise.all(others.map((check) => check()))
  await Promise.all(others.map((check) => check()))
  expect(watched.told.sort()).toEqual(['email raised tick', 'webhook raised tick'])
})

test('what the relay does not take is told when it takes mail again, and not that it was raised as well', async () => {
  await using watched = await openWatched()
  const { db, check, told } = watched
  const route = { kind: 'relay' as const, name: 'smtp.example.org:587', domains: [] }
  const pace = { cause: 'relay' as const, concurrency: 1, successes: 0, failures: 1 }
  await changeRoute(db, route, () => ({ ...pace, reason: '421 4.3.2 closing', backOffMs: MINUTE }))
  await sql`update throttled_routes set since = ${new Date(BEGUN.getTime() - 2 * MINUTE)}`.execute(db)
  watched.refuse('no delivery, at connect: ECONNREFUSED')
  await check()
  expect(told).toEqual([])
  expect(await readAlarms(db, 1)).toMatchObject([
    {
      kind: 'relay',
      subject: 'smtp.example.org:587',
      detail: expect.stringContaining('421 4.3.2 closing'),
      notices: [
        {
          channel: 'email',
          event: 'raised',
          sentAt: null,
          attempts: 1,
          error: 'no delivery, at connect: ECONNREFUSED',
        },
        { channel: 'webhook', event: 'raised', sentAt: null, attempts: 1 },
      ],
    },
  ])
  // Not due yet, then due and refused again.
  await check()
  await storeLastTick(db, watched.pass(MINUTE))
  await check()
  expect((await readAlarms(db, 1))[0]?.notices[0]).toMatchObject({ attempts: 2 })
  watched.refuse(null)
  await sql`delete from throttled_routes`.execute(db)
  await storeLastTick(db, watched.pass(CALM + MINUTE))
  await check()
  expect(told).toEqual(['email cleared relay', 'webhook cleared relay'])
})

test('a notice that its process did not live to record is sent by another after its lease', async () => {
  await using watched = await openWatched()
  const { db } = watched
  const dying = createAlarmCheck({ ...watched.ports, channels: { email: () => new Promise(() => undefined) } })
  watched.pass(6 * MINUTE)
  void dying()
  await expect
    .poll(async () => (await readAlarms(db, 1))[0]?.notices[0]?.attempts, { interval: 20, timeout: 10_000 })
    .toBe(1)
  await watched.check()
  expect(watched.told).toEqual([])
  watched.pass(2 * MINUTE)
  await watched.check()
  expect(watched.told).toEqual(['email raised tick'])
})

test('a weekday without papers, a confirmation that nobody sends and an edition that the alarm paused are told', async () => {
  await using watched = await openWatched()
  const { db, check, errors } = watched
  await subscribe(db, 'ada@example.org', LONDON_DAILY, BEGUN)
  await sql`update letters set state = 'deferred', sent_at = null, created_at = now() - interval '3 minutes',
    next_attempt_at = now() + interval '2 minutes'`.execute(db)
  await sql`insert into editions (cutoff, published_at, due, paused_at, paused_by, paused_why)
    values (${BEGUN}, now(), 0, now(), 'alarm', '12 of 200 digests bounced')`.execute(db)
  await storeRefresh(db, 'Hugging Face', new Date('2026-04-17T11:00:00Z'), 'answered 503')
  await storeLastTick(db, watched.pass(28 * 60 * MINUTE))
  await check()
  expect(errors).toEqual([
    expect.stringMatching(/^Edition \d+ is paused\. Too much of it came back: 12 of 200 digests bounced\./),
    expect.stringMatching(/^There are no papers of 2026-04-16\. .*Hugging Face failed: answered 503\./),
    expect.stringMatching(/^Confirmations wait\. The oldest was asked for 3 minutes ago/),
  ])
})

test('a disk that is nearly full is told', async () => {
  await using watched = await openWatched()
  watched.fill()
  await watched.check()
  expect(watched.errors).toEqual([
    expect.stringMatching(/^The disk of the database is nearly full\. 1 MB is free in DATA_DIR/),
  ])
})

test('without channels alarms are logged and listed, and counted for metrics', async () => {
  await using watched = await openWatched()
  const check = createAlarmCheck({ ...watched.ports, channels: {} })
  watched.pass(6 * MINUTE)
  await check()
  expect(watched.errors).toHaveLength(1)
  expect(await readAlarms(watched.db, 1)).toMatchObject([{ kind: 'tick', notices: [] }])
  expect(await createFigureReader(watched.db, watched.ports.now)()).toMatchObject({ alarms: { tick: 1 } })
})

test('figures count subscribers by state and sign-ups, again after five minutes only', async () => {
  await using watched = await openWatched()
  const { db } = watched
  let monotonic = 0
  const read = createFigureReader(db, watched.ports.now, () => monotonic)
  await subscribe(db, 'ada@example.org', LONDON_DAILY, BEGUN)
  await storeRefresh(db, 'Hugging Face', BEGUN, null)
  watched.pass(MINUTE)
  expect(await read()).toMatchObject({
    subscribers: { active: 1 },
    confirmed: 1,
    sourceAges: { 'Hugging Face': 60 },
    relayThrottled: false,
    alarms: {},
  })
  await subscribe(db, 'bob@example.org', LONDON_DAILY, BEGUN)
  expect(await read()).toMatchObject({ confirmed: 1 })
  monotonic += 5 * MINUTE
  watched.pass(25 * 60 * MINUTE)
  expect(await read()).toMatchObject({ subscribers: { active: 2 }, confirmed: 0 })
})

test('refusals of us by one destination are none of them; by three they are told, with their names', async () => {
  await using sent = await openSent(100)
  const { db, ports, mail } = sent
  const errors: string[] = []
  const log = { ...SILENT, error: (_: object, event: string) => void errors.push(event) }
  const check = createAlarmCheck({ db, log, now: () => BEGUN, requireSpace: async () => undefined, channels: {} })
  for (let n = 0; n < 100; n++) await recordFeedback(ports, mail(n), bounce('ours', '5.7.1'), 'mail')
  await sql`update editions set cutoff = now()`.execute(db)
  await storeDay(db, '2026-04-15')
  await check()
  expect(errors).toEqual([])
  await sql`update subscribers set email = replace(email, 'example.com', 'd' || length(email) || '.example')`.execute(
    db,
  )
  await check()
  expect(errors).toEqual([
    expect.stringMatching(/^Many destinations refuse our mail\. Within an hour 100 digests .*d19\.example/),
  ])
  expect(await db.selectFrom('throttled_routes').selectAll().execute()).toEqual([])
})

test('a request that no mailer answers is told, and a letter that its mailbox put off is not', async () => {
  await using watched = await openWatched()
  const { db, check, told } = watched
  await subscribe(db, 'ada@example.org', LONDON_DAILY, BEGUN)
  await sql`update letters set state = 'deferred', sent_at = null, created_at = now() - interval '1 hour', attempts = 1`.execute(
    db,
  )
  await check()
  expect(told).toEqual([])
  await createSubscriptions({ db, keys: KEYS, now: () => BEGUN, wake: wakeNobody }).requestSubscription(
    'bob@example.org',
    LONDON_DAILY,
  )
  await storeLastTick(db, watched.pass(2 * MINUTE))
  await check()
  expect(told).toEqual(['email raised letters', 'webhook raised letters'])
})
