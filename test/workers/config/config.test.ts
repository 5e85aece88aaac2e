/** The configuration: what it is when nothing is set, and what is said of each setting that cannot be used. */
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UNBRANDED } from '../../../src/core/branding/branding.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf, PRODUCTION } from '../../support/fixtures/settings.ts'

describe('without any setting', () => {
  test('everything is embedded and stays on this machine', () => {
    expect(readConfig({})).toEqual({
      production: false,
      databaseUrl: null,
      servingDatabaseUrl: null,
      redisUrl: null,
      smtpUrl: null,
      smtpAuthority: null,
      smtpConnections: 18,
      relayCaps: { perSecond: null, perHour: null, perDay: null },
      baseUrl: 'http://localhost:8080',
      host: '127.0.0.1',
      port: 8080,
      dataDir: resolve('.data'),
      secretKeys: null,
      mailFrom: { name: 'Paper Round', address: 'round@localhost' },
      lettersFrom: { name: 'Paper Round', address: 'round@localhost' },
      postalAddress: null,
      dkim: null,
      lettersDkim: null,
      sources: [{ kind: 'huggingface' }],
      topics: DEFAULT_TOPICS,
      topicExamples: new Map(),
      relevanceModel: null,
      tracing: null,
      trustProxy: [],
      logLevel: 'info',
      mailboxPort: 8025,
      healthPort: null,
      onUnknown: 'resend',
      adminToken: null,
      admin: null,
      keepDeliveries: 90,
      retention: { unconfirmed: 7, leavers: 28, consent: 1095, clients: 180 },
      branding: UNBRANDED,
      replyTo: null,
      operatorName: 'Paper Round',
      contactEmail: 'round@localhost',
      minFreeSpace: 256_000_000,
      clock: null,
      signUpLimits: { client: 10, domain: 20, all: 300 },
      domainServers: null,
      bounceDomain: null,
      bounces: null,
      operatorEmail: null,
      alarmWebhook: null,
      webhooks: { ses: null, postmark: null, mailgun: null, sendgrid: null },
    })
  })

  test('an empty variable counts as not set, since docker-compose.yml sets those that were left out to nothing', () => {
    const names = 'DATABASE_URL REDIS_URL SMTP_URL BASE_URL HOST PORT SECRET_KEY MAIL_FROM TRUST_PROXY CLOCK DATA_DIR'
    expect(readConfig(Object.fromEntries(names.split(' ').map((name) => [name, ''])))).toEqual(readConfig({}))
  })
})

describe('settings that can be used', () => {
  test('are read together', () => {
    const config = readConfig({
      ...PRODUCTION,
      BASE_URL: 'https://round.example.org/news/',
      PORT: '0',
      SECRET_KEY_PREVIOUS: `${'b'.repeat(64)}, ${'c'.repeat(64)}`,
      PAPER_SOURCES: 'huggingface, arxiv:cs.CL+cs.LG+cs.CL+cond-mat.str-el, file:papers',
      TRUST_PROXY: '10.0.0.0/8,::1',
      MAIL_FROM: 'round@example.org',
    })
    expect(config).toMatchObject({
      baseUrl: 'https://round.example.org/news',
      port: 0,
      sources: [
        { kind: 'huggingface' },
        { kind: 'arxiv', categories: ['cs.CL', 'cs.LG', 'cond-mat.str-el'] },
        { kind: 'file', path: resolve('papers') },
      ],
      trustProxy: ['10.0.0.0/8', '::1'],
      mailFrom: { name: 'Paper Round', address: 'round@example.org' },
    })
    expect(config.secretKeys?.map((key) => key.toString('hex')[0])).toEqual(['a', 'b', 'c'])
  })

  test('a clock is an instant with its offset', () => {
    expect(readConfig({ CLOCK: '2026-04-14T07:00:00+02:00' }).clock).toEqual(new Date('2026-04-14T05:00:00Z'))
  })
})

describe('a setting that cannot be used', () => {
  test.each([
    ['LOG_LEVEL', 'verbose'],
    ['CLOCK', '2026-04-14 05:00'],
    ['CLOCK', '2026-04-14T05:00:00'],
    ['CLOCK', '2026-02-31T05:00:00Z'],
    ['CLOCK', 'tomorrow'],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })

  test('does not hide the others: all are named at the same time', () => {
    const faults = faultsOf({ PORT: 'x', TRUST_PROXY: 'true', BASE_URL: 'x', REDIS_URL: 'x' })
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'BASE_URL', 'TRUST_PROXY', 'REDIS_URL'])
  })

  test('is never repeated where it may hold a password', () => {
    const secret = fc.string({ minLength: 4, maxLength: 20, unit: fc.constantFrom(...'xyzXYZ789') })
    fc.assert(
      fc.property(secret, fc.constantFrom('postgres', 'smtp', 'mysql', 'nonsense'), (password, scheme) => {
        const faults = faultsOf({
          DATABASE_URL: `${scheme}://round:${password}@ho st/db`,
          SMTP_URL: `${scheme}://round:${password}@ho st:0`,
          REDIS_URL: `${scheme}://:${password}@ho st`,
          BASE_URL: `https://round:${password}@example.org`,
          SECRET_KEY: password,
          SECRET_KEY_PREVIOUS: password,
        })
        expect(faults.length).toBeGreaterThanOrEqual(5)
        expect(faults.join('\n')).not.toContain(password)
      }),
    )
  })

  test('is reported as a fault, whatever it holds', () => {
    const names = ['DATABASE_URL', 'SMTP_URL', 'BASE_URL', 'PORT', 'MAIL_FROM', 'TRUST_PROXY', 'PAPER_SOURCES', 'CLOCK']
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string(), (name, value) => {
        expect(Array.isArray(faultsOf({ [name]: value }))).toBe(true)
      }),
    )
  })
})
