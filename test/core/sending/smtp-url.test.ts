import { describe, expect, it } from 'vitest'
import { readSmtpUrl } from '../../../src/core/sending/smtp-url.ts'

describe('the address of an SMTP server', () => {
  it.each([
    [
      'smtp://ada:p%40ss%2Fw%C3%B6rd@mail.example.org:2525',
      {
        host: 'mail.example.org',
        port: 2525,
        implicitTls: false,
        requireTls: true,
        verifyCertificate: true,
        login: { user: 'ada', password: 'p@ss/wörd' },
      },
    ],
    ['smtp://mail.example.org', { port: 587, requireTls: true, verifyCertificate: true, login: null }],
    ['smtp://mail.example.org/', { port: 587 }],
    ['smtps://mail.example.org', { port: 465, implicitTls: true, requireTls: true, verifyCertificate: true }],
    ['smtps://localhost', { implicitTls: true, requireTls: true, verifyCertificate: true }],
    ['smtps://localhost?allowInvalidCertificate=true', { verifyCertificate: false }],
    ['smtp://mail.example.org?requireTLS=false', { requireTls: false, verifyCertificate: true }],
    ['smtp://mail.example.org?requireTLS=true&allowInvalidCertificate=true', { verifyCertificate: false }],
    ['smtp://127.0.0.1:1025', { host: '127.0.0.1', requireTls: false, verifyCertificate: false }],
    ['smtp://localhost:25', { host: 'localhost', requireTls: false, verifyCertificate: false }],
    ['smtp://[::1]:25', { host: '::1', requireTls: false }],
    ['smtp://localhost?requireTLS=true', { requireTls: true, verifyCertificate: true }],
    ['smtp://localhost.example.org', { requireTls: true }],
    ['smtp://127.example.org', { requireTls: true }],
    ['smtp://[2001:db8::1]', { host: '2001:db8::1', requireTls: true }],
    ['smtp://mail_pit:1025?requireTLS=false', { host: 'mail_pit' }],
  ])('%s is read', (text, server) => {
    expect(readSmtpUrl(text)).toMatchObject(server)
  })

  it.each([
    ['', 'write it as'],
    ['mail.example.org:587', 'write it as'],
    ['http://mail.example.org', 'write it as'],
    ['smtp://', 'write it as'],
    ['smtp:mail.example.org', 'write it as'],
    ['smtp://mail.example.org:70000', 'write it as'],
    ['smtp://mail.example.org:0', 'a port from 1 to 65535'],
    ['smtp://mail.example.org/in', 'nothing after the port'],
    ['smtp://mail.example.org#x', 'nothing after the port'],
    ['smtp://m%0d%0ail.example.org', 'plain letters'],
    ['smtp://ada@mail.example.org', 'both user and password'],
    ['smtp://:secret@mail.example.org', 'both user and password'],
    ['smtp://ada:sec%ret@mail.example.org', 'every %'],
    ['smtp://mail.example.org?tls=no', 'only requireTLS and allowInvalidCertificate'],
    ['smtp://mail.example.org?requireTLS=no', 'requireTLS is true or false'],
    ['smtps://mail.example.org?requireTLS=false', 'leave out requireTLS=false'],
  ])('%s is refused with a sentence that holds no password', (text, sentence) => {
    expect(() => readSmtpUrl(text)).toThrow(sentence)
    expect(() => readSmtpUrl(text)).not.toThrow(/sec%?ret/)
  })
})
