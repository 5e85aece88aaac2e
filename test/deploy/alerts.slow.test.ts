/**
 * The alert rules, by Prometheus's own evaluation of what a real service says of itself: a rule fires when a reader would
 * notice, and what the service copes with by itself is silent.
 */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/adapters/metrics.ts'
import { MINUTE } from '../../src/core/calendar.ts'
import { createAlarmCheck } from '../../src/newsletter/alarms.ts'
import { pauseEdition } from '../../src/newsletter/edition-control.ts'
import { createFigureReader } from '../../src/newsletter/figures.ts'
import { openDatabase } from '../../src/store/database.ts'
import { setSendLimit } from '../../src/store/outbox/send-limits.ts'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { hasOwnRedis, NEEDS_OWN_REDIS, openTestRedis } from '../support/databases/redis.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { LONDON_DAILY, SILENT, subscribe } from '../support/fixtures/newsletter.ts'
import { startProgram } from '../support/processes/program.ts'
import { firingAfter, NEEDS_PROMTOOL, PROMTOOL, samplesOf } from '../support/processes/prometheus.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService, type TestServiceOptions } from '../support/servers/service.ts'
import { type Fault, openSmtpSink } from '../support/servers/smtp-sink.ts'
import { openTcpProxy } from '../support/servers/tcp-proxy.ts'

const TOKEN = 'a'.repeat(64)
const START = '2026-04-15T05:00:00Z'
const READERS = 10
const DAYS = ['2026-04-13', '2026-04-14', '2026-04-15']

