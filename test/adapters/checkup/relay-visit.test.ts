/** A conversation with a relay that brings no message. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { visitRelay } from '../../../src/adapters/checkup/relay-visit.ts'
import { readSmtpUrl } from '../../../src/core/sending/smtp-url.ts'
import { createCertificate } from '../../support/servers/certificate.ts'
import { openSmtpSink, type SinkOptions } from '../../support/servers/smtp-sink.ts'

const good = createCertificate(['127.0.0.1'], { days: 90 })
const ended = createCertificate(['127.0.0.1'], { days: -0.5 })
const elsewhere = createCertificate(['mail.example.net'], { days: 90 })
const login = { user: 'ada', password: 'p@ss' }
const before = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([good.cert, ended.cert, elsewhere.cert]))
afterAll(() => setDefaultCACertificates(before))

const tried = async (
  options: SinkOptions,
  { password = login.password, flags = '?requireTLS=true', authority = null as string | null } = {},
) => {
  await using sink = await openSmtpSink({ login, ...options })
  const url = sink.url.replace('://', `://${login.user}:${encodeURIComponent(password)}@`)
  const trial = await visitRelay(readSmtpUrl(url + flags), { withinMs: 8_000, authority })
  expect(sink.commands.join('\n')).not.toMatch(/MAIL FROM/i)
  return { trial, commands: sink.commands, count: sink.count() }
}

test.each([
  ['by STARTTLS', { tls: good }],
  ['from the first byte', { tls: { ...good, implicit: true } }],
])('tells TLS %s, until when the certificate is good, logs in and takes leave', async (_, options) => {
  const { trial, commands, count } = await tried(options)
  expect(trial).toMatchObject({ failed: null, secure: true })
  const until = trial.failed === null ? trial.certificateUntil : null
  expect(until?.toISOString().slice(0, 10)).toBe(new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10))
  expect(commands.some((line) => line.startsWith('AUTH'))).toBe(true)
  expect(commands.at(-1)).toBe('QUIT')
  expect(count).toBe(0)
})

test.each<[string, SinkOptions, object, string, RegExp]>([
  ['a certificate that has ended', { tls: ended }, {}, 'tls', /expired/],
  ['a certificate for another name', { tls: elsewhere }, {}, 'tls', /127\.0\.0\.1 is not in/],
  ['no TLS', {}, {}, 'tls', /502/],
  ['a wrong password', { tls: good }, { password: 'wrong' }, 'auth', /535/],
  [
    'STARTTLS that is offered and refused',
    { tls: good, fault: ({ stage }) => (stage === 'starttls' ? { reply: '454 4.7.0 Not now' } : undefined) },
    {},
    'tls',
    /454/,
  ],
])('tells %s', async (_, options, more, stage, said) => {
  const { failed } = (await tried(options, more)).trial
  expect(failed).toMatchObject({ stage })
  expect(JSON.stringify(failed)).toMatch(said)
  expect(JSON.stringify(failed)).not.toContain(login.password)
})

test('verifies the certificate of a private authority by that authority, and by no other', async () => {
  // A name of its own: by the name an authority is looked up.
  const own = createCertificate(['relay.example', '127.0.0.1'])
  const visit = async (authority: string | null) => (await tried({ tls: own }, { authority })).trial
  expect(await visit(own.cert)).toMatchObject({ failed: null, secure: true, certificateUntil: expect.any(Date) })
  for (const authority of [null, elsewhere.cert])
    expect(await visit(authority)).toMatchObject({
      failed: { stage: 'tls', reason: expect.stringContaining('self-signed certificate') },
    })
  // Public authorities are trusted as before.
  expect((await tried({ tls: good }, { authority: own.cert })).trial).toMatchObject({ failed: null })
})

test('gives no end of a certificate that was accepted without verification', async () => {
  const own = createCertificate(['127.0.0.1'])
  const { trial } = await tried({ tls: own }, { flags: '?requireTLS=true&allowInvalidCertificate=true' })
  expect(trial).toEqual({ failed: null, secure: true, certificateUntil: null })
})

test('ends in time with a relay that says nothing', async () => {
  await using sink = await openSmtpSink({ fault: ({ stage }) => (stage === 'greeting' ? 'hang' : undefined) })
  const trial = await visitRelay(readSmtpUrl(sink.url), { withinMs: 50, authority: null })
  expect(trial).toMatchObject({ failed: { kind: 'unreachable' } })
})
