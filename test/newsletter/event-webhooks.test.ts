/** Event webhooks: what happens is told once it has happened, at least once, to every receiver that is told of it. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { isPrivateLiteral } from '../../src/adapters/public-network.ts'
import { postWebhook } from '../../src/adapters/standard-webhook.ts'
import { WEBHOOK_EVENTS } from '../../src/core/event-webhook.ts'
import { NO_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken } from '../../src/core/token.ts'
import {
  createEventWebhooks,
  createWebhookSender,
  type PostWebhook,
  type WithSecret,
} from '../../src/newsletter/event-webhooks.ts'
import { recordFeedback, recordReaderComplaint } from '../../src/newsletter/feedback/feedback.ts'
import { addSuppression, removeSuppression } from '../../src/newsletter/feedback/suppressions.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../src/store/database.ts'
import { deleteHold, storeHold } from '../../src/store/service-hold.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { bounce, complaint, openSent } from '../support/fixtures/sent-edition.ts'
import { openWebhookReceiver } from '../support/servers/webhook-receiver.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const BY = { byWhom: 'ada', via: 'command' as const }
const ALL = Object.keys(WEBHOOK_EVENTS)
const machineTime = () => new Date()
const POST: PostWebhook = (message, signal) => postWebhook(message, machineTime, signal)

const webhooksOf = (db: Database) => createEventWebhooks({ db, keys: KEYS, now: () => NOW, isPrivateLiteral })

const senderOf = (db: Database, post: PostWebhook = POST, signal = new AbortController().signal) =>
  createWebhookSender({ db, keys: KEYS, log: SILENT, machineTime, post, signal })

const add = async (db: Database, url: string, options: { events?: string[]; withAddresses?: boolean } = {}) => {
  const { events = ALL, withAddresses = false } = options
  const added = await webhooksOf(db).add(BY, { url, events, withAddresses, anyNetwork: true })
  if ('problem' in added) throw new Error(added.problem)
  return added
}

/** Lets the time pass for which a receiver is left alone, and until the next attempts. */
const passTime = async (db: Database) => {
  await sql`update webhook_endpoints set not_before = null`.execute(db)
  await sql`update webhook_messages set next_attempt_at = now() where next_attempt_at is not null`.execute(db)
}

const dataOf = (receiver: Awaited<ReturnType<typeof openWebhookReceiver>>, { secret }: WithSecret) =>
  receiver.received.map((message) => receiver.verify(secret, message))

test('a receiver is told who came and who left, by whichever way, and not of what changes neither', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver()
  const added = await add(db, receiver.url, { withAddresses: true })
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody, limits: NO_LIMITS })
  const send = senderOf(db)
  const told: unknown[] = []
  const take = async () => {
    await send()
    const all = dataOf(receiver, added)
    told.push(...all.slice(told.length))
    return told.at(-1)
  }
  expect(await take()).toMatchObject({
    type: 'subscriber.confirmed',
    data: {
      subscriber: { id, email: 'ada@example.org', topics: LONDON_DAILY.topics, frequency: 'daily' },
      before: 'pending',
    },
  })
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
  expect(await take()).toMatchObject({ type: 'subscriber.left', data: { state: 'unsubscribed', suppression: null } })
  await subscriptions.undoReduced(deriveToken(KEYS, 'unsubscribe', id))
  expect(await take()).toMatchObject({ type: 'subscriber.confirmed', data: { before: 'unsubscribed' } })
  await addSuppression(db, 'ada@example.org', { whom: 'ops', why: 'asked by letter' })
  expect(await take()).toMatchObject({
    type: 'subscriber.left',
    data: { state: 'suppressed', suppression: 'operator' },
  })
  await removeSuppression(db, NOW, 'ada@example.org', { whom: 'ops', why: 'by mistake' })
  expect(await take()).toMatchObject({ type: 'subscriber.confirmed', data: { before: 'suppressed' } })
  await eraseFrom(db, id)
  expect(await take()).toMatchObject({
    type: 'subscriber.left',
    data: { subscriber: { id, email: null }, state: 'erased' },
  })
  expect(told).toHaveLength(6)
})

