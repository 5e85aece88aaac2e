/** An import that is killed again and again by SIGKILL goes on, and ends as if nothing had happened. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from '../../../src/store/database.ts'
import { openTestDatabase } from '../../support/databases/postgres.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { startProgram } from '../../support/processes/program.ts'

const ROWS = 60_000
/** One row in so many is wrong. */
const WRONG_EVERY = 250

test('every row is imported once or refused once, however often the import is killed', {
  timeout: 600_000,
}, async () => {
  await using folder = await openTestFolder()
  await using database = await openTestDatabase()
  const db = openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  const list = join(folder.path, 'list.csv')
  const rows = Array.from({ length: ROWS }, (_, n) =>
    n % WRONG_EVERY === 0 ? `nobody${n},` : `reader${n}@example.org,token-of-reader-${n}`,
  )
  await writeFile(list, `email,legacy_token\n${rows.join('\n')}\n`)
  const start = () =>
    startProgram('admin', ['--json', 'subscribers', 'import', list, '--consent', 'form of our lab, 2019 to 2026'], {
      DATABASE_URL: database.url,
      DATA_DIR: folder.path,
      SECRET_KEY: '7'.repeat(64),
      NODE_ENV: 'development',
    })
  const rowsDone = async (): Promise<number> =>
    (await db.selectFrom('subscriber_imports').select('rows_done').executeTakeFirst())?.rows_done ?? 0
  let done = 0
  for (const killAt of [1, ROWS / 4, ROWS / 2]) {
    await using program = start()
    let ended = false
    void program.end().then(() => {
      ended = true
    })
    while (done < killAt && !ended) {
      await new Promise((resume) => setTimeout(resume, 5))
      done = await rowsDone()
    }
    expect([killAt, ended]).toEqual([killAt, false])
    await program.end('SIGKILL')
  }
  const ended = await start().end()
  expect(ended).toMatchObject({ code: 0 })
  const refused = ROWS / WRONG_EVERY
  const result = JSON.parse(ended.stdout) as { resumedFrom: number; report: string }
  expect(result).toMatchObject({ rows: ROWS, imported: ROWS - refused, refused, kept: {}, links: ROWS - refused })
  expect(result.resumedFrom).toBeGreaterThanOrEqual(done)
  const { rows: held } = await sql<{ n: number; addresses: number; records: number; links: number; imports: number }>`
    select count(*)::int as n, count(distinct lower(email))::int as addresses,
      (select count(distinct subscriber_id)::int from consent_records) as records,
      (select count(*)::int from legacy_links) as links, (select count(*)::int from subscriber_imports) as imports
    from subscribers`.execute(db)
  const all = ROWS - refused
  expect(held).toEqual([{ n: all, addresses: all, records: all, links: all, imports: 0 }])
  const report = (await readFile(result.report, 'utf8')).trim().split('\n')
  expect(report.slice(1).map((line) => Number(line.split(',')[0]))).toEqual(
    Array.from({ length: refused }, (_, n) => n * WRONG_EVERY + 2),
  )
  await db.destroy()
})
