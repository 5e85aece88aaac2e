/** The checkup against DNS, a relay, a site and stores of which one fails at a time. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { evaluateSpf } from '../../src/adapters/checkup/spf.ts'
import type { Check } from '../../src/core/checkup/check.ts'
import type { DatabaseServer } from '../../src/core/checkup/database.ts'
import { dkimRecordOf } from '../../src/core/checkup/dkim.ts'
import type { SiteResponse } from '../../src/core/checkup/site.ts'
import { type CheckupPorts, type CheckupSubject, examine } from '../../src/newsletter/checkup.ts'
import { createZoneLookup, type Zone } from '../support/servers/dns-zone.ts'

const NOW = new Date('2026-04-15T12:00:00Z')
const LATER = new Date('2026-07-01T00:00:00Z')
/** Of a block for documentation: it is named by the operator, so it need not be public. */
const OURS = '203.0.113.7'

const rsa = (bits: number): KeyObject => generateKeyPairSync('rsa', { modulusLength: bits }).publicKey
const KEY = { domain: 'example.org', selector: 'round', publicKey: rsa(2048) }
const recordOf = (key: typeof KEY): string =>
  [...dkimRecordOf(key).matchAll(/"([^"]*)"/g)].map((part) => part[1]).join('')

const ZONE: Zone = {
  'example.org MX': [{ priority: 10, exchange: 'mx.example.org' }],
  'example.org TXT': [['a=word of somebody else'], [`v=spf1 ip4:${OURS} ~all`]],
  '_dmarc.example.org TXT': [['v=DMARC1; p=none; rua=mailto:dmarc@example.org']],
  'round._domainkey.example.org TXT': [[recordOf(KEY).slice(0, 200), recordOf(KEY).slice(200)]],
  [`${OURS} PTR`]: ['relay.example.org'],
  'relay.example.org A': [OURS],
}

const MAIL: NonNullable<CheckupSubject['mail']> = {
  relay: {
    host: 'relay.example.org',
    port: 587,
    implicitTls: false,
    requireTls: true,
    verifyCertificate: true,
    login: { user: 'ada', password: 'a word of hers' },
  },
  loopback: false,
  from: 'round@example.org',
  lettersFrom: 'round@example.org',
  bounceDomain: null,
  dkim: KEY,
  lettersDkim: KEY,
  sendsFrom: [OURS],
  postalAddress: '1 Example Street, London',
}
const SUBJECT: CheckupSubject = {
  mail: MAIL,
  baseUrl: 'https://round.example.org',
  production: true,
  secretKey: { from: 'setting', newest: Buffer.from(Array.from({ length: 32 }, (_, at) => 7 * at)) },
  connections: 44,
}
const SERVER: DatabaseServer = {
  version: 180_004,
  versionText: '18.4',
  fsync: 'on',
  synchronousCommit: 'on',
  fullPageWrites: 'on',
  connections: 97,
  name: 'paper_round',
  collation: { recorded: '2.36', actual: '2.36' },
}
const page = (status: number, body: string, headers = {}): SiteResponse => ({
  failed: null,
  status,
  headers: { date: NOW.toUTCString(), ...headers },
  body,
  certificateUntil: LATER,
})
const HEALTHY = page(200, '{"status":"ok"}')
const DEAD_LINK = page(404, '<h1>This link no longer works</h1>')

interface Circumstances extends Partial<Omit<CheckupPorts, 'visit'>> {
  mail?: Partial<typeof MAIL>
  subject?: Partial<CheckupSubject>
  zone?: Zone
  healthz?: SiteResponse
  oneClick?: SiteResponse
  server?: Partial<DatabaseServer & { clock: Date }>
}

