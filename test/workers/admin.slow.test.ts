/** The operator's commands as an operator runs them, beside a service and without one. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { reconcile } from '../../src/newsletter/sending/reconciler.ts'
import { openSite } from '../support/browser/http-client.ts'
import { createMail } from '../support/browser/mailbox-reader.ts'
import { openTestDatabase, type TestDatabase } from '../support/databases/postgres.ts'
import { feedOf } from '../support/fixtures/arxiv-feed.ts'
import { openTestFolder, type TestFolder } from '../support/fixtures/folder.ts'
import { SILENT, wakeNobody } from '../support/fixtures/newsletter.ts'
import { asHuggingFaceDay, papersOfDay, writeDays } from '../support/fixtures/papers.ts'
import { OPTIONS, openSendingNewsletter } from '../support/fixtures/sending-newsletter.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { type Ended, runProgram, startProgram } from '../support/processes/program.ts'
import { openSourceServer, type SourceServer } from '../support/servers/source-server.ts'
import { thorough } from '../support/thoroughness.ts'

const ADA = 'ada@example.org'
let folder: TestFolder
let settings: Record<string, string>
let database: TestDatabase
/** On a Postgres that runs already: a command then starts none, which takes longer than most commands. */
let onServer: Record<string, string>

beforeAll(async () => {
  folder = await openTestFolder(0o711)
  await writeDays(join(folder.path, 'days'), ['2026-04-10', '2026-04-13', '2026-04-14'])
  settings = {
    DATA_DIR: join(folder.path, 'data'),
    PORT: '0',
    MAILBOX_PORT: '0',
    PAPER_SOURCES: 'sample',
    LOG_LEVEL: 'warn',
  }
  database = await openTestDatabase()
  onServer = { DATABASE_URL: database.url, NODE_ENV: 'development' }
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const admin = (words: string[], more: Record<string, string> = {}, input = '') =>
  runProgram('admin', words, { ...settings, ...more }, { input })

describe('without a service', () => {
  let imported: Ended
  beforeAll(async () => {
    imported = await admin(['papers', 'import', join(folder.path, 'days')])
  })

  test('papers are imported from a folder, and recognised when they are imported again', async () => {
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining('114 new') })
    const again = await admin(['--json', 'papers', 'import', join(folder.path, 'days')])
    expect(JSON.parse(again.stdout)).toMatchObject({ papers: 114, added: 0, unchanged: 114, problems: [] })
  })

  test('of standard input the valid rows are stored, and each invalid one is named with its place and reason', async () => {
    const paper = { id: '2604.14999', title: 'A\u0000 title\u0007 with control characters', abstract: 'About robots.' }
    const rows = `${JSON.stringify(paper)}\n{"id": 7}\n${JSON.stringify(paper).slice(0, 40)}\n`
    const some = await admin(['--json', 'papers', 'import', '--date', '2026-04-14', '-'], onServer, rows)
    expect(some).toMatchObject({ code: 0, stderr: '' })
    const { problems, ...counts } = JSON.parse(some.stdout) as { problems: string[] }
    expect(counts).toEqual({ papers: 1, added: 1, changed: 0, unchanged: 0, skipped: 2 })
    expect(problems).toEqual([
      expect.stringMatching(/^standard input, line 2: ./),
      expect.stringMatching(/^standard input, line 3: ./),
    ])

    const none = await admin(['--json', 'papers', 'import', '-'], onServer, '')
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(JSON.parse(none.stderr)).toEqual({ errors: [expect.stringContaining('empty')] })
  })

  test('a preview shows the digest of a new subscriber, as text or into a file', async () => {
    const words = ['digest', 'preview', '--topics', 'robotics,code', '--at', '2026-04-14T12:00:00Z']
    const shown = await admin(words)
    expect(shown.stdout).toMatch(
      /^Subject: Your papers: .*\n\n.*Robotics & embodied AI: "vision-language-action" in the title/s,
    )
    const out = join(folder.path, 'digest.html')
    expect((await admin([...words, '--out', out])).stdout).toContain(`written to ${out}`)
    expect(await readFile(out, 'utf8')).toContain('</html>')
  })

  test('a preview has at most as many papers as it is asked to have, of those that it would have anyway', async () => {
    const preview = async (...more: string[]) => {
      const words = ['--json', 'digest', 'preview', '--topics', 'trending', '--at', '2026-04-14T12:00:00Z', ...more]
      const { papers, text } = JSON.parse((await admin(words)).stdout) as { papers: number; text: string }
      return { papers, titles: [...text.matchAll(/^\d+\. (.*)$/gm)].map(([, title]) => title) }
    }
    const usual = await preview()
    const few = await preview('--papers', '3')
    expect([usual.papers, few.papers]).toEqual([10, 3])
    expect(few.titles).toEqual(usual.titles.slice(0, 3))
  })

  test.each([
    ['an empty file', '', 'is empty'],
    ['truncated JSON', '[{"paper": {"id": "2604.1', 'truncated|cut|broken|JSON'],
    ['an unknown shape', '{"hello": 1}', '.'],
  ])('%s is refused in one line, and nothing is stored', async (name, text, why) => {
    const path = join(folder.path, `${name.replaceAll(' ', '-')}.json`)
    await writeFile(path, text)
    const refused = await admin(['papers', 'import', path], onServer)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr.trim().split('\n')).toHaveLength(1)
    expect(refused.stderr).toMatch(new RegExp(why))
  })

  const some: [words: string[], sentence: string][] = [
    [['digest', 'preview', '--topics', 'cooking'], 'there is no topic cooking'],
    [['editions', 'publish', '--at', 'tomorrow'], 'write it as 2026-04-14T05:00:00Z'],
    [['subscribers', 'show', 'nobody@example.org'], 'there is no subscriber'],
    [['papers', 'import', '/nowhere/at/all'], '/nowhere/at/all'],
    [['papers', 'eat'], 'unknown command'],
  ]
  // Each is a process of its own.
  const others: typeof some = [
    [['digest', 'preview', '--topics', 'trending', '--papers', '4'], 'it is one of 3, 5, 10, 15'],
    [['papers', 'fetch', '--date', '2026-02-31'], 'write the day as'],
    [['papers', 'fetch', '--date', '2026-04-14'], 'none of PAPER_SOURCES has lists by day'],
    [['papers', 'fetch', '--source', 'medium', '--dry-run'], '--source does not know "medium"; write'],
    [['papers', 'fetch', '--source', 'arxiv'], '--source arxiv needs its categories, such as arxiv:cs.CL+cs.LG'],
    [['papers', 'fetch', '--source', 'arxiv:cs.cl', '--dry-run'], '"cs.cl" is no category of arXiv'],
    [['papers', 'fetch', '--source', 'arxiv:cs.CL', '--date', '2026-04-14'], 'arxiv:cs.CL has no lists by day'],
    [['papers', 'fetch', '--source', 'file:/nowhere/at/all', '--dry-run'], '/nowhere/at/all'],
    [['subscribers', 'day', 'nobody@example.org', '2026-04-15'], 'there is no subscriber'],
    [['editions', 'show', '7'], 'there is no edition 7'],
    [['editions', 'missed', 'seven'], 'write its number'],
    [['editions', 'resend', '7', '--state', 'sent'], 'write some of failed,skipped,unknown'],
    [['editions', 'resume', '7'], 'there is no edition 7'],
  ]
  test.each(thorough ? [...some, ...others] : some)(
    '%j ends with code 2 and says what would be right',
    async (words, sentence) => {
      const refused = await admin(words, onServer)
      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain(sentence)
      expect(refused.stderr).not.toContain('    at ')
    },
  )

  const commands = [
    [],
    ['papers', 'import'],
    ['papers', 'fetch'],
    ['editions', 'resend'],
    ['digest', 'preview'],
    ['subscribers', 'show'],
  ]
  test.each((thorough ? commands : commands.slice(0, 2)).map((words) => [words]))(
    'the help of %j shows how to write it',
    async (words) => {
      const help = await admin([...words, '--help'])
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toMatch(/^Usage: npm run admin -- /)
    },
  )
})

