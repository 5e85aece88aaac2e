/** The service as a process: how it starts, when it refuses to, how it ends, and what survives it. */
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataFolder } from '../../src/adapters/postgres/data-folder.ts'
import { identify } from '../../src/adapters/postgres/process.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { readLastTick, storeLastTick } from '../../src/store/last-tick.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openSite } from '../support/browser/http-client.ts'
import { createMail } from '../support/browser/mailbox-reader.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder, type TestFolder } from '../support/fixtures/folder.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { type Program, runProgram, startProgram } from '../support/processes/program.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'
import { thorough } from '../support/thoroughness.ts'

const EMBEDDED = { PORT: '0', MAILBOX_PORT: '0', PAPER_SOURCES: 'sample', LOG_LEVEL: 'warn' }
const ADA = 'ada@example.org'

/** Runs a function on the database of a data folder that no service uses. */
const withDatabase = async (folder: string, run: (db: Database) => Promise<unknown>): Promise<void> => {
  const { databaseUrl, close } = await openDataFolder(folder, 'command')
  await migrate(databaseUrl)
  const db = openDatabase(databaseUrl, { connections: 1, name: 'test', onError: () => undefined })
  await run(db)
  await db.destroy()
  await close()
}

const postgresOf = async (folder: string): Promise<number | null> => {
  const text = await readFile(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').catch(() => null)
  return text === null ? null : Number(text.split('\n')[0])
}

/** Expects a program to end with code 2 (or another) and one line on stderr, which it returns. */
const lineOfError = async (words: string[], settings: Record<string, string>, exitCode = 2): Promise<string> => {
  const { code, stdout, stderr } = await runProgram('main', words, settings)
  expect({ code, stdout, stderr }).toEqual({
    code: exitCode,
    stdout: '',
    stderr: expect.stringMatching(/^paper-round: .+\n$/),
  })
  return stderr
}

describe('a start is refused in one line', () => {
  test('for a role that does not exist', async () => {
    expect(await lineOfError(['apy'], {})).toContain('there is no role apy; the roles are api, scheduler, mailer')
  })

  test('for a role alone on the embedded database', async () => {
    expect(await lineOfError(['api'], {})).toContain('need DATABASE_URL')
  })

  test('for settings that cannot be used, one line each', async () => {
    const { code, stderr } = await runProgram('main', [], { PORT: 'x', TRUST_PROXY: 'true' })
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 2])
    expect(stderr).toMatch(/^paper-round: PORT: .*\npaper-round: TRUST_PROXY: /)
  })

  test('for a data folder that is a file', async () => {
    await using folder = await openTestFolder(0o711)
    const path = join(folder.path, 'data')
    await writeFile(path, 'mine')
    expect(await lineOfError([], { ...EMBEDDED, DATA_DIR: path })).toContain(`${path} cannot be written`)
    expect(await readFile(path, 'utf8')).toBe('mine')
  })

  test('for a cluster of another Postgres, which is left as it is', async () => {
    await using folder = await openTestFolder(0o711)
    const cluster = join(folder.path, 'postgres', 'cluster')
    await mkdir(cluster, { recursive: true })
    await writeFile(join(cluster, 'PG_VERSION'), '12\n')
    expect(await lineOfError([], { ...EMBEDDED, DATA_DIR: folder.path })).toContain('was written by Postgres 12')
    expect(await readdir(cluster)).toEqual(['PG_VERSION'])
  })

  test('for a database that does not answer', async () => {
    const settings = { ...EMBEDDED, DATABASE_URL: 'postgres://round:secret@127.0.0.1:1/round' }
    const line = await lineOfError([], settings)
    expect(line).toContain('the database cannot be reached')
    expect(line).not.toContain('secret')
  })

  test.runIf(thorough)('for a role whose database lacks the schema, until it is migrated', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using folder = await openTestFolder(0o711)
    const settings = { ...EMBEDDED, DATABASE_URL: database.url, DATA_DIR: folder.path }
    expect(await lineOfError(['api'], settings)).toContain('run: node workers/main.ts migrate')
    for (let n = 0; n < 2; n++)
      expect(await runProgram('main', ['migrate'], settings)).toMatchObject({
        code: 0,
        stdout: 'The database has the schema of this version.\n',
      })
    await using api = startProgram('main', ['api'], settings)
    await api.said('is ready')
    expect(await api.end('SIGTERM')).toMatchObject({ code: 0 })
  })
})