test('a receiver without addresses is told an id alone, and nothing of what it was not to be told', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver()
  const added = await add(db, receiver.url, { events: ['subscriber.left'] })
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody, limits: NO_LIMITS })
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
  await senderOf(db)()
  expect(dataOf(receiver, added)).toMatchObject([{ type: 'subscriber.left', data: { subscriber: { id } } }])
  expect(receiver.received[0]?.body).not.toContain('example.org')
})

test('bounces and complaints are told with the email they are about, and without addresses in the servers’ words', async () => {
  await using newsletter = await openSent(3)
  const { db, mail, reader, edition, ports } = newsletter
  await using receiver = await openWebhookReceiver()
  const added = await add(db, receiver.url, { events: ['email.bounced', 'email.complained'] })
  await recordFeedback(ports, mail(0), bounce('hard'), 'mail')
  await recordFeedback(ports, mail(0), bounce('hard'), 'mail')
  await recordFeedback(ports, mail(1), complaint(), 'ses')
  await recordReaderComplaint(ports, reader(2), complaint(), 'feedback loop')
  await senderOf(db)()
  const told = dataOf(receiver, added).sort((one, other) => one.timestamp.localeCompare(other.timestamp))
  expect(told).toMatchObject([
    {
      type: 'email.bounced',
      data: { subscriber: { id: reader(0) }, email: mail(0).id, edition, class: 'hard', code: '5.1.1' },
    },
    { type: 'email.complained', data: { subscriber: { id: reader(1) }, email: mail(1).id, source: 'ses' } },
    { type: 'email.complained', data: { subscriber: { id: reader(2) }, email: null } },
  ])
  expect(receiver.received.map(({ body }) => body).join()).not.toContain('@')
})

test('an edition is told of once it is published', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13', LONDON_DAILY.topics)
  await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  await using receiver = await openWebhookReceiver()
  const added = await add(db, receiver.url, { events: ['edition.published'] })
  const at = new Date('2026-04-15T12:00:00Z')
  await storeDay(db, '2026-04-14', LONDON_DAILY.topics)
  await publishDue({ db, log: SILENT, wake: wakeNobody }, at)
  await senderOf(db)()
  const [told, ...more] = dataOf(receiver, added)
  expect(told).toMatchObject({ type: 'edition.published', data: { due: 1 } })
  expect(new Date(String(told?.data.cutoff))).toEqual(at)
  expect(more).toEqual([])
})

test('what was undone is not told, and what happened while nobody was to be told never is', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver()
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  await add(db, receiver.url)
  await expect(
    db.transaction().execute(async (trx) => {
      await sql`update subscribers set state = 'unsubscribed', next_due_at = null where id = ${id}`.execute(trx)
      throw new Error('undone')
    }),
  ).rejects.toThrow('undone')
  await senderOf(db)()
  expect(receiver.received).toEqual([])
})

test('a message that is not taken is tried again with the same id and told as delivered once it is', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver((_, count) => ({ status: count < 3 ? 503 : 200 }))
  const { endpoint } = await add(db, receiver.url)
  const webhooks = webhooksOf(db)
  const send = senderOf(db)
  await webhooks.test(BY, endpoint.id)
  await send()
  // Not before its time, whoever asks.
  await send()
  expect(receiver.received).toHaveLength(1)
  await passTime(db)
  await send()
  await passTime(db)
  await send()
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1)
  const found = await webhooks.read(endpoint.id, { before: null, most: 10 })
  expect(found?.messages[0]?.attempts.map(({ status, error }) => [status, error])).toEqual([
    [503, 'it answered 503'],
    [503, 'it answered 503'],
    [200, null],
  ])
  expect(found?.endpoint).toMatchObject({ delivered: 1, waiting: 0, failed: 0, failing_since: null, failures: 0 })
  await passTime(db)
  await send()
  expect(receiver.received).toHaveLength(3)
})