const checkup = async (circumstances: Circumstances = {}): Promise<Record<string, Check>> => {
  const { mail, subject, zone, healthz = HEALTHY, oneClick = DEAD_LINK, server, ...ports } = circumstances
  const lookup = createZoneLookup({ ...ZONE, ...zone })
  const checks = await examine(
    { ...SUBJECT, mail: { ...MAIL, ...mail }, ...subject },
    {
      now: () => NOW,
      lookup,
      evaluateSpf: (domain, address) => evaluateSpf(lookup, domain, address),
      visitRelay: async () => ({ failed: null, secure: true, certificateUntil: LATER }),
      readThrottledRelay: async () => null,
      visit: async (_, method) => (method === 'GET' ? healthz : oneClick),
      readHold: async () => null,
      readServer: async () => ({ ...SERVER, clock: NOW, ...server }),
      requireSchema: async () => undefined,
      examineRedis: async () => ({ error: null, notice: null }),
      readSpace: async () => ({ free: 10_000_000_000, least: 256_000_000 }),
      ...ports,
    },
  )
  return Object.fromEntries(checks.map((check) => [check.name, check]))
}

const bad = (checks: Record<string, Check>) => Object.values(checks).filter(({ status }) => status !== 'ok')

test('a service that is held is told, with what ends the hold', async () => {
  const { database } = await checkup({ readHold: async () => 'the service is held since noon (a test)' })
  expect(database).toMatchObject({
    status: 'wrong',
    found: expect.stringContaining('held since noon'),
    mend: expect.stringContaining('service resume'),
  })
})

test('where all is in order nothing is found', async () => {
  const checks = await checkup()
  expect(bad(checks)).toEqual([])
  expect(Object.keys(checks)).toEqual(
    'mode,postal address,secret key,relay,sender,spf,dkim,dmarc,ptr,site,one-click unsubscribe,database,schema,durability,collation,connections,clock,disk space,queue'.split(
      ',',
    ),
  )
})

const txt = (...texts: string[]): string[][] => texts.map((text) => [text])
const includes = Object.fromEntries(
  Array.from({ length: 11 }, (_, at) => [`i${at}.example.net TXT`, txt('v=spf1 ip4:198.51.100.1 -all')]),
)
const weak = { ...KEY, publicKey: rsa(1024) }
const broken = { ...KEY, publicKey: rsa(512) }
const PUBLISHED = recordOf(KEY).slice(0, 255)
const REST = recordOf(KEY).slice(255)

