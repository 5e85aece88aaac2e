/** Webhooks of a whole service: a command adds a receiver, and what a reader does on the site arrives there, signed. */
import { expect, test } from 'vitest'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { runProgram } from '../support/processes/program.ts'
import { startTestService } from '../support/servers/service.ts'
import { openWebhookReceiver } from '../support/servers/webhook-receiver.ts'

const READER = 'ada@example.org'

test('a receiver that a command adds is told of a reader who confirms on the site, and leaves', async () => {
  await using receiver = await openWebhookReceiver()
  await using folder = await openTestFolder(0o711)
  await using service = await startTestService({ clock: '2026-04-14T10:00:00Z', days: ['2026-04-13'] })
  // The key of a service that a test starts.
  const settings = {
    DATABASE_URL: service.databaseUrl,
    DATA_DIR: folder.path,
    LOG_LEVEL: 'warn',
    SECRET_KEY: Buffer.alloc(32, 7).toString('hex'),
  }
  const admin = async (...words: string[]) => {
    const done = await runProgram('admin', ['--json', 'webhooks', ...words], settings)
    expect([words, done.code, done.stderr]).toEqual([words, 0, ''])
    return JSON.parse(done.stdout)
  }
  const { secret, endpoint } = await admin('add', receiver.url, '--events', 'all', '--with-addresses', '--any-network')

  const post = (path: string, fields: Record<string, string> = {}) =>
    fetch(new URL(path, service.url), { method: 'POST', body: new URLSearchParams(fields) })
  await post('/subscribe', { email: READER, topics: 'agents', frequency: 'daily', timezone: 'Europe/London' })
  const confirmation = await service.mail.waitFor(READER, 1)
  await post(confirmation.links.get('confirm') ?? '')
  await receiver.until(1)
  const welcome = await service.mail.waitFor(READER, 2)
  await post(welcome.links.get('unsubscribe') ?? '')
  await receiver.until(2)

  expect(receiver.received.map((message) => receiver.verify(secret, message))).toMatchObject([
    { type: 'subscriber.confirmed', data: { subscriber: { email: READER, topics: ['agents'], frequency: 'daily' } } },
    { type: 'subscriber.left', data: { subscriber: { email: READER }, state: 'unsubscribed' } },
  ])
  const { webhook, messages } = await admin('show', endpoint.id)
  expect(webhook).toMatchObject({ events: expect.arrayContaining(['edition.published']), waiting: 0, delivered: 2 })
  expect(messages).toHaveLength(2)
  expect(service.logged.join('\n')).not.toContain(secret)
})