describe.runIf(thorough)('a dry run of a source', () => {
  const clock = { CLOCK: '2026-04-15T08:00:00Z' }
  let source: SourceServer
  let empty: TestDatabase
  beforeAll(async () => {
    source = await openSourceServer()
    empty = await openTestDatabase()
  })
  afterAll(async () => {
    await source[Symbol.asyncDispose]()
    await empty[Symbol.asyncDispose]()
  })
  const dryRun = (words: string[]) =>
    admin([...words, '--dry-run'], {
      ...clock,
      ...onServer,
      DATABASE_URL: empty.url,
      NODE_OPTIONS: `--import=${new URL('../support/servers/redirected-fetch.ts', import.meta.url)}`,
      SOURCE_SERVER: source.baseUrl,
    })

  test('shows what it would store, what it understood and what it skipped, and stores nothing', async () => {
    const entries = Array.from({ length: 10 }, (_, at) => ({ id: `2604.0000${at}`, categories: ['cs.CL', 'cs.LG'] }))
    const more = [
      { id: '2503.00001', type: 'replace' },
      { id: '2604.00011', type: 'odd' },
    ]
    source.answerWith(200, feedOf('2026-04-14', [...entries, ...more]), { etag: '"1"' })
    const words = ['papers', 'fetch', '--source', 'arxiv:cs.CL+cs.LG']
    const shown = await dryRun(words)
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toBe(
      [
        'arxiv:cs.CL+cs.LG: dry run, nothing was stored.',
        'would store  10 new, 0 changed; 0 are known already',
        'understood   10 papers',
        'entries      11 understood in the batch of 2026-04-14: new (10), replace (1)',
        'list days    2026-04-14 (10)',
        'categories   cs.CL (10), cs.LG (10)',
        'without      upvotes (10)',
        'skipped      1 replacement: announced before',
        'skipped      entry 12: it does not say whether it is new',
        'notice       it serves the batch of 2026-04-14, and that of 2026-04-15 should be there (a holiday at arXiv, or its feed is late)',
        ...entries.slice(0, 5).map(({ id }) => `such as      ${id}  Paper ${id}`),
        '',
      ].join('\n'),
    )
    // The second run knows neither its papers nor its version either.
    const again = await dryRun(['--json', ...words])
    expect(JSON.parse(again.stdout)).toMatchObject({
      tried: [{ source: 'arxiv:cs.CL+cs.LG', wouldStore: { added: 10, changed: 0, unchanged: 0 } }],
      failed: [],
    })
    expect(source.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined])
  })

  test('of one day of Hugging Face shows the same', async () => {
    source.answerWith(200, asHuggingFaceDay('2026-04-14', papersOfDay('2026-04-14', ['robotics'])))
    const { stdout } = await dryRun(['papers', 'fetch', '--source', 'huggingface', '--date', '2026-04-14'])
    expect(stdout).toContain('would store  1 new, 0 changed; 0 are known already')
    expect(stdout).toContain('list days    2026-04-14 (1)')
  })

  test('of a source that does not answer ends with one line that says why', async () => {
    source.answerWith(429, '', { 'retry-after': '600' })
    const words = ['papers', 'fetch', '--source', 'arxiv:cs.CL']
    expect(await dryRun(words)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'paper-round: arxiv:cs.CL could not be read: it asks us to wait\n',
    })
    expect((await dryRun(words)).stderr).toMatch(/it asked us to wait, and there are up to 10 minutes left\n$/)
  })

  test('reads every source that is set unless one is named', async () => {
    const { stdout } = await dryRun(['papers', 'fetch'])
    expect(stdout).toMatch(/^sample: dry run, nothing was stored\.\nwould store {2}\d\d new, 0 changed; 0 are/)
  })
})