/** What is wrong, the check that tells, its status, and what its mend holds. */
const FAILURES: [string, Circumstances, string, Check['status'], string][] = [
  [
    'there is no SPF record',
    { zone: { 'example.org TXT': txt('hello') } },
    'spf',
    'wrong',
    `example.org. IN TXT "v=spf1 ip4:${OURS} ~all"`,
  ],
  [
    'there are two SPF records',
    { zone: { 'example.org TXT': txt(`v=spf1 ip4:${OURS} -all`, 'v=spf1 mx ~all') } },
    'spf',
    'wrong',
    `"v=spf1 ip4:${OURS} mx -all"`,
  ],
  [
    'SPF does not let us send',
    { zone: { 'example.org TXT': txt('v=spf1 ip4:198.51.100.1 -all') } },
    'spf',
    'wrong',
    `"v=spf1 ip4:198.51.100.1 ip4:${OURS} -all"`,
  ],
  [
    'SPF takes more than ten lookups',
    {
      zone: {
        ...includes,
        'example.org TXT': txt(
          `v=spf1 ip4:${OURS} ${Object.keys(includes)
            .map((key) => `include:${key.split(' ')[0]}`)
            .join(' ')} ~all`,
        ),
      },
    },
    'spf',
    'wrong',
    'instead of include:',
  ],
  [
    'SPF includes what is not there',
    { zone: { 'example.org TXT': txt(`v=spf1 include:gone.example.net ip4:${OURS} ~all`) } },
    'spf',
    'wrong',
    'the error names',
  ],
  [
    'SPF is misspelt',
    { zone: { 'example.org TXT': txt(`v=spf1 ipv4:${OURS} ~all`) } },
    'spf',
    'wrong',
    `"v=spf1 ip4:${OURS} ~all"`,
  ],
  ['SPF lets everybody send', { zone: { 'example.org TXT': txt(`v=spf1 ip4:${OURS} +all`) } }, 'spf', 'wrong', '~all"'],
  [
    'SPF says nothing of others',
    { zone: { 'example.org TXT': txt(`v=spf1 ip4:${OURS}`) } },
    'spf',
    'warn',
    `"v=spf1 ip4:${OURS} ~all"`,
  ],
  [
    'SPF goes by names',
    { zone: { 'example.org TXT': txt(`v=spf1 ip4:${OURS} ptr ~all`) } },
    'spf',
    'warn',
    `"v=spf1 ip4:${OURS} ~all"`,
  ],
  ['the lookup of SPF fails', { zone: { 'example.org TXT': 'failed' } }, 'spf', 'wrong', '--name-server'],
  [
    'the lookup of what SPF includes fails',
    { zone: { 'example.org TXT': txt('v=spf1 include:a.example.net ~all'), 'a.example.net TXT': 'failed' } },
    'spf',
    'wrong',
    '--name-server',
  ],
  [
    'the known relay is not included',
    {
      mail: { sendsFrom: [], relay: { ...MAIL.relay, host: 'email-smtp.eu-west-1.amazonaws.com' } },
      zone: {
        'email-smtp.eu-west-1.amazonaws.com A': ['45.33.0.9'],
        '45.33.0.9 PTR': ['a.example.net'],
        'a.example.net A': ['45.33.0.9'],
      },
    },
    'spf',
    'wrong',
    'include:amazonses.com',
  ],
  [
    'the key is not published',
    { zone: { 'round._domainkey.example.org TXT': [] } },
    'dkim',
    'wrong',
    `round._domainkey.example.org. IN TXT "${PUBLISHED}" "${REST}"`,
  ],
  [
    'the key is that of another',
    { zone: { 'round._domainkey.example.org TXT': txt(recordOf({ ...KEY, publicKey: rsa(2048) })) } },
    'dkim',
    'wrong',
    `"${PUBLISHED}" "${REST}"`,
  ],
  [
    'the key is published twice',
    { zone: { 'round._domainkey.example.org TXT': txt(recordOf(KEY), recordOf(weak)) } },
    'dkim',
    'wrong',
    PUBLISHED,
  ],
  [
    'the key is revoked',
    { zone: { 'round._domainkey.example.org TXT': txt('v=DKIM1; p=') } },
    'dkim',
    'wrong',
    PUBLISHED,
  ],
  [
    'the key is damaged',
    { zone: { 'round._domainkey.example.org TXT': txt('v=DKIM1; p=MIIB') } },
    'dkim',
    'wrong',
    PUBLISHED,
  ],
  [
    'the key is for SHA-1',
    { zone: { 'round._domainkey.example.org TXT': txt(recordOf(KEY).replace('; p', '; h=sha1; p')) } },
    'dkim',
    'wrong',
    PUBLISHED,
  ],
  [
    'the key is only tried out',
    { zone: { 'round._domainkey.example.org TXT': txt(recordOf(KEY).replace('; p', '; t=y:s; p')) } },
    'dkim',
    'warn',
    PUBLISHED,
  ],
  [
    'the key is short',
    { mail: { dkim: weak }, zone: { 'round._domainkey.example.org TXT': txt(recordOf(weak)) } },
    'dkim',
    'warn',
    'openssl genrsa -out dkim.pem 2048',
  ],
  [
    'the key is too short',
    { mail: { dkim: broken }, zone: { 'round._domainkey.example.org TXT': txt(recordOf(broken)) } },
    'dkim',
    'wrong',
    'openssl genrsa -out dkim.pem 2048',
  ],
  [
    'the lookup of the key fails',
    { zone: { 'round._domainkey.example.org TXT': 'failed' } },
    'dkim',
    'wrong',
    '--name-server',
  ],
  [
    'there is no policy',
    { zone: { '_dmarc.example.org TXT': txt('hello') } },
    'dmarc',
    'wrong',
    '_dmarc.example.org. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"',
  ],
  [
    'there are two policies',
    { zone: { '_dmarc.example.org TXT': txt('v=DMARC1; p=none', 'v=DMARC1; p=reject') } },
    'dmarc',
    'wrong',
    '_dmarc.example.org. IN TXT "v=DMARC1; p=none"',
  ],
  [
    'the policy asks for nothing',
    { zone: { '_dmarc.example.org TXT': txt('v=DMARC1; rua=mailto:a@example.org') } },
    'dmarc',
    'wrong',
    'p=none',
  ],
  [
    'the lookup of the policy fails',
    { zone: { '_dmarc.example.org TXT': 'failed' } },
    'dmarc',
    'wrong',
    '--name-server',
  ],
  ['answers are lost', { zone: { 'example.org MX': [] } }, 'sender', 'wrong', 'example.org. IN MX 10'],
  [
    'the sender takes no mail',
    { zone: { 'example.org MX': [{ priority: 0, exchange: '' }] } },
    'sender',
    'wrong',
    'example.org. IN MX 10',
  ],
  [
    'the lookup of who takes replies fails',
    { zone: { 'example.org MX': 'failed' } },
    'sender',
    'wrong',
    '--name-server',
  ],
  ['our address has no name', { zone: { [`${OURS} PTR`]: [] } }, 'ptr', 'wrong', `PTR record`],
  [
    'our address has the name of another',
    { zone: { 'relay.example.org A': ['198.51.100.1'] } },
    'ptr',
    'wrong',
    `PTR record`,
  ],
  ['the lookup of our address fails', { zone: { [`${OURS} PTR`]: 'failed' } }, 'ptr', 'wrong', '--name-server'],
  [
    'the relay is away',
    { visitRelay: async () => ({ failed: { kind: 'unreachable', stage: 'connect', reason: 'ECONNREFUSED' } }) },
    'relay',
    'wrong',
    'SMTP_URL: correct host and port',
  ],
  [
    'the relay has a certificate of a private authority',
    {
      visitRelay: async () => ({
        failed: { kind: 'unreachable', stage: 'tls', reason: 'self-signed certificate in certificate chain' },
      }),
    },
    'relay',
    'wrong',
    'SMTP_CA_FILE',
  ],
  [
    'the relay has a bad certificate',
    { visitRelay: async () => ({ failed: { kind: 'unreachable', stage: 'tls', reason: 'certificate has expired' } }) },
    'relay',
    'wrong',
    'certificate',
  ],
  [
    'the relay refuses the login',
    {
      visitRelay: async () => ({
        failed: { kind: 'refused', permanent: true, stage: 'auth', code: 535, enhanced: null, reply: '535 No' },
      }),
    },
    'relay',
    'wrong',
    'SMTP_URL: correct user and password',
  ],
  [
    'the relay has a quota, and says so when it is visited',
    {
      visitRelay: async () => ({
        failed: {
          kind: 'refused',
          permanent: true,
          stage: 'auth',
          code: 550,
          enhanced: null,
          reply: '550 Daily sending quota exceeded',
        },
      }),
    },
    'relay',
    'wrong',
    'SMTP_URL is right: the mail server says that our limit is reached',
  ],
  [
    'the relay has a quota, and said so to a mailer',
    { readThrottledRelay: async () => ({ cause: 'quota', reason: 'refused at rcpt: 550 Quota', since: NOW }) },
    'relay',
    'warn',
    'the mail server says that our limit is reached: wait, or have its provider raise the limit',
  ],
  [
    'the relay is without TLS',
    { visitRelay: async () => ({ failed: null, secure: false, certificateUntil: null }) },
    'relay',
    'wrong',
    'leave out ?requireTLS=false',
  ],
  [
    'the certificate of the relay is not verified',
    { visitRelay: async () => ({ failed: null, secure: true, certificateUntil: null }) },
    'relay',
    'warn',
    'allowInvalidCertificate',
  ],
  [
    'the certificate of the relay ends soon',
    { visitRelay: async () => ({ failed: null, secure: true, certificateUntil: new Date('2026-04-20T00:00:00Z') }) },
    'relay',
    'warn',
    'renew',
  ],
  [
    'looking at the relay fails',
    { visitRelay: () => Promise.reject(new Error('odd')) },
    'relay',
    'wrong',
    'look again',
  ],
  ['the site is away', { healthz: { failed: 'ENOTFOUND' } }, 'site', 'wrong', 'correct BASE_URL'],
  ['the site is something else', { healthz: page(200, '<html>') }, 'site', 'wrong', 'correct BASE_URL'],
  ['the site is ill', { healthz: page(502, '') }, 'site', 'wrong', 'proxy'],
  [
    'the site is without TLS',
    { healthz: { ...HEALTHY, certificateUntil: null } as SiteResponse },
    'site',
    'wrong',
    'BASE_URL=https://',
  ],
  [
    'the certificate of the site ends soon',
    { healthz: { ...HEALTHY, certificateUntil: NOW } as SiteResponse },
    'site',
    'warn',
    'renew',
  ],
  [
    'one-click is redirected',
    { oneClick: page(302, '', { location: '/login' }) },
    'one-click unsubscribe',
    'wrong',
    'no redirect',
  ],
  [
    'one-click gets a cookie',
    { oneClick: page(404, 'This link no longer works', { 'set-cookie': ['a=b'] }) },
    'one-click unsubscribe',
    'wrong',
    'cookies',
  ],
  [
    'one-click meets a challenge of the proxy',
    { oneClick: page(403, 'Prove that you are human') },
    'one-click unsubscribe',
    'wrong',
    'no challenge',
  ],
  [
    'the database is away',
    { readServer: () => Promise.reject(new Error('connect ECONNREFUSED')) },
    'database',
    'wrong',
    'DATABASE_URL',
  ],
  ['the database is old', { server: { version: 140_010, versionText: '14.10' } }, 'database', 'wrong', 'Postgres 15'],
  [
    'the schema is old',
    { requireSchema: () => Promise.reject(new Error('the database lacks 0004')) },
    'schema',
    'wrong',
    'node workers/main.ts migrate',
  ],
  [
    'fsync is off',
    { server: { fsync: 'off' } },
    'durability',
    'wrong',
    'alter system set fsync = on; select pg_reload_conf();',
  ],
  [
    'synchronous_commit is off',
    { server: { synchronousCommit: 'off' } },
    'durability',
    'wrong',
    'alter system set synchronous_commit = on;',
  ],
  ['there are few connections', { server: { connections: 20 } }, 'connections', 'wrong', 'max_connections = 100'],
  [
    'the clock of the database is another',
    { server: { clock: new Date('2026-04-15T12:05:00Z') } },
    'clock',
    'wrong',
    'set-ntp',
  ],
  [
    'the clock of the site drifts',
    { healthz: page(200, '{"status":"ok"}', { date: 'Wed, 15 Apr 2026 11:59:50 GMT' }) },
    'clock',
    'warn',
    'set-ntp',
  ],
  [
    'the disk is nearly full',
    { readSpace: async () => ({ free: 40_000_000, least: 256_000_000 }) },
    'disk space',
    'wrong',
    'MIN_FREE_MB',
  ],
  [
    'the disk runs full',
    { readSpace: async () => ({ free: 400_000_000, least: 256_000_000 }) },
    'disk space',
    'warn',
    'move DATA_DIR',
  ],
  [
    'Redis evicts',
    { examineRedis: async () => ({ error: 'REDIS_URL: …; set: maxmemory-policy noeviction', notice: null }) },
    'queue',
    'wrong',
    'maxmemory-policy noeviction',
  ],
  [
    'Redis is away',
    { examineRedis: async () => ({ error: 'REDIS_URL: Redis does not answer', notice: null }) },
    'queue',
    'wrong',
    'start Redis',
  ],
  [
    'text is sorted by another version of the C library',
    { server: { collation: { recorded: '2.36', actual: '2.41' } } },
    'collation',
    'wrong',
    'REINDEX DATABASE "paper_round"; then ALTER DATABASE "paper_round" REFRESH COLLATION VERSION;',
  ],
  [
    'text is sorted by another C library, which tells no version',
    { server: { collation: { recorded: '2.36', actual: null } } },
    'collation',
    'wrong',
    'postgres:18-alpine',
  ],
  [
    'Redis forgets',
    { examineRedis: async () => ({ error: null, notice: 'Redis keeps nothing; set: appendonly yes' }) },
    'queue',
    'warn',
    'appendonly yes',
  ],
  ['there is no postal address', { mail: { postalAddress: null } }, 'postal address', 'wrong', 'POSTAL_ADDRESS='],
  [
    'the key can be guessed',
    { subject: { secretKey: { from: 'setting', newest: Buffer.alloc(32, 7) } } },
    'secret key',
    'wrong',
    'openssl rand -hex 32',
  ],
  [
    'the key lies in a folder',
    { subject: { secretKey: { from: 'file', newest: SUBJECT.secretKey?.newest ?? Buffer.of() } } },
    'secret key',
    'warn',
    'SECRET_KEY=',
  ],
  ['mail leaves for trying out', { subject: { production: false } }, 'mode', 'warn', 'NODE_ENV=production'],
  [
    'bounces are lost',
    { mail: { bounceDomain: 'b.example.org' }, zone: { 'b.example.org TXT': txt(`v=spf1 ip4:${OURS} ~all`) } },
    'bounces',
    'wrong',
    'b.example.org. IN MX 10',
  ],
  ['we do not sign', { mail: { dkim: null } }, 'dkim', 'warn', 'DKIM_DOMAIN=example.org'],
]

