/**
 * Upgrades: the release before this one serves on beside migrations that add something, restarts included, and ends by
 * itself when one takes something away. Nothing that people asked for is lost.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { makeNextRelease, makePreviousRelease, whyNoPreviousRelease } from '../support/fixtures/releases.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'
import { openPoster } from '../support/servers/sign-up-load.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const EXPAND = {
  '9001-adds-a-column': `/** Adds a column. */
    import { sql } from 'kysely'
    export const up = async (db) => {
      await sql\`alter table subscribers add column planted text not null default 'none'\`.execute(db)
    }`,
  '9002-adds-an-index': `/** Adds an index on the months of deliveries. */
    import { sql } from 'kysely'
    import { buildIndexConcurrently } from './concurrent-index.ts'
    export const withoutTransaction = true
    export const up = (db) =>
      buildIndexConcurrently(db, { table: 'deliveries', name: 'planted', definition: sql\`(sent_at)\` })`,
}
const CONTRACT = {
  '9003-renames-a-table': `/** Renames a table that only older code uses. */
    import { sql } from 'kysely'
    export const oldestCode = 9002
    export const up = async (db) => {
      await sql\`alter table sign_ups rename to requests\`.execute(db)
    }`,
}
const TOO_OLD =
  /^paper-round: the database serves schema version 9002 of the program and newer ones, and this is version \d+; .*\n$/

/** What was under way when the table went may have failed, and been logged before or after. */
const linesOf = (stderr: string): string[] => stderr.split(/(?<=\n)/)

const query = async (url: string, text: string) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** Signs somebody up again and again until it is stopped; `taken` are those who were answered that it was noted. */
const signUpWhile = (url: string, taken: string[]) => {
  const poster = openPoster(url, 1)
  const refused: unknown[] = []
  let stopped = false
  const posting = (async () => {
    while (!stopped) {
      const email = `reader${taken.length + refused.length}-${url.split(':').at(-1)}@example.org`
      const status = await poster.post(email).catch((error: unknown) => error)
      if (status === 202) taken.push(email)
      else refused.push(status)
      await delay(20)
    }
  })()
  return {
    refused,
    async stop() {
      stopped = true
      await posting
      poster.close()
    },
  }
}

const reason = await whyNoPreviousRelease()

test.skipIf(reason !== null)(
  `the release before serves beside an upgrade, restarts included, and ends by itself when its tables go${reason === null ? '' : ` (skipped: ${reason})`}`,
  { timeout: 180_000 },
  async () => {
    await using database = await openTestDatabase()
    await using folder = await openTestFolder(0o711)
    await using sink = await openSmtpSink()
    await using programs = new AsyncDisposableStack()
    const [old, next, last] = ['old', 'next', 'last'].map((name) => join(folder.path, name)) as [string, string, string]
    await makePreviousRelease(old)
    await makeNextRelease(next, EXPAND)
    await makeNextRelease(last, { ...EXPAND, ...CONTRACT })
    const settings = {
      DATABASE_URL: database.url,
      DATA_DIR: join(folder.path, 'data'),
      PORT: '0',
      SMTP_URL: sink.url,
      MAIL_FROM: 'round@example.net',
      SIGN_UPS_PER_HOUR: 'client=1000,domain=1000,all=3000',
      TRUST_PROXY: '127.0.0.0/8',
      PAPER_SOURCES: `file:${folder.path}`,
      LOG_LEVEL: 'warn',
    }
    const start = async (role: 'api' | 'mailer') => {
      const program = programs.use(startProgram('main', [role], settings, { root: old }))
      return { program, url: announcedIn(await program.said('is ready')).site }
    }
    const startBoth = async () => ({ api: await start('api'), mailer: await start('mailer') })
    const migrateWith = (root: string) => runProgram('main', ['migrate'], settings, { root })
    const taken: string[] = []

    const before = await startBoth()
    const during = signUpWhile(before.api.url, taken)
    expect(await migrateWith(next)).toMatchObject({ code: 0, stderr: '' })
    await during.stop()
    expect(during.refused).toEqual([])
    expect(taken.length).toBeGreaterThan(10)
    expect(
      await query(database.url, `select 1 from pg_index where indexrelid = 'planted'::regclass and indisvalid`),
    ).toHaveLength(1)
    for (const { program } of [before.api, before.mailer])
      expect(await program.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })

    // Back to the release before, as `docker compose up` of it does: its migrate, then its roles.
    expect(await migrateWith(old)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('on which this version may run'),
    })
    const after = await startBoth()
    const restarted = signUpWhile(after.api.url, taken)
    await sink.waitFor(taken.length + 5, 30_000)
    expect(restarted.refused).toEqual([])

    expect(await migrateWith(last)).toMatchObject({ code: 0, stderr: '' })
    const ended = await after.api.program.end()
    expect(ended).toMatchObject({ code: 3 })
    expect(linesOf(ended.stderr)).toContainEqual(expect.stringMatching(TOO_OLD))
    await restarted.stop()
    // It hears of it by its first query to the table, or within half a minute.
    const queue = await openQueue({ databaseUrl: database.url, redisUrl: null, workers: 0, onError: () => undefined })
    await queue.wake('letters')
    await queue.close({ graceMs: 1000 })
    const mailer = await after.mailer.program.end()
    expect(mailer).toMatchObject({ code: 3 })
    expect(linesOf(mailer.stderr)).toContainEqual(expect.stringMatching(TOO_OLD))
    for (const role of ['api', 'mailer', 'migrate'])
      expect(await runProgram('main', [role], settings, { root: old })).toEqual({
        code: 3,
        stdout: '',
        stderr: expect.stringMatching(TOO_OLD),
      })

    // Everybody who was told that it was noted is there: as a subscriber, or waiting to be one.
    const known = await query(database.url, 'select email from subscribers union select email from requests')
    expect(known.map((row) => row.email)).toEqual(expect.arrayContaining(taken))
  },
)