test.runIf(thorough)('beside a service, commands use its database, and it sends what they publish', async () => {
  const data = { DATA_DIR: join(folder.path, 'beside') }
  await using service = startProgram('main', [], { ...settings, ...data, CLOCK: '2026-04-14T10:00:00Z' })
  const output = await service.said('embedded')
  const announced = announcedIn(output)
  const site = openSite(announced.site)
  const mail = createMail(announced.mailbox)
  expect(await admin(['papers', 'import', join(folder.path, 'days')], data)).toMatchObject({ code: 0 })
  expect((await site.get('/')).text).not.toContain('Sample papers')

  await site.post('/subscribe', { email: ADA, topics: 'robotics', frequency: 'daily', timezone: 'UTC' })
  const confirm = (await mail.waitFor(ADA, 1)).links.get('confirm')?.replace(/^.*(?=\/confirm)/, '') ?? ''
  expect((await site.post(confirm)).status).toBe(200)
  await mail.waitFor(ADA, 2)
  await writeDays(join(folder.path, 'more'), ['2026-04-15'])
  await admin(['papers', 'import', join(folder.path, 'more')], data)
  const ahead = ['editions', 'publish', '--at', '2026-04-16T12:00:00Z']
  const refused = await admin(['--json', ...ahead], data)
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('2 days ahead: nothing was published') })
  expect(JSON.parse(refused.stdout)).toMatchObject({
    dryRun: true,
    readers: { daily: 1, weekly: 0 },
    addresses: [ADA],
    due: { from: '2026-04-15T07:00:00.000Z' },
    dueNext: { from: '2026-04-17T07:00:00.000Z', to: '2026-04-17T07:00:00.000Z' },
    fallOut: 1,
  })
  const publish = [...ahead, '--yes']
  expect((await admin(publish, data)).stdout).toContain('1 subscriber, 1 delivery of 1 digest')
  const digest = await mail.waitFor(ADA, 3)
  expect(digest.text).toContain('Thursday 16 April 2026')
  expect((await admin(publish, data)).stdout).toContain('Nobody was due')

  const tried = await admin(['digest', 'test', '--to', 'tester@example.org', '--topics', 'robotics'], data)
  expect(tried.stdout).toContain('Sent to tester@example.org: “[Test] ')
  const testMail = await mail.waitFor('tester@example.org', 1)
  const settingsPath = testMail.links.get('preferences')?.replace(/^.*(?=\/preferences)/, '') ?? ''
  const opened = await site.get(settingsPath)
  expect({ status: opened.status, said: opened.text.includes('This link no longer works') }).toEqual({
    status: 404,
    said: true,
  })

  const shown = await admin(['subscribers', 'show', ADA], data)
  expect(shown.stdout).toMatch(/active[\s\S]*robotics[\s\S]*digest of 2026-04-16, sent/)
  expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
})