test.each(FAILURES)('where %s that is told, with what mends it', async (_, circumstances, name, status, mend) => {
  const checks = await checkup(circumstances)
  expect(checks[name]).toMatchObject({ status, found: expect.any(String), wrong: expect.any(String) })
  expect(checks[name]?.mend).toContain(mend)
  // One failure hides no other check, and affects few.
  expect(Object.keys(checks).length).toBeGreaterThanOrEqual(18)
  expect(bad(checks).length).toBeLessThanOrEqual(5)
})

describe('DMARC', () => {
  const key = (domain: string) => ({ dkim: { ...KEY, domain } })
  const from = { from: 'round@news.example.org', lettersFrom: 'round@news.example.org' }
  const dmarcOf = async (mail: object, policy: string) =>
    (await checkup({ mail, zone: { '_dmarc.example.org TXT': txt(policy) } })).dmarc

  test('of the organisation counts for its subdomains, and theirs before it', async () => {
    expect(await dmarcOf({ ...from, ...key('example.org') }, 'v=DMARC1; p=none')).toMatchObject({ status: 'ok' })
    const zone = { '_dmarc.news.example.org TXT': txt('v=DMARC1; p=nonsense') }
    expect((await checkup({ mail: { ...from, ...key('example.org') }, zone })).dmarc?.wrong).toContain('cannot be read')
  })

  test.each([
    ['v=DMARC1; p=none', 'example.org', 'ok'],
    ['v=DMARC1; p=none; adkim=s', 'example.org', 'warn'],
    ['v=DMARC1; p=none; adkim=s', 'news.example.org', 'ok'],
    ['v=DMARC1; p=none', 'example.net', 'warn'],
  ])('by %j with a signature of %s is %s', async (policy, signing, status) => {
    expect(await dmarcOf({ ...from, ...key(signing) }, policy)).toMatchObject({ status })
  })

  test('is passed by nothing where neither the envelope nor the signature is of the sender’s organisation', async () => {
    const mail = { ...key('example.net'), bounceDomain: 'bounces.example.net' }
    expect(await dmarcOf(mail, 'v=DMARC1; p=none')).toMatchObject({
      status: 'wrong',
      wrong: expect.stringContaining('neither'),
    })
  })
})

