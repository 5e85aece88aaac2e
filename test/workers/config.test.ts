/** The settings: what they are when nothing is set, and what is said of each that cannot be used. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig, UnusableSettings } from '../../workers/config.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'

const faultsOf = (settings: Record<string, string>): string[] => {
  try {
    readConfig(settings)
  } catch (error) {
    if (error instanceof UnusableSettings) return error.faults
    throw error
  }
  return []
}

const PRODUCTION = {
  NODE_ENV: 'production',
  BASE_URL: 'https://round.example.org',
  DATABASE_URL: 'postgres://round:secret@db.example.org/round',
  SECRET_KEY: 'a'.repeat(64),
  SMTP_URL: 'smtp://round:secret@mail.example.org:587',
  POSTAL_ADDRESS: '1 Example Street, London',
  MAIL_FROM: 'Paper Round <round@example.org>',
}

describe('without any setting', () => {
  test('everything is embedded and stays on this machine', () => {
    expect(readConfig({})).toEqual({
      production: false,
      databaseUrl: null,
      redisUrl: null,
      smtpUrl: null,
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
      relevanceModel: null,
      trustProxy: [],
      logLevel: 'info',
      mailboxPort: 8025,
      healthPort: null,
      onUnknown: 'resend',
      adminToken: null,
      keepDeliveries: 90,
      clock: null,
      bounceDomain: null,
      bounces: null,
      webhooks: { ses: null, postmark: null, mailgun: null, sendgrid: null },
    })
  })

  test('an empty variable counts as none, as docker-compose sets those that were left out', () => {
    const names = 'DATABASE_URL REDIS_URL SMTP_URL BASE_URL HOST PORT SECRET_KEY MAIL_FROM TRUST_PROXY CLOCK DATA_DIR'
    expect(readConfig(Object.fromEntries(names.split(' ').map((name) => [name, ''])))).toEqual(readConfig({}))
  })
})

describe('usable settings', () => {
  test('are read as they are meant', () => {
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

  test.each(
    (
      'cs cs.CL stat.ML eess.AS q-bio.NC q-fin.CP math.AG nlin.CD gr-qc hep-ex astro-ph.GA cond-mat.str-el ' +
      'cond-mat.mtrl-sci cond-mat.quant-gas cond-mat.soft cond-mat.other physics.optics physics.plasm-ph physics.data-an'
    ).split(' '),
  )('%s is a category of arXiv', (category) => {
    expect(readConfig({ PAPER_SOURCES: `arxiv:${category}` }).sources).toEqual([
      { kind: 'arxiv', categories: [category] },
    ])
  })

  test('links lead to the port that is set', () => {
    expect(readConfig({ PORT: '3000' }).baseUrl).toBe('http://localhost:3000')
  })

  test('a clock is an instant with its offset', () => {
    expect(readConfig({ CLOCK: '2026-04-14T07:00:00+02:00' }).clock).toEqual(new Date('2026-04-14T05:00:00Z'))
  })

  test('letters come from the sender of the digests, or from one of their own', () => {
    expect(readConfig({ MAIL_FROM: 'round@example.org' }).lettersFrom).toEqual({
      name: 'Paper Round',
      address: 'round@example.org',
    })
    const own = readConfig({ MAIL_FROM: 'round@example.org', LETTERS_FROM: 'Paper Round <hello@letters.example.org>' })
    expect(own.mailFrom.address).toBe('round@example.org')
    expect(own.lettersFrom).toEqual({ name: 'Paper Round', address: 'hello@letters.example.org' })
  })

  test('a sender’s name may hold anything that people are called', () => {
    expect(readConfig({ MAIL_FROM: 'Ada’s Päper Round <ada@example.org>' }).mailFrom.name).toBe('Ada’s Päper Round')
  })
})

describe('a setting that cannot be used', () => {
  test.each([
    ['DATABASE_URL', 'not a url'],
    ['DATABASE_URL', 'mysql://host/db'],
    ['DATABASE_URL', 'postgres:///db'],
    ['SMTP_URL', 'mail.example.org:587'],
    ['SMTP_URL', 'http://mail.example.org'],
    ['SMTP_URL', 'smtp://mail.example.org:99999'],
    ['BASE_URL', 'round.example.org'],
    ['BASE_URL', 'ftp://round.example.org'],
    ['BASE_URL', 'https://round.example.org/?a=b'],
    ['PORT', 'http'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['MAILBOX_PORT', '8025/tcp'],
    ['ON_UNKNOWN', 'ignore'],
    ['ADMIN_TOKEN', 'hunter2'],
    ['SECRET_KEY', 'hunter2'],
    ['SECRET_KEY_PREVIOUS', 'b'.repeat(64)],
    ['MAIL_FROM', 'Paper Round'],
    ['LETTERS_FROM', 'Paper Round'],
    ['MAIL_FROM', 'Paper Round <round@example.org>, Other <other@example.org>'],
    ['MAIL_FROM', 'Paper\r\nBcc: all@example.org <round@example.org>'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '1'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', 'loopback'],
    ['LOG_LEVEL', 'verbose'],
    ['PAPER_SOURCES', 'huggingface,medium'],
    ['PAPER_SOURCES', 'file:'],
    ['PAPER_SOURCES', 'huggingface,'],
    ['PAPER_SOURCES', 'huggingface:cs.CL'],
    ['PAPER_SOURCES', 'arxiv'],
    ['PAPER_SOURCES', 'arxiv:'],
    ['PAPER_SOURCES', 'arxiv:cs.CL+'],
    ['PAPER_SOURCES', 'arxiv:cs.cl'],
    ['PAPER_SOURCES', 'arxiv:cs.CL/../../secret'],
    ['PAPER_SOURCES', 'arxiv:cs.CL cs.LG'],
    ['CLOCK', '2026-04-14 05:00'],
    ['CLOCK', '2026-04-14T05:00:00'],
    ['CLOCK', '2026-02-31T05:00:00Z'],
    ['CLOCK', 'tomorrow'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'http://localhost:6379'],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })

  test('does not hide the others: all are named at the same time', () => {
    const faults = faultsOf({ PORT: 'x', TRUST_PROXY: 'true', BASE_URL: 'x', REDIS_URL: 'x' })
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'BASE_URL', 'REDIS_URL', 'TRUST_PROXY'])
  })

  test('of the mail server needs a sender with it', () => {
    expect(faultsOf({ SMTP_URL: 'smtp://localhost:2525' })).toEqual([expect.stringMatching(/^MAIL_FROM: /)])
  })

  test('of the sample does not go with a mail server: nobody is sent what ships with the project', () => {
    const settings = { SMTP_URL: 'smtp://localhost:2525', MAIL_FROM: 'round@example.org' }
    expect(faultsOf(settings)).toEqual([])
    expect(faultsOf({ ...settings, PAPER_SOURCES: 'sample' })).toEqual([expect.stringMatching(/^PAPER_SOURCES: /)])
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

  test('never makes reading it fail in another way', () => {
    const names = ['DATABASE_URL', 'SMTP_URL', 'BASE_URL', 'PORT', 'MAIL_FROM', 'TRUST_PROXY', 'PAPER_SOURCES', 'CLOCK']
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string(), (name, value) => {
        expect(Array.isArray(faultsOf({ [name]: value }))).toBe(true)
      }),
    )
  })
})

describe('the settings of DKIM', () => {
  const pem = generateKeyPairSync('rsa', { modulusLength: 1024 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const settings = {
    MAIL_FROM: 'Paper Round <round@news.example.org>',
    DKIM_DOMAIN: 'example.org',
    DKIM_SELECTOR: 'round2026',
    DKIM_PRIVATE_KEY: pem,
  }

  test('take the key itself, the key in one line, or the path of its file', async () => {
    await using folder = await openTestFolder()
    const file = join(folder.path, 'dkim.pem')
    await writeFile(file, pem)
    for (const key of [pem, pem.replaceAll('\n', '\\n'), file]) {
      const { dkim } = readConfig({ ...settings, DKIM_PRIVATE_KEY: key })
      expect(dkim).toMatchObject({ domain: 'example.org', selector: 'round2026' })
      expect(dkim?.privateKey.export({ type: 'pkcs8', format: 'pem' })).toBe(pem)
    }
  })

  test.each(['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY'])('without %s are not complete', (name) => {
    expect(faultsOf({ ...settings, [name]: '' })).toEqual([expect.stringMatching(new RegExp(`^${name}: needed`))])
  })

  test('sign letters at a domain of their own, with the same key, or else at the same one', () => {
    const apart = { ...settings, LETTERS_FROM: 'hello@letters.example.net', LETTERS_DKIM_DOMAIN: 'letters.example.net' }
    expect(readConfig(apart)).toMatchObject({
      dkim: { domain: 'example.org', selector: 'round2026' },
      lettersDkim: { domain: 'letters.example.net', selector: 'round2026' },
    })
    expect(readConfig(settings).lettersDkim).toEqual(readConfig(settings).dkim)
    expect(faultsOf({ ...apart, LETTERS_DKIM_DOMAIN: '' })).toEqual([
      expect.stringMatching(/^DKIM_DOMAIN: is not aligned with letters\.example\.net, the domain of LETTERS_FROM/),
    ])
    expect(faultsOf({ ...settings, LETTERS_DKIM_DOMAIN: 'letters.example.org' })).toEqual([
      expect.stringMatching(/^LETTERS_DKIM_DOMAIN: goes with LETTERS_FROM/),
    ])
    expect(faultsOf({ ...apart, LETTERS_DKIM_DOMAIN: 'example.org' })).toEqual([
      expect.stringMatching(/^LETTERS_DKIM_DOMAIN: is not aligned with letters\.example\.net/),
    ])
  })

  test.each([
    ['DKIM_DOMAIN', 'example.net', /not aligned with news\.example\.org/],
    ['DKIM_DOMAIN', 'org', /not aligned/],
    ['DKIM_DOMAIN', 'https://example.org', /not a domain/],
    ['DKIM_SELECTOR', 'round; d=evil.example', /not a selector/],
    ['DKIM_PRIVATE_KEY', '/no/such/file.pem', /neither a private key/],
    ['DKIM_PRIVATE_KEY', pem.slice(0, 200), /no private key/],
    ['DKIM_PRIVATE_KEY', pem.split('\n')[1] ?? '', /neither a private key/],
  ])('%s=%j is named, and no key is repeated', (name, value, reason) => {
    const faults = faultsOf({ ...settings, [name]: value })
    expect(faults).toEqual([expect.stringMatching(reason)])
    expect(faults[0]).toMatch(new RegExp(`^${name}: `))
    expect(faults[0]).not.toContain(pem.split('\n')[1]?.slice(0, 20))
  })

  test.each(['example.org', 'news.example.org', 'mail.example.org'])(
    '%s is aligned with news.example.org',
    (domain) => {
      expect(faultsOf({ ...settings, DKIM_DOMAIN: domain })).toEqual([])
    },
  )
})

describe('in production', () => {
  test('complete settings are accepted', () => {
    expect(faultsOf(PRODUCTION)).toEqual([])
  })

  test('each setting that is missing is named, all at once', () => {
    expect(faultsOf({ NODE_ENV: 'production' }).map((fault) => fault.split(':')[0])).toEqual([
      'BASE_URL',
      'DATABASE_URL',
      'SECRET_KEY',
      'SMTP_URL',
      'POSTAL_ADDRESS',
      'MAIL_FROM',
    ])
  })

  test.each(
    (
      'http://round.example.org https://localhost https://round.localhost https://10.0.0.1 https://203.0.113.7 ' +
      'https://[::1] https://[2001:db8::1] https://intranet https://intranet. https://round.local https://round.lan ' +
      'https://round.internal https://round.corp.test https://round.home.arpa https://round.invalid https://co.uk'
    ).split(' '),
  )('links to %s would lead readers nowhere', (baseUrl) => {
    const faults = faultsOf({ ...PRODUCTION, BASE_URL: baseUrl })
    expect(faults).toEqual([expect.stringMatching(/^BASE_URL: needed in production as a public https [^\n]+$/)])
  })

  test.each(['https://round.example.org', 'https://round.example.org:8443/news', 'https://café.example.co.uk'])(
    'links to %s can be followed',
    (baseUrl) => {
      expect(faultsOf({ ...PRODUCTION, BASE_URL: baseUrl })).toEqual([])
    },
  )

  test.each(['round@localhost', 'round@intranet', 'round@round.local', 'round@round.internal', 'round@10.0.0.1'])(
    'a sender %s, whom nobody could answer, is named in one line',
    (address) => {
      for (const name of ['MAIL_FROM', 'LETTERS_FROM']) {
        const faults = faultsOf({ ...PRODUCTION, [name]: `Round <${address}>` })
        expect(faults.length).toBeGreaterThan(0)
        for (const fault of faults) expect(fault).toMatch(/^(?:MAIL|LETTERS)_FROM: [^\n]{20,}$/)
      }
    },
  )

  test('a mailbox for looking at is no mail server', () => {
    const faults = faultsOf({ ...PRODUCTION, SMTP_URL: 'smtp://mailpit:1025?requireTLS=false' })
    expect(faults).toEqual([expect.stringMatching(/^SMTP_URL: needed in production/)])
  })

  test('the clock cannot be set, nor the sample be sent', () => {
    expect(faultsOf({ ...PRODUCTION, CLOCK: '2026-04-14T05:00:00Z', PAPER_SOURCES: 'sample' })).toEqual([
      expect.stringMatching(/^CLOCK: /),
      expect.stringMatching(/^PAPER_SOURCES: /),
    ])
  })
})

describe('what comes back', () => {
  test('is taken under a domain, on a port', () => {
    const settings = { BOUNCE_DOMAIN: 'Bounces.Example.org', BOUNCES_PORT: '2525', BOUNCES_HOST: '0.0.0.0' }
    expect(readConfig(settings)).toMatchObject({
      bounceDomain: 'bounces.example.org',
      bounces: { host: '0.0.0.0', port: 2525 },
    })
  })

  test('needs the domain, and proofs that can be ones', () => {
    const settings = {
      BOUNCES_PORT: '2525',
      WEBHOOK_SES_TOPIC: 'arn:aws:sqs:eu-west-1:1:x',
      WEBHOOK_POSTMARK_LOGIN: 'hook:short',
      WEBHOOK_SENDGRID_KEY: 'bm8ga2V5',
    }
    const named = faultsOf(settings).map((fault) => fault.replace(/:.*/, ''))
    expect(named.sort()).toEqual([
      'BOUNCES_PORT',
      'WEBHOOK_POSTMARK_LOGIN',
      'WEBHOOK_SENDGRID_KEY',
      'WEBHOOK_SES_TOPIC',
    ])
    expect(faultsOf({ BOUNCE_DOMAIN: 'no domain' })).toHaveLength(1)
  })
})