test.runIf(thorough)('an edition is shown, sent again, paused, resumed and canceled', async () => {
  let refusing = true
  await using newsletter = await openSendingNewsletter(3, ({ stage, to }) =>
    refusing && stage === 'rcpt' && !to.startsWith('reader0@') ? { reply: `552 5.2.2 not you, <${to}>` } : undefined,
  )
  await using home = await openTestFolder()
  const on = (...words: string[]) =>
    admin(words, { DATABASE_URL: newsletter.url, DATA_DIR: home.path, NODE_ENV: 'development' })
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await reconcile({ db: newsletter.db, log: SILENT, wake: wakeNobody })

  const shown = await on('editions', 'show', '1')
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(/^Edition 1 of 2026-04-15T06:00:00.000Z: complete\n/)
  expect(shown.stdout).toContain('due 3 = sent 1 + failed 2 + skipped 0 + pending 0 + unknown 0 + canceled 0')
  expect(shown.stdout).toContain('2  failed: refused at rcpt 552 5.2.2')
  expect(JSON.parse((await on('--json', 'editions', 'list')).stdout)).toMatchObject({
    editions: [{ id: 1, status: 'complete', equation: { due: 3, sent: 1, failed: 2, missing: 0 } }],
  })
  const missed = await on('--json', 'editions', 'missed', '1', '--reason', '5.2.2')
  const rows = missed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(rows.map((row) => [row.email, row.state, row.code, row.said]).sort()).toEqual(
    [1, 2].map((n) => [`reader${n}@example.org`, 'failed', 552, '552 5.2.2 not you, <address>']),
  )

  const bounces = (await on('--json', 'bounces', 'list', '--edition', '1', '--class', 'soft')).stdout.trim().split('\n')
  expect(bounces.map((line) => JSON.parse(line).said)).toEqual(Array(2).fill('552 5.2.2 not you, <address>'))
  const mail = await on('mails', 'show', `<${JSON.parse(bounces[0] ?? '').mail}@example.net>`)
  expect(mail.stdout).toMatch(/^digest of edition 1: failed[\s\S]*reader {5}reader[12]@example\.org/)
  expect((await on('suppressions', 'remove', '--edition', '1', '--why', 'a test')).stdout).toBe(
    'No suppression is like that.\n',
  )

  refusing = false
  expect((await on('editions', 'resend', '1')).stdout).toContain('2 deliveries put back in the queue (2 failed)')
  expect((await on('editions', 'pause', '1', '--by', 'Ada', '--why', 'a wrong title')).code).toBe(0)
  const paused = await on('editions', 'show', '1')
  expect(paused.stdout).toMatch(/paused since \S+ by Ada: a wrong title/)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(0)
  expect((await on('editions', 'resume', '1')).code).toBe(0)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(2)
  const dryRun = await on('editions', 'publish', '--at', '2026-04-17T06:00:00Z', '--dry-run')
  expect(dryRun).toMatchObject({ code: 0, stdout: expect.stringContaining('3 (3 daily, 0 weekly): reader0@') })
  expect((await on('editions', 'cancel', '1')).stdout).toMatch(/^Edition 1 is canceled:\n.* sent 3 .* canceled 0\n$/)
  const day = await on('subscribers', 'day', 'reader1@example.org', '2026-04-15')
  expect(day.stdout).toMatch(
    /digest of edition 1: sent \(failed before: refused at rcpt 552 5\.2\.2\)\n {2}due {8}2026-04-15T06[\s\S]*server {5}250 2\.0\.0 Ok: queued/,
  )
})
