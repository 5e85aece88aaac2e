/** Manners: what is done when a relay or a destination takes too little or nothing, and that it is not held against the mail. */
import { expect, test } from 'vitest'
import { sweepRoutes } from '../../src/newsletter/routes.ts'
import { SILENT } from '../support/fixtures/newsletter.ts'
import { openPoliteRoom } from '../support/fixtures/rate-limited-newsletter.ts'
import type { FaultContext, FaultStage } from '../support/servers/smtp-sink.ts'

const people = (count: number, domain: string) => Array.from({ length: count }, (_, n) => `reader${n}@${domain}`)
const isAt = (stage: FaultStage, context: FaultContext, domain = '') =>
  context.stage === stage && context.to.endsWith(domain)

/** Counts the messages of a domain that are under way at a time, each held for a moment so that they would overlap. */
const watchUnderWay = (domain: string) => {
  let underWay = 0
  const seen = { most: 0 }
  return {
    seen,
    fault: async (context: FaultContext): Promise<undefined> => {
      if (!context.to.endsWith(domain)) return
      if (context.stage === 'data') seen.most = Math.max(seen.most, ++underWay)
      if (context.stage === 'dot') await new Promise((resume) => setTimeout(resume, 2))
      if (context.stage === 'accepted') underWay--
    },
  }
}

test('Google’s limit is obeyed: it is left alone, then gets one mail at a time, then one more; others go on', async () => {
  let limiting = true
  const watch = watchUnderWay('@gmail.com')
  await using room = await openPoliteRoom([...people(60, 'gmail.com'), ...people(40, 'example.org')], {
    fault: (context) =>
      limiting && isAt('rcpt', context, '@gmail.com') ? { reply: '421 4.7.28 Unusual rate' } : watch.fault(context),
  })
  await room.send()
  // What one mailer had under way at that moment at most; the rest was not tried.
  const tried = room.sink.commands.filter((line) => /^RCPT TO:<.*@gmail.com>/.test(line)).length
  expect(tried).toBeLessThanOrEqual(8)
  expect(await room.states('@example.org')).toEqual({ 'sent 1': 40 })
  expect(await room.states('@gmail.com')).toEqual({ 'deferred 1': tried, 'queued 0': 60 - tried })
  expect(await room.throttled()).toMatchObject([
    { name: 'gmail.com', cause: 'limited', concurrency: 1, waiting: 60 - tried },
  ])
  // Ten minutes later by the database's clock, and not sooner.
  const [row] = await room.throttled()
  expect(Number(row?.notBefore) - Number(row?.since)).toBe(10 * 60_000)
  expect(await room.send()).toBe(0)

  limiting = false
  await room.endRests()
  const sent: number[] = []
  const most: number[] = []
  // Each drain ends when all seats are taken or nothing waits; two lanes share them.
  while (sent.at(-1) !== 0) {
    sent.push(await room.send())
    most.push(watch.seen.most)
  }
  expect(await room.states('@gmail.com')).toEqual({ 'sent 1': 60 - tried, 'deferred 1': tried })
  const [later] = await room.throttled()
  expect(later?.concurrency).toBeGreaterThan(1)
  expect(watch.seen.most).toBeLessThanOrEqual(later?.concurrency ?? 0)
})

test('two mailers share one destination’s limit', async () => {
  const watch = watchUnderWay('@example.org')
  await using room = await openPoliteRoom(people(30, 'example.org'), { fault: watch.fault })
  await room.db
    .insertInto('throttled_routes')
    .values({
      kind: 'destination',
      name: 'example.org',
      domains: ['example.org'],
      cause: 'throttled',
      reason: 'too fast',
      not_before: new Date(0),
      concurrency: 2,
      successes: -1000,
      failures: 1,
    })
    .execute()
  const mailers = [room.openMailer(), room.openMailer()]
  for (let left = 30; left > 0; )
    for (const sent of await Promise.all(mailers.map((by) => room.send({ lanes: 4 }, by)))) left -= sent
  expect(await room.states()).toEqual({ 'sent 1': 30 })
  expect(watch.seen.most).toBe(2)
})