test.each([
  ['has none', { recorded: null, actual: null }],
  ['was not recorded', { recorded: null, actual: '2.41' }],
])('a collation whose version %s is no fault', async (_, collation) => {
  expect((await checkup({ server: { collation } })).collation).toMatchObject({ status: 'ok' })
})

test('a database with a quotation mark in its name is named in quotation marks', async () => {
  const { collation } = await checkup({ server: { name: 'a"b', collation: { recorded: '1', actual: '2' } } })
  expect(collation?.mend).toContain('REINDEX DATABASE "a""b";')
})

test('a second sender, of letters, is checked as well', async () => {
  const checks = await checkup({ mail: { lettersFrom: 'hello@letters.example.org' } })
  expect(checks['sender of letters']?.mend).toBe('letters.example.org. IN MX 10 <the server that takes its mail>.')
  expect(checks['spf of letters']).toMatchObject({ status: 'wrong', found: 'no SPF record at letters.example.org' })
  expect(checks['dmarc of letters']).toMatchObject({ status: 'ok' })
  expect(Object.keys(checks)).not.toContain('dkim of letters')
})

test('a second domain that signs letters is checked for the same key, and by DMARC of its own', async () => {
  const lettersDkim = { ...KEY, domain: 'letters.example.net' }
  const mail = { lettersFrom: 'hello@letters.example.net', lettersDkim, bounceDomain: 'bounces.example.org' }
  const without = await checkup({ mail })
  expect(without.dkim).toMatchObject({ status: 'ok' })
  expect(without['dkim of letters']).toMatchObject({ status: 'wrong', mend: dkimRecordOf(lettersDkim) })
  const zone = {
    'round._domainkey.letters.example.net TXT': txt(recordOf(KEY)),
    '_dmarc.example.net TXT': txt('v=DMARC1; p=none; rua=mailto:dmarc@example.net'),
  }
  const checks = await checkup({ mail, zone })
  expect(checks['dkim of letters']).toMatchObject({ status: 'ok' })
  // Its envelope is of another organisation: the signature alone counts.
  expect(checks['dmarc of letters']?.status).not.toBe('wrong')
})