describe('a start on a folder that holds data', () => {
  let folder: TestFolder
  let settings: Record<string, string>
  beforeAll(async () => {
    folder = await openTestFolder(0o711)
    settings = { ...EMBEDDED, DATA_DIR: join(folder.path, 'data'), CLOCK: '2026-04-14T05:00:00Z' }
    await withDatabase(settings.DATA_DIR ?? '', (db) => storeLastTick(db, new Date('2026-04-14T04:00:00Z')))
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  test.runIf(thorough)('is refused with a clock before the last tick, and nothing is changed', async () => {
    const line = await lineOfError([], { ...settings, CLOCK: '2026-04-14T03:59:00Z' })
    expect(line).toContain('this data has already seen 2026-04-14T04:00:00.000Z')
    await withDatabase(settings.DATA_DIR ?? '', async (db) => {
      expect(await db.selectFrom('papers').selectAll().execute()).toEqual([])
    })
  })

  test.runIf(thorough)(
    'is refused while its port or the mailbox’s is in use, and leaves no Postgres running',
    async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => other.once('listening', resolve))
      const port = String((other.address() as AddressInfo).port)
      for (const name of ['PORT', 'MAILBOX_PORT']) {
        const line = await lineOfError([], { ...settings, [name]: port })
        expect(line).toContain(port)
        expect(line).toContain(name)
        expect(await postgresOf(settings.DATA_DIR ?? '')).toBeNull()
      }
      other.close()
      // Nothing had begun, so the same clock can still be used.
      await withDatabase(settings.DATA_DIR ?? '', async (db) => {
        expect(await readLastTick(db)).toEqual(new Date('2026-04-14T04:00:00Z'))
      })
    },
  )

  test.runIf(thorough)(
    'is refused, with an exit code of its own, when the schema is too new for this version',
    async () => {
      const data = settings.DATA_DIR ?? ''
      await withDatabase(data, (db) => sql`update schema_compatibility set oldest_code = 9999`.execute(db))
      expect(await lineOfError([], settings, 3)).toContain(
        'the database serves schema version 9999 of the program and newer',
      )
      const { databaseUrl, close } = await openDataFolder(data, 'command')
      const db = openDatabase(databaseUrl, { connections: 1, name: 'test', onError: () => undefined })
      await sql`update schema_compatibility set oldest_code = 12`.execute(db)
      await db.destroy()
      await close()
    },
  )

  test.runIf(thorough)('waits for a command that uses the folder, unless it is stopped', async () => {
    const command = await openDataFolder(settings.DATA_DIR ?? '', 'command')
    await using stopped = startProgram('main', [], settings)
    await using waiting = startProgram('main', [], settings)
    for (const service of [stopped, waiting]) await service.said(`Waiting for process ${process.pid}`)
    expect(await stopped.end('SIGINT')).toMatchObject({ code: 0, stdout: '' })
    await command.close()
    await waiting.said('is ready')
    expect(await waiting.end('SIGTERM')).toMatchObject({ code: 0 })
  })

  test.each(thorough ? (['SIGTERM', 'SIGINT'] as const) : (['SIGTERM'] as const))(
    'ends on %s with code 0, even while it starts, and no process stays',
    async (signal) => {
      const data = settings.DATA_DIR ?? ''
      let minute = signal === 'SIGTERM' ? 1 : 5
      const start = () => startProgram('main', [], { ...settings, CLOCK: `2026-04-14T05:0${minute++}:00Z` })
      await using early = start()
      while ((await postgresOf(data)) === null) await new Promise((resume) => setTimeout(resume, 5))
      expect(await early.end(signal)).toEqual({ code: 0, stdout: expect.any(String), stderr: '' })
      expect(await postgresOf(data)).toBeNull()

      await using service = start()
      await service.said('is ready')
      const postgres = await postgresOf(data)
      expect(await service.end(signal)).toMatchObject({ code: 0, stderr: '' })
      expect(await identify(postgres ?? 0)).toBeNull()
    },
  )
})

