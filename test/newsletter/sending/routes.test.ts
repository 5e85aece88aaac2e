/** Routes: what happens when a relay or a destination takes too little or nothing, and that it does not count against the mail. */
import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { sweepRoutes } from '../../../src/newsletter/sending/routes.ts'
import { requeueExpired } from '../../../src/store/outbox/leases.ts'
import { storeLetter } from '../../../src/store/outbox/outbox.ts'
import { SILENT } from '../../support/fixtures/newsletter.ts'
import { openRateLimitedNewsletter } from '../../support/fixtures/rate-limited-newsletter.ts'
import type { FaultContext, FaultStage } from '../../support/servers/smtp-sink.ts'
import { thorough } from '../../support/thoroughness.ts'

const people = (count: number, domain: string) => Array.from({ length: count }, (_, n) => `reader${n}@${domain}`)
const isAt = (stage: FaultStage, context: FaultContext, domain = '') =>
  context.stage === stage && context.to.endsWith(domain)

/** Counts the messages to a domain that are in flight at a time, each held for a moment so that they would overlap. */
const watchInFlight = (domain: string) => {
  let inFlight = 0
  const seen = { most: 0 }
  return {
    seen,
    fault: async (context: FaultContext): Promise<undefined> => {
      if (!context.to.endsWith(domain)) return
      if (context.stage === 'data') seen.most = Math.max(seen.most, ++inFlight)
      if (context.stage === 'dot') await new Promise((resume) => setTimeout(resume, 2))
      if (context.stage === 'accepted') inFlight--
    },
  }
}

test.runIf(thorough)(
  'Google’s limit is obeyed: it is left alone, then gets one mail at a time, then one more; others go on',
  async () => {
    let limiting = true
    const watch = watchInFlight('@gmail.com')
    await using newsletter = await openRateLimitedNewsletter(
      [...people(60, 'gmail.com'), ...people(40, 'example.org')],
      {
        fault: (context) =>
          limiting && isAt('rcpt', context, '@gmail.com') ? { reply: '421 4.7.28 Unusual rate' } : watch.fault(context),
      },
    )
    await newsletter.send()
    // At most what one mailer had in flight at that moment; the rest was not tried.
    const tried = newsletter.sink.commands.filter((line) => /^RCPT TO:<.*@gmail.com>/.test(line)).length
    expect(tried).toBeLessThanOrEqual(8)
    expect(await newsletter.states('@example.org')).toEqual({ 'sent 1': 40 })
    expect(await newsletter.states('@gmail.com')).toEqual({ 'deferred 0': tried, 'queued 0': 60 - tried })
    expect(await newsletter.throttled()).toMatchObject([
      { name: 'gmail.com', cause: 'limited', concurrency: 1, waiting: 60 - tried },
    ])
    // Ten minutes later by the database's clock, and not sooner.
    const [row] = await newsletter.throttled()
    expect(Number(row?.notBefore) - Number(row?.since)).toBe(10 * 60_000)
    expect(await newsletter.send()).toBe(0)

    limiting = false
    await newsletter.endBackOffs()
    const sent: number[] = []
    const most: number[] = []
    // Each drain ends when the concurrency is used up or nothing waits; two lanes share it.
    while (sent.at(-1) !== 0) {
      sent.push(await newsletter.send())
      most.push(watch.seen.most)
    }
    expect(await newsletter.states('@gmail.com')).toEqual({ 'sent 1': 60 - tried, 'deferred 0': tried })
    const [later] = await newsletter.throttled()
    expect(later?.concurrency).toBeGreaterThan(1)
    expect(watch.seen.most).toBeLessThanOrEqual(later?.concurrency ?? 0)
  },
)

test('two mailers share one destination’s limit', async () => {
  const watch = watchInFlight('@example.org')
  await using newsletter = await openRateLimitedNewsletter(people(30, 'example.org'), { fault: watch.fault })
  await newsletter.db
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
  const mailers = [newsletter.openMailer(), newsletter.openMailer()]
  for (let left = 30; left > 0; )
    for (const sent of await Promise.all(mailers.map((by) => newsletter.send({ lanes: 4 }, by)))) left -= sent
  expect(await newsletter.states()).toEqual({ 'sent 1': 30 })
  expect(watch.seen.most).toBe(2)
})

