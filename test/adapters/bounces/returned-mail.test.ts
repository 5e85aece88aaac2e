import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readReturnedMail } from '../../../src/adapters/bounces/returned-mail.ts'
import { readBounce } from '../../../src/core/bounces/bounce-mail.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const corpus = path.resolve(import.meta.dirname, '../../../../shared/data/bounces')
const table = readFileSync(path.join(import.meta.dirname, 'bounce-corpus.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => (line.split('#')[0] ?? '').trim().split(/\s+/) as [string, string, string, string])

const read = async (raw: string | Uint8Array) => readBounce(await readReturnedMail(Buffer.from(raw as string)))

/** A delivery report as a server of today writes it. */
const report = (fields: string, text = 'It could not be delivered.') =>
  [
    'From: MAILER-DAEMON@mx.example.net (Mail Delivery System)',
    'To: b@bounces.example.org',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="edge"',
    '',
    '--edge',
    'Content-Type: text/plain',
    '',
    text,
    '--edge',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    fields,
    '--edge',
    'Content-Type: text/rfc822-headers',
    '',
    'Message-ID: <1@example.org>',
    'Subject: Your papers',
    '--edge--',
    '',
  ].join('\r\n')

const failed = (status: string, diagnostic: string, action = 'failed') =>
  report(
    `Final-Recipient: rfc822; ada@example.net\r\nAction: ${action}\r\nStatus: ${status}\r\nDiagnostic-Code: smtp; ${diagnostic}`,
  )

const plain = (text: string, headers = 'From: MAILER-DAEMON@example.net\r\nSubject: failure notice') =>
  `${headers}\r\n\r\n${text}\r\n`

describe('A delivery report', () => {
  it.each([
    ['5.1.1', '550 5.1.1 <ada@example.net> User unknown', 'hard'],
    ['5.1.2', '550 host unknown', 'hard'],
    ['5.1.3', '501 bad syntax', 'hard'],
    ['5.1.6', '551 moved', 'hard'],
    ['5.1.10', '556 null MX', 'hard'],
    ['5.2.1', '550 mailbox disabled', 'hard'],
    ['5.2.2', '552 mailbox full', 'soft'],
    ['4.4.7', '450 expired', 'soft'],
    ['5.4.4', '550 cannot route', 'soft'],
    ['4.2.1', '450 User unknown for the moment', 'soft'],
    ['5.7.1', '550 User unknown', 'ours'],
    ['5.7.26', '550 DMARC', 'ours'],
    ['5.3.4', '552 too big', 'ours'],
    ['5.5.2', '500 syntax', 'ours'],
    ['5.6.3', '554 media', 'ours'],
    ['5.0.0', '550 No such user here', 'hard'],
    ['5.0.0', '554 rejected as spam', 'ours'],
    ['5.0.0', '554 over quota', 'soft'],
    ['5.0.0', '554 meow', 'soft'],
    ['5.0.0', '550 5.1.1 meow', 'hard'],
    ['5.1.1', '550 listed by Spamhaus', 'ours'],
    ['5.1.1', '550 the mailbox is full', 'soft'],
  ])('with %s and "%s" is %s', async (status, diagnostic, expected) => {
    expect(await read(failed(status, diagnostic))).toMatchObject({
      kind: 'bounce',
      class: expected,
      recipient: 'ada@example.net',
    })
  })

  it('of a delay is no bounce, whatever its code and words', async () => {
    expect(await read(failed('5.1.1', '550 User unknown', 'delayed'))).toMatchObject({ kind: 'delay', class: 'soft' })
  })

  it.each(['relayed', 'delivered', 'expanded'])('of a message %s is nothing', async (action) => {
    expect(await read(failed('2.1.5', '250 ok', action))).toMatchObject({ kind: 'none', class: null })
  })

  it('is not led astray by names: people and machines may be called anything', async () => {
    const words = '550 <user.unknown@no-such-user.example.net> mx.spamhaus-user-unknown.example.net said: meow'
    expect(await read(failed('5.0.0', words))).toMatchObject({ class: 'soft' })
  })

  it('reads the same with any line ends', async () => {
    const mail = failed('5.1.1', '550 5.1.1 gone')
    const expected = await read(mail)
    for (const ends of ['\n', '\r', '\r\n']) expect(await read(mail.replaceAll('\r\n', ends))).toEqual(expected)
  })
})

describe('A bounce in words', () => {
  it.each([
    ['<ada@example.net>:\r\nSorry, no mailbox here by that name. (#5.1.1)', 'hard', '5.1.1'],
    ['  ada@example.net\r\n    host mx [192.0.2.1]: 550 5.7.1 Message rejected as spam', 'ours', '5.7.1'],
    ['ada@example.net: account has been suspended, could not be delivered', 'hard', null],
    ['<ada@example.net>: 552 mailbox is full', 'soft', '552'],
    ['could not be delivered to ada@example.net: connection timed out', 'soft', null],
    ['ada@example.net: 554 relay access denied', 'ours', '554'],
    ['could not be delivered to ada@example.net', 'unknown', null],
  ])('%s', async (text, expected, code) => {
    expect(await read(plain(text))).toMatchObject({
      kind: 'bounce',
      class: expected,
      code,
      recipient: 'ada@example.net',
    })
  })

  it('is not judged by the message that it returns', async () => {
    const text =
      'could not be delivered to ada@example.net\r\n\r\nReturn-Path: <x@example.org>\r\nMessage-ID: <1@example.org>\r\nSubject: User unknown\r\n\r\n550 5.1.1 user unknown'
    expect(await read(plain(text))).toMatchObject({ kind: 'bounce', class: 'unknown', code: null })
  })

  it('that still is being tried is a delay', async () => {
    const text = 'THIS IS A WARNING MESSAGE ONLY. ada@example.net: 450 4.1.1 user unknown'
    expect(await read(plain(text))).toMatchObject({ kind: 'delay' })
  })
})

describe('What a person or their machine wrote', () => {
  const person = 'From: Ada <ada@example.net>'
  it.each([
    [`${person}\r\nSubject: Away\r\nAuto-Submitted: auto-replied`, 'User unknown, 550 5.1.1', 'auto-reply'],
    [`${person}\r\nSubject: Out of the office: Your papers`, 'I am away.', 'auto-reply'],
    [`${person}\r\nSubject: Re: Your papers\r\nX-Autoreply: yes`, 'My mailbox is full.', 'auto-reply'],
    [`${person}\r\nSubject: Abwesenheit`, 'Bis Montag.', 'auto-reply'],
    [`${person}\r\nSubject: Re: Your papers`, 'Thank you! 550 5.1.1 user unknown, by the way.', 'none'],
    ['From: postmaster@example.net\r\nSubject: Maintenance', 'We move house on Monday.', 'none'],
  ])('%s', async (headers, text, kind) => {
    expect(await read(plain(text, headers))).toMatchObject({ kind, class: null })
  })
})

describe('A complaint', () => {
  const token = `b-${'a'.repeat(40)}@bounces.example.org`
  const complaint = (type: string) =>
    `From: fbl@example.net\r\nSubject: report\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=e\r\n\r\n--e\r\n\r\nabuse\r\n--e\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: ${type}\r\nOriginal-Mail-From: <${token}>\r\nOriginal-Rcpt-To: <ada@example.net>\r\n--e\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@example.org>\r\nSubject: x\r\n\r\nbody\r\n--e--\r\n`

  it('names its type, and what of ours it is about', async () => {
    const reading = await read(complaint('abuse'))
    expect(reading).toMatchObject({ kind: 'complaint', class: null, feedback: 'abuse', recipient: 'ada@example.net' })
    expect(reading.marks).toEqual(expect.arrayContaining([token, '<1@example.org>']))
  })

  it('that says "not spam" is none', async () => {
    expect(await read(complaint('not-spam'))).toMatchObject({ kind: 'none' })
  })
})

describe('Whatever a stranger sends', () => {
  /** Processor time and not the clock's, so that a busy machine does not matter. */
  const costOf = async (raw: Uint8Array): Promise<number> => {
    const before = process.cpuUsage()
    await read(raw)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }

  it('is read in its first megabyte, however long it is', async () => {
    const long = Buffer.concat([Buffer.from(failed('5.1.1', '550 gone')), Buffer.alloc(10 * 1024 * 1024, 'x')])
    expect(await read(long)).toMatchObject({ kind: 'bounce', class: 'hard' })
    const late = Buffer.concat([
      Buffer.from('Subject: hello\r\n\r\n'),
      Buffer.alloc(2 * 1024 * 1024, ' x\n'),
      Buffer.from(failed('5.1.1', 'x')),
    ])
    expect(await read(late)).toMatchObject({ kind: 'none' })
  })

  const nested = (depth: number): string => {
    let inner =
      'Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;a@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n'
    for (let level = 0; level < depth; level++)
      inner = `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n${inner}\r\n--b${level}--\r\n`
    return `From: MAILER-DAEMON@example.net\r\nSubject: failure\r\n${inner}`
  }

  it.each([5, 20, 21, 500])('is read nested %i deep', async (depth) => {
    expect(await read(nested(depth))).toMatchObject({ kind: 'bounce', class: 'hard' })
  })

  it.each([
    ['spaces', Buffer.alloc(1024 * 1024, ' ')],
    ['line ends', Buffer.alloc(1024 * 1024, '\r\n')],
    ['at signs', Buffer.alloc(1024 * 1024, 'a@')],
    ['angle brackets', Buffer.alloc(1024 * 1024, '<')],
    ['codes', Buffer.from(plain('550 5.0.0 '.repeat(100_000)))],
    ['users', Buffer.from(plain('user mailbox account '.repeat(50_000)))],
    ['headers', Buffer.from('X: y\r\n'.repeat(170_000))],
    ['one header', Buffer.from(`Subject: ${'undeliver ed '.repeat(80_000)}\r\n\r\nx`)],
    [
      'tags',
      Buffer.from(
        `From: mailer-daemon@a.b\r\nSubject: failure\r\nContent-Type: text/html\r\n\r\n${'<style <'.repeat(120_000)}`,
      ),
    ],
    ['fields', Buffer.from(report('Action: failed\r\nStatus: 5.0.0\r\n\r\n'.repeat(25_000)))],
    [
      'folded fields',
      Buffer.from(
        report(`Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp;\r\n${' no such user \r\n'.repeat(50_000)}`),
      ),
    ],
    ['boundaries', Buffer.from(report('--edge\r\n'.repeat(100_000)))],
    ['dots', Buffer.from(plain('a.'.repeat(500_000)))],
    ['quotes', Buffer.from(plain('> '.repeat(500_000)))],
    ['links', Buffer.from(plain('http://a.b/c '.repeat(80_000)))],
  ])('costs less than two seconds of work: %s', async (_, raw) => {
    expect(await costOf(raw)).toBeLessThan(2_000)
  })

  it('never throws, nor costs much', async () => {
    const seeds = [failed('5.1.1', '550 5.1.1 gone'), plain('<a@example.net>: 550 user unknown'), nested(3)]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(
          fc.record({
            at: fc.nat(3_000),
            drop: fc.nat(80),
            insert: fc.oneof(
              fc.uint8Array({ maxLength: 20 }),
              fc.constantFrom('\r', '\n', '--edge', ':', '\0', '=?utf-8?b?', '"').map((text) => Buffer.from(text)),
            ),
          }),
          { maxLength: 12 },
        ),
        fc.nat(4_000),
        async (seed, changes, cut) => {
          let raw = Buffer.from(seed)
          for (const { at, drop, insert } of changes) {
            const place = at % (raw.length + 1)
            raw = Buffer.concat([raw.subarray(0, place), insert, raw.subarray(place + drop)])
          }
          const reading = await read(raw.subarray(0, cut))
          expect(['bounce', 'complaint', 'auto-reply', 'delay', 'none']).toContain(reading.kind)
          if (reading.kind !== 'bounce') expect(reading.class).not.toBe('hard')
        },
      ),
      { numRuns: propertyRuns(300) },
    )
  })
})