test('throttling halves what a destination gets, and it is like any other once it took enough', async () => {
  let refusals = 1
  await using room = await openPoliteRoom(people(300, 'example.org'), {
    fault: (context) => (isAt('rcpt', context) && refusals-- > 0 ? { reply: '451 4.3.2 Too fast' } : undefined),
  })
  await room.send()
  expect(await room.throttled()).toMatchObject([{ cause: 'throttled', concurrency: 8 }])
  await room.endRests()
  while ((await room.send()) > 0);
  expect(await room.throttled()).toEqual([])
  expect(await room.states()).toEqual({ 'sent 1': 299, 'deferred 1': 1 })
})

test('a login that fails stops everything, costs no mail an attempt, and all go once it works', async () => {
  let works = false
  await using room = await openPoliteRoom(people(100, 'example.org'), {
    login: { user: 'round', password: 'secret' },
    fault: (context) => (isAt('auth', context) && !works ? { reply: '535 5.7.8 No' } : undefined),
  })
  expect(await room.send()).toBe(0)
  expect(Object.keys(await room.states()).filter((key) => !key.endsWith(' 0'))).toEqual([])
  const logins = () => room.sink.commands.filter((line) => line.startsWith('AUTH')).length
  expect(logins()).toBeLessThanOrEqual(8)
  // While it rests nobody asks; when it has rested one connection does, and not a word is said of a mail.
  const before = logins()
  await room.send()
  expect(logins()).toBe(before)
  await room.endRests()
  await Promise.all([room.send(), room.send({}, room.openMailer())])
  expect(logins()).toBe(before + 1)
  expect(room.sink.commands.some((line) => line.startsWith('MAIL'))).toBe(false)
  expect(room.logged).toEqual([
    'error: sending stops: the mail server refuses our login: check the user and password in SMTP_URL',
  ])

  works = true
  await room.endRests()
  expect(await room.send()).toBe(100)
  expect(await room.states()).toEqual({ 'sent 1': 100 })
  expect(room.logged.at(-1)).toBe('info: the mail server takes mail again: sending goes on')
  expect(await room.throttled()).toEqual([])
})

test('a sender that is refused fails nobody: sending stops until it is accepted', async () => {
  let accepted = false
  await using room = await openPoliteRoom(people(20, 'example.org'), {
    fault: (context) => (isAt('mail', context) && !accepted ? { reply: '550 5.1.8 Unknown sender' } : undefined),
  })
  await room.send()
  expect(Object.keys(await room.states()).filter((key) => !/^(queued|deferred) 0$/.test(key))).toEqual([])
  expect(room.logged).toEqual([expect.stringContaining('MAIL_FROM')])
  accepted = true
  await room.endRests()
  expect(await room.send()).toBe(20)
})

test('a relay that is away is no longer asked after a few failures, is tried with one mail, and then all go', async () => {
  let away = true
  await using room = await openPoliteRoom(people(60, 'example.org'), {
    fault: (context) => (isAt('greeting', context) && away ? 'drop' : undefined),
  })
  await room.send()
  expect(room.sink.connections().opened).toBeLessThan(20)
  expect(await room.throttled()).toMatchObject([{ kind: 'relay', name: 'sink', cause: 'relay' }])
  const opened = room.sink.connections().opened
  await room.send()
  expect(room.sink.connections().opened).toBe(opened)
  await room.endRests()
  await room.send()
  expect(room.sink.connections().opened).toBe(opened + 1)
  const errors = room.logged.filter((line) => line.startsWith('error'))
  expect(errors).toHaveLength(1)
  away = false
  await room.endRests()
  await room.send()
  await room.readyAll()
  await room.send()
  expect(await room.states()).toEqual({ 'sent 1': 60 })
})