test('throttling halves a destination’s concurrency, and the destination is like any other once it took enough', async () => {
  let refusals = 1
  await using newsletter = await openRateLimitedNewsletter(people(300, 'example.org'), {
    fault: (context) => (isAt('rcpt', context) && refusals-- > 0 ? { reply: '451 4.3.2 Not accepting' } : undefined),
  })
  await newsletter.send()
  expect(await newsletter.throttled()).toMatchObject([{ cause: 'throttled', concurrency: 8 }])
  await newsletter.endBackOffs()
  while ((await newsletter.send()) > 0);
  expect(await newsletter.throttled()).toEqual([])
  expect(await newsletter.states()).toEqual({ 'sent 1': 299, 'deferred 0': 1 })
})

test('a login that fails stops everything, costs no mail an attempt, and all go once it works', async () => {
  let works = false
  await using newsletter = await openRateLimitedNewsletter(people(100, 'example.org'), {
    login: { user: 'round', password: 'secret' },
    fault: (context) => (isAt('auth', context) && !works ? { reply: '535 5.7.8 No' } : undefined),
  })
  expect(await newsletter.send()).toBe(0)
  expect(Object.keys(await newsletter.states()).filter((key) => !key.endsWith(' 0'))).toEqual([])
  const logins = () => newsletter.sink.commands.filter((line) => line.startsWith('AUTH')).length
  expect(logins()).toBeLessThanOrEqual(8)
  // During the back-off nobody logs in; after it one connection does, and no mail is mentioned.
  const before = logins()
  await newsletter.send()
  expect(logins()).toBe(before)
  await newsletter.endBackOffs()
  await Promise.all([newsletter.send(), newsletter.send({}, newsletter.openMailer())])
  expect(logins()).toBe(before + 1)
  expect(newsletter.sink.commands.some((line) => line.startsWith('MAIL'))).toBe(false)
  expect(newsletter.logged).toEqual([
    'error: sending stops: the mail server refuses our login: check the user and password in SMTP_URL',
  ])

  works = true
  await newsletter.endBackOffs()
  expect(await newsletter.send()).toBe(100)
  expect(await newsletter.states()).toEqual({ 'sent 1': 100 })
  expect(newsletter.logged.at(-1)).toBe('info: the mail server takes mail again: sending goes on')
  expect(await newsletter.throttled()).toEqual([])
})

test('a sender that is refused fails nobody: sending stops until it is accepted', async () => {
  let accepted = false
  await using newsletter = await openRateLimitedNewsletter(people(20, 'example.org'), {
    fault: (context) => (isAt('mail', context) && !accepted ? { reply: '550 5.1.8 Unknown sender' } : undefined),
  })
  await newsletter.send()
  expect(Object.keys(await newsletter.states()).filter((key) => !/^(queued|deferred) 0$/.test(key))).toEqual([])
  expect(newsletter.logged).toEqual([expect.stringContaining('MAIL_FROM')])
  accepted = true
  await newsletter.endBackOffs()
  expect(await newsletter.send()).toBe(20)
})

test('a relay that is down is left alone after a few failures, is probed with one mail, and then all go', async () => {
  let away = true
  await using newsletter = await openRateLimitedNewsletter(people(60, 'example.org'), {
    fault: (context) => (isAt('greeting', context) && away ? 'drop' : undefined),
  })
  await newsletter.send()
  expect(newsletter.sink.connections().opened).toBeLessThan(20)
  expect(await newsletter.throttled()).toMatchObject([{ kind: 'relay', name: 'sink', cause: 'relay' }])
  const opened = newsletter.sink.connections().opened
  await newsletter.send()
  expect(newsletter.sink.connections().opened).toBe(opened)
  await newsletter.endBackOffs()
  await newsletter.send()
  expect(newsletter.sink.connections().opened).toBe(opened + 1)
  const errors = newsletter.logged.filter((line) => line.startsWith('error'))
  expect(errors).toHaveLength(1)
  away = false
  await newsletter.endBackOffs()
  await newsletter.send()
  await newsletter.endRetryWaits()
  await newsletter.send()
  expect(await newsletter.states()).toEqual({ 'sent 1': 60 })
})

