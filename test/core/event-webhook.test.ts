/** Event webhooks: what they are signed with, when they are tried again, and what is accepted of an operator. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/core/calendar.ts'
import {
  readWebhookEvents,
  readWebhookUrl,
  restAfter,
  retryAfter,
  secretOf,
  signingKeys,
} from '../../src/core/event-webhook.ts'
import type { Keys } from '../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 1)]
const ROTATED: Keys = [Buffer.alloc(32, 2), Buffer.alloc(32, 1)]
const AT = new Date('2026-11-28T20:00:00Z')
const endpoint = (epoch: number, former: Date | null = null) => ({
  id: '3f0c8a9e-0000-4000-8000-000000000001',
  secret_epoch: epoch,
  former_secret_until: former,
})
const keyOf = (secret: string) => Buffer.from(secret.replace('whsec_', ''), 'base64')

test('a message is tried ten times, over three days and some hours', () => {
  const waits: number[] = []
  for (let attempts = 1; ; attempts++) {
    const wait = retryAfter(attempts, null)
    if (wait === null) break
    waits.push(wait)
  }
  expect(waits).toHaveLength(9)
  expect(waits[0]).toBe(5 * SECOND)
  const whole = waits.reduce((sum, wait) => sum + wait, 0)
  expect(whole).toBeGreaterThan(3 * DAY)
  expect(whole).toBeLessThan(4 * DAY)
})

test('a receiver that asks for more time gets it, up to a day', () => {
  expect(retryAfter(1, MINUTE)).toBe(MINUTE)
  expect(retryAfter(1, 30 * DAY)).toBe(DAY)
  expect(retryAfter(4, MINUTE)).toBe(2 * HOUR)
  expect(retryAfter(10, MINUTE)).toBeNull()
})

test('a receiver that fails is left alone for longer each time, for five minutes at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (failures) => {
      expect(restAfter(failures + 1)).toBeGreaterThanOrEqual(restAfter(failures))
      expect(restAfter(failures)).toBeLessThanOrEqual(5 * MINUTE)
    }),
  )
  expect(restAfter(1)).toBe(5 * SECOND)
})

test('messages are signed with the secret that is shown, also of each former key, and for a day with the one before', () => {
  const before = keyOf(secretOf(KEYS, endpoint(0)))
  const after = keyOf(secretOf(KEYS, endpoint(1)))
  expect(before).toHaveLength(32)
  expect(after).not.toEqual(before)
  const soon = new Date(AT.getTime() + HOUR)
  expect(signingKeys(KEYS, endpoint(0), AT)).toEqual([before])
  expect(signingKeys(KEYS, endpoint(1, soon), AT)).toEqual([after, before])
  expect(signingKeys(KEYS, endpoint(1, AT), AT)).toEqual([after])
  expect(signingKeys(ROTATED, endpoint(1), AT)).toEqual([keyOf(secretOf(ROTATED, endpoint(1))), after])
})

test('a receiver is a URL of http or https, without a user', () => {
  expect(readWebhookUrl(' https://hooks.example.org/a?b=c ')).toEqual({
    url: new URL('https://hooks.example.org/a?b=c'),
  })
  for (const [typed, says] of [
    ['', 'such as https://hooks.example.org/paper-round'],
    ['hooks.example.org', 'such as https://hooks.example.org/paper-round'],
    ['ftp://hooks.example.org', 'https://'],
    ['https://ada:secret@hooks.example.org', 'Leave out the user'],
    ['https://hooks.example.org/#part', 'after #'],
    [`https://hooks.example.org/${'a'.repeat(2000)}`, 'such as https://hooks.example.org/paper-round'],
  ] as const) {
    const read = readWebhookUrl(typed)
    expect('problem' in read ? read.problem : 'no problem').toContain(says)
    expect(JSON.stringify(read)).not.toContain('secret')
  }
  fc.assert(
    fc.property(fc.string(), (typed) => {
      const read = readWebhookUrl(typed)
      if ('url' in read) expect(['http:', 'https:']).toContain(read.url.protocol)
    }),
  )
})

test('events are named by the list of them, each once', () => {
  expect(readWebhookEvents(['email.bounced', 'email.bounced'])).toEqual({ events: ['email.bounced'] })
  expect(readWebhookEvents(['email.opened'])).toEqual({
    problem: expect.stringContaining('There is no event email.opened. Events: subscriber.confirmed,'),
  })
  expect(readWebhookEvents([])).toEqual({ problem: expect.stringContaining('Choose at least one event') })
  expect(readWebhookEvents(['constructor'])).toEqual({ problem: expect.stringContaining('constructor') })
})