describe('a service on the embedded default', () => {
  let folder: TestFolder
  let settings: Record<string, string>
  let service: Program
  let urls: { site: string; mailbox: string }
  const start = async (clock: string, more: Record<string, string> = {}) => {
    service = startProgram('main', [], { ...settings, CLOCK: clock, ...more })
    urls = announcedIn(await service.said('is ready'))
  }
  beforeAll(async () => {
    folder = await openTestFolder(0o711)
    settings = { ...EMBEDDED, DATA_DIR: join(folder.path, 'data') }
    await start('2026-04-14T05:00:00Z')
  })
  afterAll(async () => {
    await service[Symbol.asyncDispose]()
    await withDatabase(settings.DATA_DIR ?? '', async () => undefined)
    await folder[Symbol.asyncDispose]()
  })

  test('keeps a second one out of its data folder, and names the first', async () => {
    const line = await lineOfError([], { ...EMBEDDED, DATA_DIR: settings.DATA_DIR ?? '' })
    expect(line).toContain(`is in use by process ${service.pid}`)
    expect((await fetch(`${urls.site}/healthz`)).status).toBe(200)
  })

  test('shows the sample, and says so', async () => {
    expect((await openSite(urls.site).get('/')).text).toContain('Sample papers')
  })

  test('has everything again after kill -9: papers, subscribers, keys and mails', async () => {
    await openSite(urls.site).post('/subscribe', {
      email: ADA,
      topics: 'diffusion-lm',
      frequency: 'daily',
      timezone: 'Europe/London',
    })
    const confirmation = await createMail(urls.mailbox).waitFor(ADA, 1)
    await service.end('SIGKILL')
    await start('2026-04-14T05:10:00Z')
    expect((await createMail(urls.mailbox).list(ADA)).map((mail) => mail.id)).toEqual([confirmation.id])
    const confirmed = await openSite(urls.site).post(confirmation.links.get('confirm') ?? '')
    expect(confirmed.status).toBe(200)
    expect((await createMail(urls.mailbox).waitFor(ADA, 2)).text).toMatch(/sample/i)
  })

  test('starts its Postgres again when that is killed, and mails a new subscriber', async () => {
    const killed = await postgresOf(settings.DATA_DIR ?? '')
    process.kill(killed ?? 0, 'SIGKILL')
    await service.said('The embedded Postgres runs again')
    expect(await postgresOf(settings.DATA_DIR ?? '')).not.toBe(killed)
    const grace = 'grace@example.org'
    const form = { email: grace, topics: 'diffusion-lm', frequency: 'daily', timezone: 'Europe/London' }
    expect((await openSite(urls.site).post('/subscribe', form)).status).toBe(200)
    const confirmation = await createMail(urls.mailbox).waitFor(grace, 1)
    expect((await openSite(urls.site).post(confirmation.links.get('confirm') ?? '')).status).toBe(200)
    await createMail(urls.mailbox).waitFor(grace, 2)
    expect((await fetch(`${urls.site}/readyz`)).status).toBe(200)
  })

  test.runIf(thorough)('with a mail server makes no digest of the sample, and sends none', async () => {
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
    await using sink = await openSmtpSink()
    const empty = join(folder.path, 'empty')
    await mkdir(empty)
    await start('2026-04-15T06:01:00Z', {
      SMTP_URL: sink.url,
      MAIL_FROM: 'round@example.net',
      PAPER_SOURCES: `file:${empty}`,
      LOG_LEVEL: 'info',
    })
    await service.said('edition published')
    expect((await openSite(urls.site).get('/')).text).not.toContain('Sample papers')
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
    expect(sink.count()).toBe(0)
  })

  test.runIf(thorough)(
    'ends with a sentence when its Postgres cannot be started again, and is not ready until then',
    async () => {
      await service.end('SIGTERM')
      await start('2026-04-15T07:01:00Z')
      const data = settings.DATA_DIR ?? ''
      const control = join(data, 'postgres', 'cluster', 'global', 'pg_control')
      await rename(control, `${control}.away`)
      process.kill((await postgresOf(data)) ?? 0, 'SIGKILL')
      await service.said('The embedded Postgres ended by itself')
      const ready = await fetch(`${urls.site}/readyz`)
      expect(ready.status).toBe(503)
      const { code, stderr } = await service.end()
      await rename(`${control}.away`, control)
      expect(code).toBe(2)
      expect(stderr.trim().split('\n').at(-1)).toMatch(
        /^paper-round: the embedded Postgres ended, and starting it again 5 times did not help \(.*could not .*pg_control/,
      )
    },
  )
})

test.runIf(thorough)('nobody else may read the data folder', async () => {
  await using folder = await openTestFolder(0o711)
  const data = join(folder.path, 'data')
  await withDatabase(data, async () => undefined)
  const mode = (await stat(data)).mode & 0o777
  expect(mode).toBe(process.getuid?.() === 0 ? 0o711 : 0o700)
  expect((await stat(join(data, 'postgres', 'password'))).mode & 0o777).toBe(0o600)
})

test.runIf(thorough)('maintain alone creates months, prints them, and finds nothing to do a second time', async () => {
  await using database = await openTestDatabase()
  const settings = { DATABASE_URL: database.url, CLOCK: '2026-11-20T00:00:00Z', KEEP_DELIVERIES: '100' }
  const { code, stdout } = await runProgram('main', ['maintain'], settings)
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      'Months of deliveries created: 2026-11, 2026-12, 2027-01; dropped: 2026-04, 2026-05, 2026-06.\n' +
      'Rows deleted: 0 letters, 0 mails of announcements, 0 digests, 0 observations, 0 sign-up limits, 0 events of providers, ' +
      '0 suggestions.\n' +
      'Personal data deleted: 0 who left, 0 client addresses, 0 records of consent.\n',
  })
  const again = await runProgram('main', ['maintain', '--json'], settings)
  expect(JSON.parse(again.stdout)).toEqual({
    created: [],
    dropped: [],
    kept: [],
    deleted: {
      letters: 0,
      announcementMails: 0,
      digests: 0,
      observations: 0,
      letterLimits: 0,
      signUpCounts: 0,
      providerEvents: 0,
      suggestions: 0,
      webhookMessages: 0,
      groupMembers: 0,
      groupLists: 0,
    },
    personal: { leavers: 0, clients: 0, consent: 0 },
  })
  expect(await lineOfError(['maintain', '--month', 'April'], settings)).toContain('--month is written as 2026-04')
})