test('a receiver that fails is asked with one message until it takes one, and then gets all of them', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  let takes = false
  await using receiver = await openWebhookReceiver(() => ({ status: takes ? 200 : 500 }))
  const { endpoint } = await add(db, receiver.url)
  const webhooks = webhooksOf(db)
  const send = senderOf(db)
  await webhooks.test(BY, endpoint.id)
  await send()
  for (let more = 0; more < 12; more++) await webhooks.test(BY, endpoint.id)
  await sql`update webhook_endpoints set not_before = null`.execute(db)
  await send()
  expect(receiver.received).toHaveLength(2)
  takes = true
  await passTime(db)
  await send()
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(13)
  expect(await webhooks.list()).toMatchObject([{ delivered: 13, waiting: 0 }])
})

test('a message is given up after ten attempts, and is sent again when an operator says so', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  let takes = false
  await using receiver = await openWebhookReceiver(() => ({ status: takes ? 200 : 400 }))
  const { endpoint } = await add(db, receiver.url)
  const webhooks = webhooksOf(db)
  const send = senderOf(db)
  await webhooks.test(BY, endpoint.id)
  for (let attempt = 0; attempt < 12; attempt++) {
    await send()
    await passTime(db)
  }
  expect(receiver.received).toHaveLength(10)
  expect(await webhooks.list()).toMatchObject([{ failed: 1, waiting: 0 }])
  takes = true
  expect(await webhooks.sendAgain(BY, endpoint.id, 'failed')).toBe(1)
  await send()
  expect(await webhooks.list()).toMatchObject([{ failed: 0, delivered: 1 }])
})

test('a receiver that is gone, or took nothing for five days, is told of nothing more until it is enabled', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  let status = 410
  await using receiver = await openWebhookReceiver(() => ({ status }))
  const { endpoint } = await add(db, receiver.url)
  const webhooks = webhooksOf(db)
  const send = senderOf(db)
  await webhooks.test(BY, endpoint.id)
  await send()
  expect(await webhooks.list()).toMatchObject([{ disabled_why: 'it answered 410: it is gone', waiting: 0 }])
  await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  expect(await webhooks.list()).toMatchObject([{ waiting: 0 }])
  expect(await webhooks.test(BY, endpoint.id)).toEqual({ problem: 'It is disabled; enable it first.' })

  status = 500
  expect(await webhooks.enable(BY, endpoint.id)).toMatchObject({ disabled_at: null, failing_since: null })
  await webhooks.test(BY, endpoint.id)
  await send()
  await sql`update webhook_endpoints set failing_since = now() - interval '5 days 1 minute'`.execute(db)
  await passTime(db)
  await send()
  expect(await webhooks.list()).toMatchObject([
    { disabled_why: 'it has taken nothing for five days: it answered 500', waiting: 0 },
  ])
})

test('a message that a killed process had sent is sent again by another, with the same id', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver()
  const { endpoint } = await add(db, receiver.url)
  await webhooksOf(db).test(BY, endpoint.id)
  const killed = new AbortController()
  // It reached the receiver, and nobody is left to record that.
  const post: PostWebhook = async (message, signal) => {
    await POST(message, signal)
    killed.abort()
    return { status: null, error: 'killed', milliseconds: 0, retryAfter: null }
  }
  await senderOf(db, post, killed.signal)()
  expect(receiver.received).toHaveLength(1)
  await senderOf(db)()
  expect(receiver.received).toHaveLength(1)
  await passTime(db)
  await senderOf(db)()
  expect(receiver.received).toHaveLength(2)
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1)
  expect(await webhooksOf(db).list()).toMatchObject([{ delivered: 1, waiting: 0 }])
})

