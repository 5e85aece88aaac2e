/** `digest test`: real mails of now, to an address of the operator's, that belong to nobody. */
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { sql } from 'kysely'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { suppressAddress } from '../../../src/store/suppressions.ts'
import { openTestDatabase, type TestDatabase } from '../../support/databases/postgres.ts'
import { openTestFolder, type TestFolder } from '../../support/fixtures/folder.ts'
import { writeDays } from '../../support/fixtures/papers.ts'
import { runProgram } from '../../support/processes/program.ts'
import { createReceiver } from '../../support/servers/dkim-verifier.ts'
import { openSmtpSink } from '../../support/servers/smtp-sink.ts'

const TO = 'Ada@example.org'
const KEY = 'ab'.repeat(32)
let folder: TestFolder
let database: TestDatabase
let db: Database
let settings: Record<string, string>

beforeAll(async () => {
  folder = await openTestFolder(0o711)
  database = await openTestDatabase()
  db = openDatabase(database.url, { connections: 2, name: 'test', onError: () => undefined })
  await writeDays(join(folder.path, 'days'), ['2026-04-10', '2026-04-13', '2026-04-14'])
  settings = {
    DATA_DIR: join(folder.path, 'data'),
    DATABASE_URL: database.url,
    SECRET_KEY: KEY,
    CLOCK: '2026-04-14T12:00:00Z',
    MAIL_FROM: 'round@example.org',
    LETTERS_FROM: 'The Letters <letters@example.org>',
    REPLY_TO: 'The Lab <lab@example.org>',
    SERVICE_NAME: 'Lab Letters & Co <x>',
    BOUNCE_DOMAIN: 'bounces.example.org',
    LOG_LEVEL: 'warn',
  }
  const { code, stderr } = await admin(['papers', 'import', join(folder.path, 'days')])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
afterAll(async () => {
  await db.destroy()
  await database[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const admin = (words: string[], more: Record<string, string> = {}) =>
  runProgram('admin', words, { ...settings, ...more })

/** How many rows there are of what is kept of mails and readers. */
const countKept = async () => {
  const { rows } = await sql<{ kept: number }>`select (select count(*) from letters) + (select count(*) from deliveries)
    + (select count(*) from digests) + (select count(*) from subscribers) + (select count(*) from send_counts) as kept`.execute(
    db,
  )
  return Number(rows[0]?.kept)
}

test('the confirmation, the welcome and the digest of now arrive as a reader would get them, signed, and nothing is kept', async () => {
  await using sink = await openSmtpSink()
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kept = await countKept()
  const { code, stdout, stderr } = await admin(
    ['--json', 'digest', 'test', '--to', TO, '--topics', 'robotics,code', '--letters'],
    {
      SMTP_URL: `${sink.url}?requireTLS=false`,
      DKIM_DOMAIN: 'example.org',
      DKIM_SELECTOR: 'any',
      DKIM_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({
    to: TO,
    sent: 3,
    mails: [
      { kind: 'confirmation', subject: '[Test] Confirm your subscription', papers: null },
      {
        kind: 'welcome',
        subject: expect.stringMatching(/^\[Test\] Welcome to Lab Letters & Co <x>: your first \d+ papers$/),
      },
      { kind: 'daily', subject: expect.stringMatching(/^\[Test\] Your papers: /), papers: expect.any(Number) },
    ].map((mail) => ({ ...mail, outcome: 'sent', said: expect.stringMatching(/^250 /) })),
  })
  expect(await countKept()).toBe(kept)

  expect(sink.messages.map(({ to }) => to)).toEqual([TO, TO, TO])
  const receive = createReceiver(privateKey, ['any._domainkey.example.org'])
  for (const { raw, from } of sink.messages) {
    expect(await receive(Buffer.from(raw, 'latin1'))).toEqual([{ result: 'pass', domain: 'example.org' }])
    expect(from).toMatch(/^b-[a-z2-7]{40}@bounces\.example\.org$/)
    const { replyTo, headers, from: sender } = await PostalMime.parse(raw)
    expect(replyTo).toEqual([{ name: 'The Lab', address: 'lab@example.org' }])
    expect(headers.find(({ key }) => key === 'dkim-signature')?.value).toMatch(/h=[^;]*reply-to/i)
    expect(['Lab Letters & Co <x>', 'The Letters']).toContain(sender?.name)
  }
  const [confirmation, , digest] = await Promise.all(sink.messages.map(({ raw }) => PostalMime.parse(raw)))
  expect(confirmation?.headers.map(({ key }) => key)).not.toContain('list-unsubscribe')
  expect(digest?.text).toContain('This is a test. Its links to settings, votes and the like open a page')
  const header = (name: string) => digest?.headers.find(({ key }) => key === name)?.value ?? ''
  expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
  expect(header('list-id')).toMatch(/^(?:=\?UTF-8\?B\?[\w+/=]+\?= ?)+<digest\.example\.org>$/)
})

test('what the server refuses is told in its words, with an exit code', async () => {
  await using sink = await openSmtpSink({
    fault: ({ stage }) => (stage === 'rcpt' ? { reply: '550 5.1.1 No such user here' } : undefined),
  })
  const { code, stdout } = await admin(['digest', 'test', '--to', TO], { SMTP_URL: `${sink.url}?requireTLS=false` })
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /^Not sent: “\[Test\] [^”]+”, \d+ papers\.\n {2}refused at rcpt: 550 5\.1\.1 No such user here\n/,
  )
  expect(stdout).toContain('Its links belong to nobody')
})

test('an address that cannot be mailed, or must not be, is refused before anything is sent', async () => {
  await using sink = await openSmtpSink()
  const relay = { SMTP_URL: `${sink.url}?requireTLS=false` }
  await suppressAddress(db, 'grace@example.org', {
    class: 'complaint',
    reason: 'complained',
    code: null,
    diagnostic: null,
    source: 'mail',
  })
  const refused = await Promise.all(
    ['a b@example.org', 'grace@example.org'].map((to) => admin(['digest', 'test', '--to', to], relay)),
  )
  expect(refused.map(({ code }) => code)).toEqual([2, 2])
  expect(refused[0]?.stderr).toMatch(/--to is no address that can be mailed: ./)
  expect(refused[1]?.stderr).toContain(
    'grace@example.org must not be mailed (complaint). To lift that: npm run admin -- suppressions remove grace@example.org\n',
  )
  expect(sink.count()).toBe(0)
})

test('without a relay the mail is in the mailbox of this machine', async () => {
  const { code, stdout } = await admin(['digest', 'test', '--to', TO, '--frequency', 'weekly'], { MAIL_FROM: '' })
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Sent to Ada@example\.org: “\[Test\] /) })
  expect(stdout).toMatch(/The server said: 250 .*kept as \d{10}-[0-9a-f]{8}/)
})
