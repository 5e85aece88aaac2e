/** The webhook of alarms, at a real HTTP server. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createAlarmWebhook, readWebhookSecret, signWebhook } from '../../src/adapters/alarm-webhook.ts'

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

const openReceiver = async (status: number) => {
  const requests: { headers: Record<string, unknown>; body: string }[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    requests.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('thanks')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
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
  await using receiver = await openReceiver(204)
  const now = new Date('2026-11-28T20:00:00.500Z')
  const key = readWebhookSecret(SECRET)
  await createAlarmWebhook({ url: receiver.url, key, now: () => now })(NOTICE)
  const [request] = receiver.requests
  expect(receiver.requests).toHaveLength(1)
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
  await using busy = await openReceiver(503)
  await using moved = await openReceiver(302)
  const post = (url: string) =>
    createAlarmWebhook({ url, key: readWebhookSecret(SECRET), now: () => new Date() })(NOTICE)
  await expect(post(busy.url)).rejects.toThrow('the webhook answered 503')
  await expect(post(moved.url)).rejects.toThrow()
  expect(moved.requests).toHaveLength(1)
})