test('two processes at once send each message once, and a slow receiver holds up no other', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await using slow = await openWebhookReceiver(async () => {
    await held
    return { status: 204 }
  })
  await using quick = await openWebhookReceiver()
  const one = await add(db, slow.url)
  const other = await add(db, quick.url)
  const webhooks = webhooksOf(db)
  await webhooks.test(BY, one.endpoint.id)
  for (let more = 0; more < 20; more++) await webhooks.test(BY, other.endpoint.id)
  const sending = [senderOf(db)(), senderOf(db)()]
  await quick.until(20)
  release()
  await Promise.all(sending)
  expect(new Set(quick.received.map(({ id }) => id)).size).toBe(20)
  expect(quick.received).toHaveLength(20)
  expect(slow.received).toHaveLength(1)
})

test('while the service is held nothing is told', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver()
  const { endpoint } = await add(db, receiver.url)
  await webhooksOf(db).test(BY, endpoint.id)
  await storeHold(db, { by: 'ops', why: 'restored', restoredFrom: null })
  await senderOf(db)()
  expect(receiver.received).toEqual([])
  await deleteHold(db)
  await senderOf(db)()
  expect(receiver.received).toHaveLength(1)
})

test('what an operator does with webhooks is on record, with the host alone', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const webhooks = webhooksOf(db)
  const { endpoint, secret } = await add(db, 'https://hooks.example.org/secret-path?key=1')
  expect(await webhooks.showSecret(BY, endpoint.id)).toMatchObject({ secret })
  const renewed = await webhooks.renewSecret(BY, endpoint.id)
  expect('secret' in renewed && renewed.secret !== secret).toBe(true)
  await webhooks.disable(BY, endpoint.id)
  expect(await webhooks.disable(BY, endpoint.id)).toEqual({ problem: 'It is disabled already.' })
  await webhooks.remove(BY, endpoint.id)
  expect(await webhooks.remove(BY, endpoint.id)).toMatchObject({ problem: expect.stringContaining('no such webhook') })
  expect(await webhooks.read('nonsense', { before: null, most: 1 })).toBeNull()
  const acts = await db.selectFrom('audit_log').selectAll().orderBy('id').execute()
  expect(acts.map(({ action }) => action)).toEqual([
    'webhook.added',
    'webhook.secret-shown',
    'webhook.secret-renewed',
    'webhook.disabled',
    'webhook.removed',
  ])
  expect(JSON.stringify(acts)).not.toContain('secret-path')
  expect(JSON.stringify(acts)).not.toContain(secret)
})

test('a receiver that cannot be meant is refused in words', async () => {
  await using newsletter = await openNewsletter()
  const webhooks = webhooksOf(newsletter.db)
  const typed = { url: 'https://hooks.example.org/', events: ALL, withAddresses: false, anyNetwork: false }
  for (const [change, says] of [
    [{ url: 'https://10.1.2.3/' }, '--any-network'],
    [{ url: 'http://hooks.example.org/', withAddresses: true }, 'https:// only'],
    [{ events: ['email.opened'] }, 'There is no event'],
    [{ url: 'hooks' }, 'such as https://'],
  ] as const)
    expect(await webhooks.add(BY, { ...typed, ...change })).toEqual({ problem: expect.stringContaining(says) })
  for (let count = 0; count < 20; count++) expect(await webhooks.add(BY, typed)).toHaveProperty('secret')
  expect(await webhooks.add(BY, typed)).toEqual({ problem: expect.stringContaining('which is the most') })
})

test('a message and its attempts are kept for thirty days', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using receiver = await openWebhookReceiver()
  const { endpoint } = await add(db, receiver.url)
  const webhooks = webhooksOf(db)
  for (let count = 0; count < 2; count++) await webhooks.test(BY, endpoint.id)
  await senderOf(db)()
  await sql`update webhook_messages set at = now() - interval '31 days'
    where id = (select min(id::text)::uuid from webhook_messages)`.execute(db)
  const done = await maintain(db, { now: new Date(), keepDays: 90 })
  expect(done?.deleted.webhookMessages).toBe(1)
  expect(await webhooks.list()).toMatchObject([{ delivered: 1 }])
})