test('a hundred refusals by policy suppress nobody: the destination is closed, and nobody’s attempts are used up', async () => {
  await using newsletter = await openRateLimitedNewsletter(
    [...people(100, 'example.org'), ...people(20, 'example.net')],
    {
      fault: (context) => (isAt('rcpt', context, '@example.org') ? { reply: '550 5.7.1 Blocked' } : undefined),
    },
  )
  await newsletter.send()
  const states = await newsletter.states('@example.org')
  expect((states['queued 0'] ?? 0) + (states['deferred 0'] ?? 0)).toBe(100)
  expect(await newsletter.states('@example.net')).toEqual({ 'sent 1': 20 })
  expect(await newsletter.db.selectFrom('suppressions').selectAll().execute()).toEqual([])
  expect(await newsletter.throttled()).toMatchObject([
    { name: 'example.org', cause: 'policy', reason: expect.stringContaining('5.7.1') },
  ])
  // One mail at a time probes whether it takes mail again.
  const asked = () => newsletter.sink.commands.filter((line) => /^RCPT TO:<.*@example.org>/.test(line)).length
  const before = asked()
  await newsletter.endBackOffs()
  await newsletter.send()
  expect(asked()).toBe(before + 1)
})

test('greylisting throttles no destination: the mail is sent later', async () => {
  const met = new Set<string>()
  await using newsletter = await openRateLimitedNewsletter(people(40, 'example.org'), {
    fault: (context) => {
      if (context.stage !== 'rcpt' || met.has(context.to)) return undefined
      met.add(context.to)
      return { reply: '451 4.7.1 Greylisted, come back' }
    },
  })
  expect(await newsletter.send()).toBe(0)
  expect(await newsletter.throttled()).toEqual([])
  expect(await newsletter.states()).toEqual({ 'deferred 1': 40 })
  await newsletter.endRetryWaits()
  expect(await newsletter.send()).toBe(40)
})

test('a domain that cannot be reached holds up no other, however many of its mails come first', async () => {
  let dead = true
  await using newsletter = await openRateLimitedNewsletter(
    [...people(150, 'dead.example'), ...people(50, 'well.example')],
    {
      fault: (context) =>
        isAt('rcpt', context, '@dead.example') && dead ? { reply: '450 4.4.1 No answer from host' } : undefined,
    },
  )
  // Those of the dead domain are the oldest, several groups of them.
  await newsletter.db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0) })
    .where('subscriber_id', 'in', (eb) =>
      eb.selectFrom('subscribers').select('id').where('email', 'like', '%@dead.example'),
    )
    .execute()
  expect(await newsletter.send()).toBe(50)
  const states = await newsletter.states('@dead.example')
  expect(states['queued 0']).toBeGreaterThan(100)
  expect(states['deferred 1']).toBeLessThan(50)

  // Alive again: one goes through, and all others with it.
  dead = false
  await newsletter.endBackOffs()
  await newsletter.send()
  expect((await newsletter.states('@dead.example'))['queued 0'] ?? 0).toBe(0)
  expect(await newsletter.throttled()).toEqual([])
})

test('mail that waited a day for a destination throttled for a day expires; what waits for none is requeued', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(3, 'dead.example'))
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
  await newsletter.db.insertInto('throttled_routes').values(route).execute()
  await newsletter.send()
  const sweep = () => sweepRoutes({ db: newsletter.db, log: SILENT }, new Date())
  await sweep()
  expect(await newsletter.states()).toEqual({ 'queued 0': 3 })
  await newsletter.db
    .updateTable('deliveries')
    .set({ created_at: new Date(0) })
    .execute()
  await newsletter.db
    .updateTable('throttled_routes')
    .set({ since: new Date(0) })
    .execute()
  await sweep()
  expect(await newsletter.states()).toEqual({ 'failed 0': 3 })
  const { reason } = await newsletter.db.selectFrom('deliveries').select('reason').executeTakeFirstOrThrow()
  expect(reason).toBe('expired: dead.example has taken no mail for a day: no answer')

  await newsletter.db.updateTable('deliveries').set({ state: 'queued', waits_for: 'elsewhere.example' }).execute()
  await newsletter.db.deleteFrom('throttled_routes').execute()
  await sweep()
  expect(await newsletter.send()).toBe(3)
})

/** A destination that takes `concurrency` mails at a time, and whose back-off is over. */
const throttledDestination = (name: string, concurrency: number) => ({
  kind: 'destination' as const,
  name,
  domains: [name],
  cause: 'throttled' as const,
  reason: 'too fast',
  not_before: new Date(0),
  concurrency,
  successes: 0,
  failures: 1,
})