test('a hundred refusals by policy suppress nobody: the destination is closed, and nobody’s attempts are used up', async () => {
  await using room = await openPoliteRoom([...people(100, 'example.org'), ...people(20, 'example.net')], {
    fault: (context) => (isAt('rcpt', context, '@example.org') ? { reply: '550 5.7.1 Blocked' } : undefined),
  })
  await room.send()
  const states = await room.states('@example.org')
  expect((states['queued 0'] ?? 0) + (states['deferred 0'] ?? 0)).toBe(100)
  expect(await room.states('@example.net')).toEqual({ 'sent 1': 20 })
  expect(await room.db.selectFrom('suppressions').selectAll().execute()).toEqual([])
  expect(await room.throttled()).toMatchObject([
    { name: 'example.org', cause: 'policy', reason: expect.stringContaining('5.7.1') },
  ])
  // One mail at a time looks whether it is over.
  const asked = () => room.sink.commands.filter((line) => /^RCPT TO:<.*@example.org>/.test(line)).length
  const before = asked()
  await room.endRests()
  await room.send()
  expect(asked()).toBe(before + 1)
})

test('greylisting slows nobody down: the mail comes later', async () => {
  const met = new Set<string>()
  await using room = await openPoliteRoom(people(40, 'example.org'), {
    fault: (context) => {
      if (context.stage !== 'rcpt' || met.has(context.to)) return undefined
      met.add(context.to)
      return { reply: '451 4.7.1 Greylisted, come back' }
    },
  })
  expect(await room.send()).toBe(0)
  expect(await room.throttled()).toEqual([])
  expect(await room.states()).toEqual({ 'deferred 1': 40 })
  await room.readyAll()
  expect(await room.send()).toBe(40)
})

test('a domain that cannot be reached waits beside healthy ones, however many of its mails come first', async () => {
  let dead = true
  await using room = await openPoliteRoom([...people(150, 'dead.example'), ...people(50, 'well.example')], {
    fault: (context) =>
      isAt('rcpt', context, '@dead.example') && dead ? { reply: '450 4.4.1 No answer from host' } : undefined,
  })
  // Those of the dead domain are the oldest, several groups of them.
  await room.db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0) })
    .where('subscriber_id', 'in', (eb) =>
      eb.selectFrom('subscribers').select('id').where('email', 'like', '%@dead.example'),
    )
    .execute()
  expect(await room.send()).toBe(50)
  const states = await room.states('@dead.example')
  expect(states['queued 0']).toBeGreaterThan(100)
  expect(states['deferred 1']).toBeLessThan(50)

  // Alive again: one goes through, and all others with it.
  dead = false
  await room.endRests()
  await room.send()
  expect((await room.states('@dead.example'))['queued 0'] ?? 0).toBe(0)
  expect(await room.throttled()).toEqual([])
})

test('what waited a day for a destination in trouble for a day has expired; what waits for none is brought back', async () => {
  await using room = await openPoliteRoom(people(3, 'dead.example'))
  const route = {
    kind: 'destination' as const,
    name: 'dead.example',
    domains: ['dead.example'],
    cause: 'away' as const,
    reason: 'no answer',
    not_before: new Date('2100-01-01'),
    concurrency: 1,
    successes: 0,
    failures: 9,
  }
  await room.db.insertInto('throttled_routes').values(route).execute()
  await room.send()
  const sweep = () => sweepRoutes({ db: room.db, log: SILENT })
  await sweep()
  expect(await room.states()).toEqual({ 'queued 0': 3 })
  await room.db
    .updateTable('deliveries')
    .set({ created_at: new Date(0) })
    .execute()
  await room.db
    .updateTable('throttled_routes')
    .set({ since: new Date(0) })
    .execute()
  await sweep()
  expect(await room.states()).toEqual({ 'failed 0': 3 })
  const { reason } = await room.db.selectFrom('deliveries').select('reason').executeTakeFirstOrThrow()
  expect(reason).toBe('expired: dead.example has taken no mail for a day: no answer')

  await room.db.updateTable('deliveries').set({ state: 'queued', waits_for: 'elsewhere.example' }).execute()
  await room.db.deleteFrom('throttled_routes').execute()
  await sweep()
  expect(await room.send()).toBe(3)
})