describe.skipIf(!existsSync(corpus))('The corpus (skipped where ../shared/data is absent)', () => {
  const readFile = (name: string) => read(readFileSync(path.join(corpus, `${name}.eml`)))

  it('reads as the table says', async () => {
    const found: string[][] = []
    for (const [name] of table) {
      const { kind, class: of, code } = await readFile(name)
      found.push([name, kind, of ?? '-', code ?? '-'])
    }
    expect(found).toEqual(table)
  })

  it('gives every delivery report a class, and none that is not a bounce a hard one', async () => {
    for (const [name] of table) {
      const raw = readFileSync(path.join(corpus, `${name}.eml`))
      const parts = await readReturnedMail(raw)
      const reading = readBounce(parts)
      const failing = parts.reports.some((each) => each.type === 'delivery-status' && /^action\s*:/im.test(each.text))
      if (failing) expect.soft(['hard', 'soft', 'ours'], name).toContain(reading.class)
      if (/^(?:rfc3834|arf|not)/.test(name)) expect.soft(reading.class, name).toBeNull()
    }
  })

  it('reads the same with any line ends', async () => {
    for (const [name] of table.slice(0, 120)) {
      const raw = readFileSync(path.join(corpus, `${name}.eml`), 'latin1').replace(/\r\n?/g, '\n')
      const [unix, dos, mac] = await Promise.all(
        ['\n', '\r\n', '\r'].map((ends) => read(Buffer.from(raw.replaceAll('\n', ends), 'latin1'))),
      )
      expect.soft(dos, name).toEqual(unix)
      expect.soft(mac, name).toEqual(unix)
    }
  })

  it('cut short anywhere never throws, and never makes a hard bounce of what is none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...table),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async ([name, kind], share) => {
          const raw = readFileSync(path.join(corpus, `${name}.eml`))
          const reading = await read(raw.subarray(0, Math.floor(raw.length * share)))
          if (kind === 'auto-reply' || kind === 'complaint') expect(reading.class).not.toBe('hard')
        },
      ),
      { numRuns: propertyRuns(300) },
    )
  })
})

describe('bounces classify', () => {
  const run = promisify(execFile)
  const root = path.resolve(import.meta.dirname, '../../..')

  it('prints one object a message, and goes on after a file that cannot be read', async () => {
    await using own = await openTestFolder()
    const folder = own.path
    const file = path.join(folder, 'one.eml')
    await writeFile(file, failed('5.1.1', '550 gone'))
    const missing = path.join(folder, 'missing.eml')
    const outcome = await run(
      'node',
      ['-r', './workers/preload.cjs', 'workers/admin.ts', 'bounces', 'classify', missing, folder, file, '--json'],
      { cwd: root },
    ).catch((error) => error)
    const line = { file, kind: 'bounce', class: 'hard', code: '5.1.1', recipient: 'ada@example.net' }
    expect(outcome.code).toBe(2)
    expect(outcome.stderr).toContain(missing)
    expect(
      outcome.stdout
        .trim()
        .split('\n')
        .map((text: string) => JSON.parse(text)),
    ).toEqual([line, line])
  })
})
