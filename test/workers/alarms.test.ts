/** The emails of alarms, at a real SMTP server. */
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import { openAlarmChannels } from '../../workers/alarms.ts'
import { readConfig } from '../../workers/config/config.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const NOTICE = {
  id: 12,
  event: 'raised' as const,
  kind: 'relay' as const,
  subject: 'smtp.example.org:587',
  title: 'The relay smtp.example.org:587 does not take our mail',
  detail: 'It said: 454 Daily message quota exceeded.',
  advice: 'See destinations list and doctor.',
  raisedAt: new Date('2026-04-15T12:00:00Z'),
  clearedAt: null,
}

test('an alarm is an email of plain text to the operator, and the same one at each attempt', async () => {
  await using sink = await openSmtpSink()
  const config = readConfig({
    SMTP_URL: sink.url,
    MAIL_FROM: 'Round <round@example.org>',
    OPERATOR_EMAIL: 'ops@example.net',
  })
  const { channels, close } = openAlarmChannels(config, sink.url)
  expect(Object.keys(channels)).toEqual(['email'])
  await channels.email?.(NOTICE)
  await channels.email?.(NOTICE)
  await close()
  const [first, second] = sink.messages
  expect(first).toMatchObject({ from: 'round@example.org', to: 'ops@example.net' })
  expect(second?.raw).toBe(first?.raw)
  const read = await PostalMime.parse(first?.raw ?? '')
  expect(read).toMatchObject({
    subject: '[Paper Round] The relay smtp.example.org:587 does not take our mail',
    messageId: '<alarm-12-raised@example.org>',
  })
  expect(read.html).toBeUndefined()
  expect(read.headers).toContainEqual(expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }))
  expect(read.text).toContain('454 Daily message quota exceeded.')
})

test('what the relay answers instead is why the operator was not told', async () => {
  await using sink = await openSmtpSink({
    fault: ({ stage }) => (stage === 'rcpt' ? { reply: '550 5.1.1 No such user' } : undefined),
  })
  const config = readConfig({ SMTP_URL: sink.url, MAIL_FROM: 'round@example.org', OPERATOR_EMAIL: 'ops@example.net' })
  const { channels, close } = openAlarmChannels(config, sink.url)
  await expect(channels.email?.(NOTICE)).rejects.toThrow('550 5.1.1')
  await close()
})
