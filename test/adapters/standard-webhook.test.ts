/** Messages to webhooks, signed, at a real HTTP server. */
import { expect, test } from 'vitest'
import { createAlarmWebhook } from '../../src/adapters/alarm-webhook.ts'
import { postWebhook, readWebhookSecret, signWebhook } from '../../src/adapters/standard-webhook.ts'
import { openWebhookReceiver } from '../support/servers/webhook-receiver.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const NOTICE = {
  id: 4,
  event: 'raised' as const,
  kind: 'tick' as const,
  subject: '',
  title: 'Nothing is published',
  detail: 'It ticked last at noon.',
  advice: 'See its log.',
  raisedAt: new Date('2026-04-15T12:00:00Z'),
  clearedAt: null,
}

test('the signature is that of the vector that libraries of Standard Webhooks are tested with', () => {
  const signed = signWebhook(
    readWebhookSecret(SECRET),
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    1614265330,
    '{"test": 2432232314}',
  )
  expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('a secret is 24 to 64 octets of base64 behind whsec_', () => {
  expect(readWebhookSecret(SECRET)).toHaveLength(24)
  for (const wrong of [
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whsec_short',
    'whsec_!!!!',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    'whsec_',
  ])
    expect(() => readWebhookSecret(wrong)).toThrow('openssl rand -base64 32')
})

test('an alarm is posted once with its id, its time and a signature over the octets that arrive', async () => {
  await using receiver = await openWebhookReceiver()
  const now = new Date('2026-11-28T20:00:00.500Z')
  const key = readWebhookSecret(SECRET)
  await createAlarmWebhook({ url: receiver.url, key, now: () => now })(NOTICE)
  const [request] = receiver.received
  expect(receiver.received).toHaveLength(1)
  expect(request?.headers).toMatchObject({
    'content-type': 'application/json',
    'webhook-id': 'alarm_4_raised',
    'webhook-timestamp': String(Date.parse('2026-11-28T20:00:00Z') / 1000),
    'webhook-signature': signWebhook(
      key,
      'alarm_4_raised',
      Date.parse('2026-11-28T20:00:00Z') / 1000,
      request?.body ?? '',
    ),
  })
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    type: 'alarm.raised',
    timestamp: now.toISOString(),
    data: { kind: 'tick', title: 'Nothing is published', raisedAt: '2026-04-15T12:00:00.000Z', clearedAt: null },
  })
})

test('an answer other than 2xx is an error, and a redirection is not followed', async () => {
  await using busy = await openWebhookReceiver(() => ({ status: 503 }))
  await using moved = await openWebhookReceiver(() => ({ status: 302, headers: { location: '/elsewhere' } }))
  const post = (url: string) =>
    createAlarmWebhook({ url, key: readWebhookSecret(SECRET), now: () => new Date() })(NOTICE)
  await expect(post(busy.url)).rejects.toThrow('the webhook answered 503')
  await expect(post(moved.url)).rejects.toThrow()
  expect(moved.received).toHaveLength(1)
})

const MESSAGE = {
  messageId: '5b2f',
  keys: [readWebhookSecret(SECRET)],
  body: '{"type":"webhook.test"}',
  anyNetwork: true,
}

test('a message that is signed with two keys is verified by a receiver with either', async () => {
  await using receiver = await openWebhookReceiver()
  const former = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
  const keys = [...MESSAGE.keys, readWebhookSecret(former)]
  const answer = await postWebhook({ ...MESSAGE, keys, url: receiver.url }, () => new Date())
  expect(answer).toMatchObject({ status: 204, error: null, retryAfter: null })
  const [message] = receiver.received
  if (message === undefined) throw new Error('nothing was received')
  for (const secret of [SECRET, former]) expect(receiver.verify(secret, message)).toEqual({ type: 'webhook.test' })
  expect(() => receiver.verify(`whsec_${Buffer.alloc(32, 1).toString('base64')}`, message)).toThrow()
  expect(() => receiver.verify(SECRET, { ...message, body: '{"type":"webhook.other"}' })).toThrow()
})

test('a receiver says for how long it wants to be left alone, in seconds or by a date', async () => {
  const now = new Date('2026-11-28T20:00:00Z')
  for (const [asked, ms] of [
    ['120', 120_000],
    ['Sat, 28 Nov 2026 20:01:00 GMT', 60_000],
    ['Sat, 28 Nov 2026 19:00:00 GMT', null],
    ['soon', null],
  ] as const) {
    await using receiver = await openWebhookReceiver(() => ({ status: 429, headers: { 'retry-after': asked } }))
    const answer = await postWebhook({ ...MESSAGE, url: receiver.url }, () => now)
    expect(answer).toMatchObject({ status: 429, error: 'it answered 429', retryAfter: ms })
  }
})

test('an address that is not of the public internet is not connected to, unless that was said', async () => {
  await using receiver = await openWebhookReceiver()
  const { port } = new URL(receiver.url)
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '10.0.0.1', '[::ffff:127.0.0.1]']) {
    const url = `http://${host}:${port}/hook`
    const answer = await postWebhook({ ...MESSAGE, url, anyNetwork: false }, () => new Date())
    expect([host, answer.status, answer.error]).toEqual([host, null, 'it is at no address of the public internet'])
  }
  expect(receiver.received).toEqual([])
})

test('where nobody listens the answer says so, and a post that is ended has none', async () => {
  const gone = await openWebhookReceiver()
  await gone[Symbol.asyncDispose]()
  expect(await postWebhook({ ...MESSAGE, url: gone.url }, () => new Date())).toMatchObject({
    status: null,
    error: 'it cannot be reached: ECONNREFUSED',
  })
  const stop = new AbortController()
  await using silent = await openWebhookReceiver(async () => {
    stop.abort()
    return { status: 204 }
  })
  const ended = await postWebhook({ ...MESSAGE, url: silent.url }, () => new Date(), stop.signal)
  expect(ended.error).toContain('it cannot be reached')
})
