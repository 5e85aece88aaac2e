/** What operators’ commands leave in the record of what was done by whom. */
import type { Command } from 'commander'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { ACTS, wordsOf } from '../../../workers/admin/acts.ts'
import { createAdminProgram } from '../../../workers/admin/program.ts'
import { openTestDatabase, type TestDatabase } from '../../support/databases/postgres.ts'
import { runProgram } from '../../support/processes/program.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await openTestDatabase()
  db = openDatabase(database.url, { connections: 2, name: 'test', onError: () => undefined })
})
afterAll(async () => {
  await db.destroy()
  await database[Symbol.asyncDispose]()
})

const admin = (...words: string[]) =>
  runProgram('admin', words, { DATABASE_URL: database.url, NODE_ENV: 'development', SECRET_KEY: 'a'.repeat(64) })
const readRecord = () => db.selectFrom('audit_log').selectAll().orderBy('id').execute()

/** The commands that are run, and no group of them. */
const leavesOf = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)

test('each command says what it leaves in the record, or that it only reads', () => {
  const { program } = createAdminProgram({})
  expect(leavesOf(program).map(wordsOf).sort()).toEqual(Object.keys(ACTS).sort())
})

test('a command that changes something is on record once, with who ran it, and one that reads or refuses is not', async () => {
  expect(await admin('service', 'hold', '--why', 'moving house', '--by', 'Ada')).toMatchObject({ code: 0 })
  expect(await admin('service', 'show')).toMatchObject({ code: 0 })
  expect(await admin('editions', 'pause', '7')).toMatchObject({ code: 2 })
  expect(await admin('service', 'resume')).toMatchObject({ code: 0 })
  expect(await admin('curators', 'add', 'mary@example.org', '--name', 'Mary Somerville')).toMatchObject({ code: 0 })
  expect(await admin('editions', 'publish', '--dry-run')).toMatchObject({ code: 0 })
  const record = await readRecord()
  expect(record.map(({ by_whom, via, action }) => [by_whom, via, action])).toEqual([
    ['Ada', 'command', 'service.held'],
    [expect.stringMatching(/./), 'command', 'service.resumed'],
    [expect.stringMatching(/./), 'command', 'curator.named'],
  ])
  expect(record[2]).toMatchObject({ subject: expect.stringMatching(/^curator:/), detail: { name: 'Mary Somerville' } })
  expect(JSON.stringify(record)).not.toContain('mary@')
  const listed = await admin('audit', 'list', '--action', 'service')
  expect(listed.stdout.split('\n').map((line) => /service\.\w+/.exec(line)?.[0])).toEqual([
    'service.resumed',
    'service.held',
    undefined,
  ])
})

test('an operator is added with a token that is printed once and kept nowhere, changed, given another, and ended', async () => {
  const added = await admin('--json', 'operators', 'add', 'Grace Hopper', '--role', 'act')
  expect(added.code).toBe(0)
  const { token } = JSON.parse(added.stdout) as { token: string }
  expect(token).toMatch(/^paper-round-[\w-]{43}$/)
  const { rows } = await sql<{ row: string }>`select o::text as row from operators o`.execute(db)
  expect(rows).toHaveLength(1)
  expect(rows[0]?.row).not.toContain(token.slice(-20))
  expect(await admin('operators', 'add', 'grace hopper', '--role', 'look')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Somebody has this name'),
  })
  for (const [name, role] of [
    ['admin', 'own'],
    ['Ada', 'king'],
    ['', 'look'],
  ] as const)
    expect((await admin('operators', 'add', name, '--role', role)).code).toBe(2)
  expect((await admin('operators', 'role', 'Grace Hopper', 'own')).stdout).toContain('may now: own')
  const renewed = JSON.parse((await admin('--json', 'operators', 'token', 'Grace Hopper')).stdout) as { token: string }
  expect(renewed.token).not.toBe(token)
  expect((await admin('operators', 'end', 'Grace Hopper')).stdout).toContain('is no operator any more')
  expect(await admin('operators', 'end', 'Grace Hopper')).toMatchObject({ code: 2 })
  expect((await admin('operators', 'list')).stdout).toContain('Grace Hopper  (ended)')
  const acts = (await readRecord()).filter(({ action }) => action.startsWith('operator.')).map(({ action }) => action)
  expect(acts).toEqual(['operator.added', 'operator.role-changed', 'operator.token-renewed', 'operator.ended'])
  expect(JSON.stringify(await readRecord())).not.toContain(renewed.token)
})

test('nobody changes the record or deletes from it, not even whoever owns the table', async () => {
  for (const statement of [sql`update audit_log set by_whom = 'nobody'`, sql`delete from audit_log`])
    await expect(statement.execute(db)).rejects.toThrow('is never changed')
})
