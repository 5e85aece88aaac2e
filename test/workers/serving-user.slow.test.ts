/** Every role with the least that it needs of the database: the whole story of a reader, and of a bounce, with nothing refused. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const TOPICS = ['diffusion-lm', 'robotics']
const SUBSCRIBED = '2026-04-14T05:00:00Z'
const EDITION = '2026-04-15T06:00:30Z'
const POLL = { timeout: 90_000, interval: 50 }

/** A user of a name of its own, since users belong to the whole server, and the URL of a database for it. */
const userOf = (url: string) => {
  const own = new URL(url)
  own.username = `serving_${randomBytes(6).toString('hex')}`
  own.password = randomBytes(12).toString('hex')
  return own
}

const dropUser = async (url: string, user: string): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`drop owned by ${user}; drop role ${user}`)
  await client.end()
}

test('api, scheduler, mailer and bounces serve a reader from the form to the erasure as a user who can neither create nor drop', {
  timeout: 300_000,
}, async () => {
  await using database = await openTestDatabase({ empty: true })
  await using folder = await openTestFolder(0o711)
  await using sink = await openSmtpSink()
  const papers = join(folder.path, 'papers')
  await writeDays(papers, ['2026-04-10', '2026-04-13', '2026-04-14'], TOPICS)
  const serving = userOf(database.url)
  await using _ = { [Symbol.asyncDispose]: () => dropUser(database.url, serving.username) }
  const settings = {
    DATABASE_URL: serving.href,
    SECRET_KEY: '07'.repeat(32),
    DATA_DIR: folder.path,
    PORT: '0',
    SMTP_URL: `${sink.url}?requireTLS=false`,
    MAIL_FROM: 'Paper Round <round@example.net>',
    PAPER_SOURCES: `file:${papers}`,
    BOUNCE_DOMAIN: 'bounces.example.net',
    BOUNCES_HOST: '127.0.0.1',
    BOUNCES_PORT: '0',
    LOG_LEVEL: 'warn',
  }
  const owner = { ...settings, DATABASE_URL: database.url }
  const migrated = await runProgram('main', ['migrate'], { ...owner, SERVING_DATABASE_URL: serving.href })
  expect(migrated).toMatchObject({ code: 0, stderr: '' })
  await using programs = new AsyncDisposableStack()
  const start = async (role: string, clock: string, own: Record<string, string> = settings) => {
    const program = programs.use(startProgram('main', role.split(' '), { ...own, CLOCK: clock }))
    return { program, said: await program.said('is ready', 90_000) }
  }
  const maintain = await start('maintain --daily', SUBSCRIBED, owner)
  const api = await start('api', SUBSCRIBED)
  const mailer = await start('mailer', SUBSCRIBED)
  const scheduler = await start('scheduler', SUBSCRIBED)
  const bounces = await start('bounces', SUBSCRIBED)
  const all = [maintain, api, mailer, scheduler, bounces]

  const site = openSite(announcedIn(api.said).site)
  const mails = async (count: number) => {
    const said = () => all.map(({ program }) => program.stderr()).join('')
    await expect.poll(() => [sink.messages.length, said()], POLL).toEqual([count, ''])
    return sink.messages.at(-1)?.raw.replace(/=\r\n/g, '') ?? ''
  }
  const linkIn = (raw: string, name: string) => new RegExp(`/${name}/[\\w-]{43}`).exec(raw)?.[0] ?? name
  const form = { email: 'ada@example.org', topics: TOPICS, frequency: 'daily', timezone: 'Europe/London' }
  expect((await site.post('/subscribe', form)).status).toBe(200)
  expect((await site.post(linkIn(await mails(1), 'confirm'))).status).toBe(200)
  const welcome = await mails(2)
  const preferences = linkIn(welcome, 'preferences')
  expect((await site.get(preferences)).status).toBe(200)
  expect((await site.post(preferences, { ...form, hour: '7' })).status).toBe(200)
  expect((await site.get('/preview?topics=robotics&frequency=daily')).status).toBe(200)
  expect((await site.post('/links', { email: 'ada@example.org' })).status).toBe(200)
  await mails(3)

  await scheduler.program.end('SIGTERM')
  await start('scheduler', EDITION)
  const digest = await mails(4)
  expect(digest).toContain('List-Unsubscribe')
  expect((await site.get(linkIn(digest, 'digests'))).status).toBe(200)
  expect((await site.post(linkIn(digest, 'unsubscribe'))).status).toBe(200)

  for (const words of [
    ['subscribers', 'show', 'ada@example.org'],
    ['editions', 'list'],
    ['alarms', 'list'],
    ['backup', join(folder.path, 'backup')],
  ])
    expect([words, await runProgram('admin', words, settings)]).toMatchObject([words, { code: 0 }])
  for (const { program } of all) expect(program.stderr()).not.toMatch(/permission denied|must be owner|42501/)
})