test('a relay whose addresses are no secret of the record is covered by its own list', async () => {
  const zone = {
    'smtp.provider.net A': ['45.33.0.9'],
    '45.33.0.9 PTR': ['smtp.provider.net'],
    '_spf.provider.net TXT': txt('v=spf1 ip4:45.33.1.0/24 -all'),
    'example.org TXT': txt('v=spf1 include:_spf.provider.net ~all'),
  }
  const relay = { ...MAIL.relay, host: 'smtp.provider.net' }
  expect((await checkup({ mail: { sendsFrom: [], relay }, zone })).spf).toMatchObject({ status: 'ok' })
  const other = { ...MAIL.relay, host: 'smtp.other.net' }
  const unknown = { ...zone, 'smtp.other.net A': ['45.33.0.8'] }
  expect((await checkup({ mail: { sendsFrom: [], relay: other }, zone: unknown })).spf).toMatchObject({
    status: 'warn',
    mend: 'example.org. IN TXT "v=spf1 include:_spf.provider.net ip4:45.33.0.8 ~all"',
  })
})

test('a relay on this machine tells nothing of where mail leaves from', async () => {
  const checks = await checkup({ mail: { sendsFrom: [], loopback: true } })
  expect(checks.ptr).toMatchObject({ status: 'not looked at', found: expect.stringContaining('--sends-from') })
  expect(checks.spf).toMatchObject({ status: 'warn', mend: '--sends-from' })
})

test('where mail stays on this machine other systems are not checked', async () => {
  const subject = { mail: null, production: false, baseUrl: 'http://localhost:8080' }
  const checks = await checkup({ subject, examineRedis: null })
  expect(bad(checks).every(({ status }) => status === 'not looked at')).toBe(true)
  expect(checks.database).toMatchObject({ status: 'ok' })
})

test('what does not answer ends one check, and no other', async () => {
  vi.useFakeTimers()
  try {
    const never = () => new Promise<never>(() => undefined)
    const under = checkup({ visitRelay: never, readServer: never, examineRedis: never })
    await vi.advanceTimersByTimeAsync(15_000)
    const checks = await under
    for (const name of ['relay', 'database', 'queue'])
      expect(checks[name]).toMatchObject({ status: 'wrong', found: 'nothing within 15 s' })
    expect(checks.dkim).toMatchObject({ status: 'ok' })
  } finally {
    vi.useRealTimers()
  }
})
