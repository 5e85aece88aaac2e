/** docs/install.md without Docker: its SQL and its settings lead to a service in production that emails a reader. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
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

const GUIDE = await readFile(join(import.meta.dirname, '../../docs/install.md'), 'utf8')

/** The statements that the guide gives to psql, and the lines that it writes into `.env`. */
const statements = [...(/sudo -u postgres psql (.*)/.exec(GUIDE)?.[1] ?? '').matchAll(/-c "([^"]*)"/g)].map(
  ([, statement = '']) => statement,
)
const settings = (/tee \.env >\/dev\/null <<END\n(.*?)^ *END$/ms.exec(GUIDE)?.[1] ?? '').replaceAll(/^ +/gm, '')

/** Replaces what a reader of the guide replaces, and fails where the guide does not have it. */
const replaced = (text: string, ...pairs: [before: string, after: string][]): string =>
  pairs.reduce((all, [before, after]) => {
    expect(all).toContain(before)
    return all.replaceAll(before, after)
  }, text)

test('a database made by the guide’s SQL and its settings in .env are enough for a service in production', {
  timeout: 300_000,
}, async () => {
  await using server = await openTestDatabase({ empty: true })
  await using folder = await openTestFolder(0o711)
  await using sink = await openSmtpSink()
  await writeDays(join(folder.path, 'papers'), ['2026-04-14'], ['robotics'])
  const [name, password] = [`guide_${randomBytes(5).toString('hex')}`, randomBytes(24).toString('hex')]
  const admin = new Client({ connectionString: server.url })
  await admin.connect()
  await using _ = {
    async [Symbol.asyncDispose]() {
      await admin.query(`drop database if exists ${name} with (force)`)
      await admin.query(`drop role if exists ${name}`)
      await admin.end()
    },
  }
  expect(statements).toHaveLength(2)
  for (const statement of statements)
    await admin.query(replaced(statement, ['paper_round', name]).replace('$PASSWORD', password))

  const own = replaced(
    settings,
    [
      'postgres://paper_round:$PASSWORD@127.0.0.1/paper_round',
      `postgres://${name}:${password}@${new URL(server.url).host}/${name}`,
    ],
    ['/var/lib/paper-round', join(folder.path, 'data')],
    ['$(openssl rand -hex 32)', randomBytes(32).toString('hex')],
    ['smtp://USER:PASSWORD@mail.example.org:587', `${sink.url}?requireTLS=false`],
    ['HEALTH_PORT=8081', 'HEALTH_PORT=0'],
  )
  // Papers and name servers of the outside are left alone.
  const offline = `PORT=0\nADMIN_PORT=0\nDOMAIN_LOOKUPS=off\nPAPER_SOURCES=file:${join(folder.path, 'papers')}\n`
  await writeFile(join(folder.path, '.env'), own + offline)

  await using service = startProgram('main', [], {}, { folder: folder.path })
  const said = await service.said('Paper Round is ready')
  const site = openSite(announcedIn(said).site)
  expect((await site.post('/subscribe', { email: 'ada@example.org' })).status).toBe(200)
  const [mail] = await sink.waitFor(1, 90_000)
  expect(mail?.raw).toMatch(/^From: "?Paper Round"? <round@example\.org>\r$/m)
  expect(mail?.raw.replaceAll('=\r\n', '')).toContain('https://round.example.org/confirm/')
  const shown = await runProgram('admin', ['subscribers', 'show', 'ada@example.org'], {}, { folder: folder.path })
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('pending') })
  expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
})
