/** Mail to postmaster on its way to the operator, over a real conversation. */
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import { createPassOn } from '../../../src/adapters/smtp/passed-on-mail.ts'
import { openSmtp } from '../../../src/adapters/smtp/smtp.ts'
import { openSmtpSink } from '../../support/servers/smtp-sink.ts'

const FROM = { name: 'Paper Round', address: 'letters@example.org' }
const WORDS = Buffer.from('From: ada@example.com\r\nSubject: Your mail\r\n\r\n.Please look at your DNS: é.\r\n')

test('it is attached as it came, to a mail of ours', async () => {
  await using sink = await openSmtpSink()
  const smtp = openSmtp({ url: sink.url, connections: 1 })
  const passOn = createPassOn({ send: smtp.send, from: FROM, to: 'ops@example.org', now: () => new Date() })
  await passOn(WORDS, 'postmaster@bounces.example.org')
  await smtp.close()
  const [message] = sink.messages
  expect(message).toMatchObject({ from: FROM.address, to: 'ops@example.org' })
  const mail = await PostalMime.parse(message?.raw ?? '')
  expect(mail.subject).toBe('Mail to postmaster@bounces.example.org')
  expect(mail.from?.address).toBe(FROM.address)
  expect(mail.attachments.map(({ content }) => Buffer.from(content as ArrayBuffer).toString())).toEqual([
    WORDS.toString(),
  ])
})

test('one that the relay refuses is not passed on, and neither are too many within an hour', async () => {
  await using sink = await openSmtpSink({
    fault: ({ stage }) => (stage === 'rcpt' ? { reply: '550 5.1.1 No' } : undefined),
  })
  const smtp = openSmtp({ url: sink.url, connections: 1 })
  let now = new Date('2026-04-14T05:00:00Z')
  const passOn = createPassOn({ send: smtp.send, from: FROM, to: 'ops@example.org', now: () => now })
  for (let n = 0; n < 20; n++) await expect(passOn(WORDS, 'abuse@bounces.example.org')).rejects.toThrow('5.1.1')
  await expect(passOn(WORDS, 'abuse@bounces.example.org')).rejects.toThrow('too much mail')
  now = new Date('2026-04-14T06:00:01Z')
  await expect(passOn(WORDS, 'abuse@bounces.example.org')).rejects.toThrow('5.1.1')
  await smtp.close()
})