/** The whole service with ten readers, and what Prometheus would read of it at a moment. */
const openWatched = async (options: Partial<TestServiceOptions> = {}) => {
  const service = await startTestService({
    clock: START,
    days: DAYS,
    ...options,
    settings: { ADMIN_TOKEN: TOKEN, SIGN_UPS_PER_HOUR: 'all=3000', ...options.settings },
  })
  const db = openDatabase(service.databaseUrl, { connections: 2, name: 'test', onError: () => undefined })
  for (let n = 0; n < READERS; n++) await subscribe(db, `reader${n}@d${n}.example`, LONDON_DAILY, new Date(START))
  let now = new Date(START)
  const settled = async () => {
    await service.wake('letters')
    const waiting = db.selectFrom('letters').select('id').where('state', 'in', ['queued', 'deferred', 'sending'])
    await expect.poll(() => waiting.execute()).toEqual([])
  }
  return {
    ...service,
    db,
    settled,
    now: () => now,
    setClock: (at: string) => {
      now = new Date(at)
      service.setClock(at)
    },
    /** Publishes what is due at an instant, and resolves once each digest of it was tried. */
    publishAt: async (at: string) => {
      now = new Date(at)
      service.setClock(at)
      await service.wake('tick')
      const settled = db.selectFrom('deliveries').select('id').where('state', 'not in', ['queued', 'sending'])
      await expect.poll(async () => (await settled.execute()).length).toBe(READERS)
    },
    /** What `/metrics` says of the process, with figures that are read now: the service keeps its own for some seconds. */
    scrape: async () => {
      const answer = await fetch(`${service.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
      const figures = await createMetrics(createFigureReader(db, () => now)).read()
      const ofProcess = /^(?:paper_round_(?:http|mails|confirmation_duration))/
      return [
        ...(await answer.text()).split('\n').filter((line) => ofProcess.test(line)),
        ...figures.split('\n').filter((line) => !ofProcess.test(line)),
      ].join('\n')
    },
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await service[Symbol.asyncDispose]()
    },
  }
}

const suite = test.skipIf(PROMTOOL === null)

suite(`what the service copes with by itself raises no alert${NEEDS_PROMTOOL}`, async () => {
  let fault: Record<string, Fault> = {}
  await using sink = await openSmtpSink({
    fault: ({ stage, to }) => (stage === 'rcpt' ? fault[to.replace(/^.*@/, '')] : undefined),
  })
  await using watched = await openWatched({ smtpUrl: sink.url })
  const { db } = watched
  await watched.settled()
  expect(firingAfter([{ scrape: await watched.scrape(), minutes: 40 }])).toEqual([])

  // One mailbox is full, one greylists, one does not exist; an operator pauses, and caps what is sent.
  fault = {
    'd1.example': { reply: '452 4.2.2 mailbox full' },
    'd2.example': { reply: '451 4.7.1 greylisted, try again later' },
    'd3.example': { reply: '550 5.1.1 no such user' },
  }
  await watched.publishAt('2026-04-16T06:00:30Z')
  expect(samplesOf(await watched.scrape()).get('paper_round_deliveries{state="deferred"}')).toBeGreaterThan(0)
  expect(firingAfter([{ scrape: await watched.scrape(), minutes: 40 }])).toEqual([])
  const { id } = await db.selectFrom('editions').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow()
  await pauseEdition(db, id, { by: 'ada', why: 'a test' })
  await sql`update deliveries set next_attempt_at = now() - interval '2 hours' where state = 'deferred'`.execute(db)
  expect(firingAfter([{ scrape: await watched.scrape(), minutes: 40 }])).toEqual([])
})

suite(`a relay that is down raises alerts once digests and confirmations wait for long${NEEDS_PROMTOOL}`, async () => {
  const sink = await openSmtpSink()
  await using watched = await openWatched({ smtpUrl: sink.url })
  const { db } = watched
  await watched.settled()
  await sink.close()
  const before = await watched.scrape()
  watched.setClock('2026-04-16T06:00:30Z')
  await watched.wake('tick')
  await expect.poll(() => db.selectFrom('throttled_routes').select('kind').execute()).toEqual([{ kind: 'relay' }])
  await openSite(watched.url).post('/subscribe', { email: 'eve@example.org', topics: ['robotics'] })
  const confirmation = db
    .selectFrom('letters')
    .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
    .select('letters.id')
    .where('subscribers.email', '=', 'eve@example.org')
  await expect.poll(async () => (await confirmation.execute()).length).toBe(1)
  const at = await watched.scrape()
  // A minute later nobody has noticed anything.
  expect(
    firingAfter([
      { scrape: before, minutes: 30 },
      { scrape: at, minutes: 10 },
    ]),
  ).toEqual([])

  await sql`update deliveries set next_attempt_at = now() - interval '31 minutes' where state in ('queued', 'deferred')`.execute(
    db,
  )
  watched.setClock('2026-04-16T06:06:00Z')
  const { id: letter } = await confirmation.executeTakeFirstOrThrow()
  await sql`update letters set created_at = now() - interval '6 minutes' where id = ${letter}`.execute(db)
  /** While nobody tries to send it: a mail that is being sent does not wait. */
  const scrapeWaiting = async () => {
    let scrape = ''
    await expect
      .poll(async () => {
        scrape = await watched.scrape()
        return samplesOf(scrape).get('paper_round_oldest_request_seconds') ?? 0
      })
      .toBeGreaterThan(300)
    return scrape
  }
  const late = await scrapeWaiting()
  const waits = ['PaperRoundConfirmationsWait', 'PaperRoundDigestsWait']
  expect(
    firingAfter([
      { scrape: before, minutes: 30 },
      { scrape: late, minutes: 10 },
    ]),
  ).toEqual(waits)
  // A cap explains a wait only while the relay takes mail.
  await setSendLimit(
    db,
    { kind: 'destination', name: 'd1.example', domains: ['d1.example'] },
    {
      caps: { perSecond: null, perHour: 1, perDay: null },
      fromSettings: false,
    },
  )
  expect(firingAfter([{ scrape: await scrapeWaiting(), minutes: 10 }])).toEqual(waits)
  await sql`delete from throttled_routes`.execute(db)
  expect(firingAfter([{ scrape: await scrapeWaiting(), minutes: 10 }])).toEqual(['PaperRoundConfirmationsWait'])
})

suite(`digests whose connection died after the last byte raise an alert${NEEDS_PROMTOOL}`, async () => {
  let dying = false
  await using sink = await openSmtpSink({
    fault: ({ stage, to }) => (dying && stage === 'accepted' && to === 'reader4@d4.example' ? 'drop' : undefined),
  })
  await using watched = await openWatched({ smtpUrl: sink.url, settings: { ON_UNKNOWN: 'hold' } })
  await watched.settled()
  dying = true
  await watched.publishAt('2026-04-16T06:00:30Z')
  const scrape = await watched.scrape()
  expect(samplesOf(scrape).get('paper_round_mails_total{stream="deliveries",outcome="unknown"}')).toBe(1)
  expect(firingAfter([{ scrape, minutes: 10 }])).toEqual(['PaperRoundUncertainDigests'])
})

suite(`a weekday without papers, and an edition that its bounces paused, raise alerts${NEEDS_PROMTOOL}`, async () => {
  await using watched = await openWatched()
  const { db } = watched
  await watched.settled()
  const ports = { db, log: SILENT, now: watched.now, channels: {}, requireSpace: async () => undefined }
  const check = createAlarmCheck(ports)
  // Today's come by tomorrow morning.
  watched.setClock('2026-04-16T12:00:00Z')
  await check()
  expect(firingAfter([{ scrape: await watched.scrape(), minutes: 10 }])).not.toContain('PaperRoundNoPapers')
  watched.setClock('2026-04-17T12:00:00Z')
  await sql`insert into editions (cutoff, published_at, due, paused_at, paused_by, paused_why)
    values (${watched.now()}, now(), 0, now(), 'alarm', '12 of 200 digests bounced')`.execute(db)
  await check()
  expect(firingAfter([{ scrape: await watched.scrape(), minutes: 10 }])).toEqual(
    expect.arrayContaining(['PaperRoundEditionStopped', 'PaperRoundNoPapers']),
  )
})

test.skipIf(PROMTOOL === null || !hasOwnRedis)(
  `a queue that is down raises alerts once nothing ticks and digests are late${NEEDS_PROMTOOL}${NEEDS_OWN_REDIS}`,
  async () => {
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes'] })
    await using watched = await openWatched({ settings: { REDIS_URL: redis.url } })
    await watched.settled()
    const scrapeAt = (at: string) => {
      watched.setClock(at)
      return watched.scrape()
    }
    await redis.kill()
    const [soon, late] = [await scrapeAt('2026-04-16T06:05:00Z'), await scrapeAt('2026-04-16T06:31:00Z')]
    // Else the service could not be closed.
    await redis.restart()
    expect(firingAfter([{ scrape: soon, minutes: 5 }])).not.toContain('PaperRoundEditionLate')
    expect(firingAfter([{ scrape: late, minutes: 1 }])).toEqual(['PaperRoundEditionLate', 'PaperRoundNoTick'])
  },
)

suite(
  `a database that is away, a site that fails and one that is gone raise alerts${NEEDS_PROMTOOL}`,
  async () => {
    await using database = await openTestDatabase()
    await using folder = await openTestFolder()
    await using proxy = await openTcpProxy(Number(new URL(database.url).port || 5432))
    const url = new URL(database.url)
    url.host = `127.0.0.1:${proxy.port}`
    const [port, healthPort] = [await findFreePort(), await findFreePort()]
    await using _ = startProgram('main', ['api'], {
      DATABASE_URL: url.href,
      DATA_DIR: folder.path,
      PORT: String(port),
      HEALTH_PORT: String(healthPort),
      LOG_LEVEL: 'silent',
    })
    const site = `http://127.0.0.1:${port}`
    const scrape = async () => (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text()
    await expect
      .poll(() =>
        fetch(`${site}/healthz`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)
    const well = await scrape()
    expect(samplesOf(well).get('paper_round_database_up')).toBe(1)
    proxy.refuse(true)
    proxy.cut()
    for (let n = 0; n < 8; n++) expect((await fetch(`${site}/search?q=agents+${n}`)).status).toBe(503)
    await expect.poll(async () => samplesOf(await scrape()).get('paper_round_database_up'), { timeout: 30_000 }).toBe(0)
    const away = await scrape()
    expect(
      firingAfter([
        { scrape: well, minutes: 20 },
        { scrape: away, minutes: 1 },
      ]),
    ).toEqual([])
    expect(
      firingAfter([
        { scrape: well, minutes: 20 },
        { scrape: away, minutes: 5 },
      ]),
    ).toEqual(['PaperRoundDatabaseAway', 'PaperRoundSiteFails'])
    // A restart is shorter.
    expect(
      firingAfter([
        { scrape: well, minutes: 20 },
        { scrape: null, minutes: 3 },
      ]),
    ).toEqual([])
    expect(
      firingAfter([
        { scrape: well, minutes: 20 },
        { scrape: null, minutes: 7 },
      ]),
    ).toEqual(['PaperRoundSiteDown'])
  },
  5 * MINUTE,
)