test('outcomes are recorded though the database refuses what it is told of routes, which is told later', async () => {
  await using newsletter = await openRateLimitedNewsletter(
    [...people(20, 'slow.example'), ...people(20, 'example.org'), ...people(6, 'gmail.com')],
    { fault: (context) => (isAt('rcpt', context, '@gmail.com') ? { reply: '421 4.7.28 Unusual rate' } : undefined) },
  )
  const { db, sink } = newsletter
  await db.insertInto('throttled_routes').values(throttledDestination('slow.example', 8)).execute()
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'no space left'; end $$`.execute(
    db,
  )
  await sql`create trigger refuse before insert or update or delete on throttled_routes
    for each row execute function refuse()`.execute(db)
  await newsletter.send().catch(() => undefined)
  const arrived = sink.messages.map(({ to }) => to)
  expect(arrived.length).toBeGreaterThanOrEqual(28)
  const sent = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select('email')
    .where('deliveries.state', '=', 'sent')
    .execute()
  expect(sent.map(({ email }) => email).sort()).toEqual(arrived.sort())
  // Nothing is left to its lease, so nobody is thought to have been sent it by a mailer that died.
  expect(await requeueExpired(db, 'deliveries', { all: true })).toBe(0)

  await sql`drop trigger refuse on throttled_routes`.execute(db)
  while ((await newsletter.send()) > 0);
  expect(sink.messages.filter(({ to }) => !to.endsWith('@gmail.com'))).toHaveLength(40)
  expect((await newsletter.throttled()).map(({ name }) => name)).toContain('gmail.com')
})

test('outcomes are recorded while another holds the lock that telling the routes waits for', async () => {
  await using newsletter = await openRateLimitedNewsletter([...people(4, 'gmail.com'), ...people(20, 'example.org')], {
    fault: (context) => (isAt('rcpt', context, '@gmail.com') ? { reply: '421 4.7.28 Unusual rate' } : undefined),
  })
  let sending: Promise<number> | undefined
  await newsletter.db.transaction().execute(async (trx) => {
    await sql`lock table throttled_routes in share row exclusive mode`.execute(trx)
    sending = newsletter.send()
    await vi.waitFor(async () => expect(await newsletter.states('@gmail.com')).toHaveProperty('deferred 0'), 20_000)
    await vi.waitFor(async () => expect(await newsletter.states('@example.org')).toEqual({ 'sent 1': 20 }), 20_000)
    expect(await newsletter.throttled()).toEqual([])
  })
  await sending
  expect(await newsletter.throttled()).toMatchObject([{ name: 'gmail.com' }])
})

test('a failed probe sets the next back-off, which is short, and not the time that a probe may take', async () => {
  let away = true
  await using newsletter = await openRateLimitedNewsletter(people(60, 'example.org'), {
    fault: (context) => (isAt('greeting', context) && away ? 'drop' : undefined),
  })
  const backOff = async () => {
    const { rows } = await sql<{ seconds: number }>`
      select extract(epoch from not_before - changed_at)::float8 as seconds from throttled_routes`.execute(
      newsletter.db,
    )
    return rows[0]?.seconds ?? null
  }
  await newsletter.send()
  const seen = [await backOff()]
  for (let n = 0; n < 4; n++) {
    await newsletter.endBackOffs()
    await newsletter.send()
    seen.push(await backOff())
  }
  expect(seen).toEqual([5, 10, 20, 30, 30])
  away = false
  await newsletter.endBackOffs()
  await newsletter.send()
  expect(await newsletter.throttled()).toEqual([])
})

test('a mailer is woken when a back-off ends, and all streams when the relay takes mail again', async () => {
  let away = true
  await using newsletter = await openRateLimitedNewsletter(people(20, 'example.org'), {
    fault: (context) => (isAt('greeting', context) && away ? 'drop' : undefined),
  })
  const mailer = newsletter.openMailer()
  const waits: number[] = []
  mailer.wakeIn = (ms) => waits.push(ms)
  await newsletter.send({}, mailer)
  // It ended when it found the relay closed, with the back-off of five seconds before it.
  expect(waits.some((ms) => ms > 0 && ms <= 5_000)).toBe(true)
  away = false
  await newsletter.endBackOffs()
  await newsletter.send({}, mailer)
  expect(newsletter.woken).toEqual(['letters', 'deliveries'])
})

test('a closed relay is probed with a letter where one waits, and with a digest if no letter came in two seconds', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(20, 'example.org'))
  const { db } = newsletter
  const closed = { kind: 'relay' as const, name: 'sink', domains: [], cause: 'relay' as const, reason: 'away' }
  const pace = { concurrency: 1, successes: 0, failures: 1 }
  const close = (secondsAgo: number) =>
    db
      .insertInto('throttled_routes')
      .values({ ...closed, ...pace, not_before: sql`now() - ${secondsAgo} * interval '1 second'` })
      .execute()
  const { id } = await db.selectFrom('subscribers').select('id').limit(1).executeTakeFirstOrThrow()
  await storeLetter(db, { subscriberId: id, kind: 'already-subscribed', digestId: null, requestedAt: new Date(0) })
  await close(1)
  expect(await newsletter.send()).toBe(0)
  expect(newsletter.sink.messages).toEqual([])
  expect(await newsletter.send({}, newsletter.openMailer(), 'letters')).toBe(1)
  expect(await newsletter.throttled()).toEqual([])

  await storeLetter(db, { subscriberId: id, kind: 'already-subscribed', digestId: null, requestedAt: new Date(0) })
  await close(3)
  expect(await newsletter.send()).toBe(20)
})

test('a relay that bears three connections gets all mail over three, and its connections are counted over all mailers', async () => {
  let open = 0
  await using newsletter = await openRateLimitedNewsletter(people(150, 'example.org'), {
    fault: async (context) => {
      if (context.stage === 'mail' && ++open > 3) {
        open--
        return { reply: '421 4.7.0 Too many concurrent SMTP connections from your address' }
      }
      if (context.stage === 'accepted') open--
      return undefined
    },
  })
  const mailers = [newsletter.openMailer(), newsletter.openMailer()]
  for (let n = 0; n < 60; n++) {
    await newsletter.endBackOffs()
    await newsletter.endRetryWaits()
    await Promise.all(mailers.map((by) => newsletter.send({}, by)))
    if ((await newsletter.states())['sent 1'] === 150) break
  }
  expect(await newsletter.states()).toEqual({ 'sent 1': 150 })
})

const DESTINATIONS = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example', 'f.example']
const everywhere = (count: number) => Array.from({ length: count }, (_, n) => `reader${n}@${DESTINATIONS[n % 6]}`)

test.each([
  '550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown',
  '552 5.2.2 Quota exceeded',
  '450 4.2.2 Come back next month',
  '550 Computer says no',
])('what all readers are told in the same words fails and suppresses none of them: %s', async (reply) => {
  let refusing = true
  await using newsletter = await openRateLimitedNewsletter(everywhere(30), {
    fault: (context) => (refusing && isAt('rcpt', context) ? { reply } : undefined),
  })
  const { db } = newsletter
  const suppressions = () => db.selectFrom('suppressions').select('email').execute()
  expect(await newsletter.send()).toBe(0)
  await newsletter.send()
  expect(await newsletter.throttled()).toMatchObject([{ kind: 'relay', cause: 'common', concurrency: 1 }])
  expect(await suppressions()).toEqual([])
  const states = await newsletter.states()
  expect((states['queued 0'] ?? 0) + (states['deferred 0'] ?? 0)).toBe(30)
  expect(await db.selectFrom('mail_feedback').selectAll().execute()).toEqual([])
  expect(newsletter.logged.filter((line) => line.startsWith('error'))).toEqual([
    'error: sending stops: the mail server refuses everybody in the same words: read them, and ask its provider',
  ])

  // A mailer that has seen nothing of it probes, and does not take the answer for its reader's.
  await newsletter.endBackOffs()
  expect(await newsletter.send({}, newsletter.openMailer())).toBe(0)
  expect(await newsletter.throttled()).toMatchObject([{ cause: 'common', failures: 2 }])
  expect(Object.keys(await newsletter.states()).every((key) => key.endsWith(' 0'))).toBe(true)

  refusing = false
  await newsletter.endBackOffs()
  await newsletter.endRetryWaits()
  await newsletter.send()
  await newsletter.send()
  expect(await newsletter.states()).toEqual({ 'sent 1': 30 })
  expect(await newsletter.throttled()).toEqual([])
})

test('a sign-up that is refused like everybody is not lost: its reader may still confirm', async () => {
  let refusing = true
  await using newsletter = await openRateLimitedNewsletter(everywhere(12), {
    fault: (context) => (refusing && isAt('rcpt', context) ? { reply: '550 5.1.1 No such user' } : undefined),
  })
  const { db } = newsletter
  await sql`delete from deliveries`.execute(db)
  const readers = await db
    .updateTable('subscribers')
    .set({ state: 'pending', next_due_at: null })
    .returning('id')
    .execute()
  for (const { id } of readers)
    await storeLetter(db, { subscriberId: id, kind: 'confirmation', digestId: null, requestedAt: new Date() })
  await newsletter.send({}, newsletter.openMailer(), 'letters')
  await sweepRoutes({ db, log: SILENT }, new Date())
  refusing = false
  await newsletter.endBackOffs()
  await db
    .updateTable('letters')
    .set({ next_attempt_at: new Date(0) })
    .execute()
  expect(await newsletter.send({}, newsletter.openMailer(), 'letters')).toBe(12)
  const states = await db.selectFrom('subscribers').select('state').distinct().execute()
  expect(states).toEqual([{ state: 'pending' }])
})

test('addresses that do not exist, among those that do, fail and are suppressed however many they are', async () => {
  await using newsletter = await openRateLimitedNewsletter(everywhere(60), {
    fault: (context) =>
      context.stage === 'rcpt' && Number(/\d+/.exec(context.to)?.[0]) % 3 === 0
        ? { reply: '550 5.1.1 User unknown' }
        : undefined,
  })
  await newsletter.send({ lanes: 1, connections: 1 })
  expect(await newsletter.states()).toEqual({ 'sent 1': 40, 'failed 1': 20 })
  expect(await newsletter.db.selectFrom('suppressions').selectAll().execute()).toHaveLength(20)
})

test('readers who alone are refused for good hold nobody up: the relay is open again with the first mail that it takes', async () => {
  await using newsletter = await openRateLimitedNewsletter(everywhere(24), {
    // Of the first twelve none exists any more, and nobody else is sent to at first.
    fault: (context) =>
      isAt('rcpt', context) && Number(/\d+/.exec(context.to)?.[0]) < 12
        ? { reply: '550 5.1.1 User unknown' }
        : undefined,
  })
  const { db } = newsletter
  await sql`update deliveries set next_attempt_at = now() + interval '1 hour' where subscriber_id in
    (select id from subscribers where substring(email from '[0-9]+')::int >= 12)`.execute(db)
  await newsletter.send()
  await newsletter.endBackOffs()
  await newsletter.send()
  expect(await newsletter.throttled()).toMatchObject([{ kind: 'relay', cause: 'common', failures: 2 }])

  await sql`update deliveries set next_attempt_at = now() where state = 'queued' and reason is null`.execute(db)
  await newsletter.endBackOffs()
  await newsletter.send()
  await newsletter.send()
  expect(await newsletter.throttled()).toEqual([])
  expect(await newsletter.states()).toEqual({ 'sent 1': 12, 'failed 1': 12 })
  expect(await db.selectFrom('suppressions').selectAll().execute()).toHaveLength(12)
})

test.each(['relay', 'rate'] as const)(
  'a relay closed or slowed (%s) is tried with mail to a throttled destination where there is no other',
  async (cause) => {
    await using newsletter = await openRateLimitedNewsletter([...people(3, 'example.org'), ...people(3, 'example.net')])
    const throttled = { concurrency: 1, successes: 0, failures: 1, reason: 'too much', not_before: new Date(0) }
    await newsletter.db
      .insertInto('throttled_routes')
      .values([
        { kind: 'relay', name: 'sink', domains: [], cause, ...throttled },
        { kind: 'destination', name: 'example.org', domains: ['example.org'], cause: 'throttled', ...throttled },
        { kind: 'destination', name: 'example.net', domains: ['example.net'], cause: 'throttled', ...throttled },
      ])
      .execute()
    for (let rounds = 0; rounds < 40 && (await newsletter.states())['sent 1'] !== 6; rounds++) {
      await newsletter.endBackOffs()
      await newsletter.send()
    }
    expect(await newsletter.states()).toEqual({ 'sent 1': 6 })
  },
)
