/** The database user that serves: what it may do, and that it may do nothing else. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { prepareQueueSchema } from '../../src/adapters/queue/postgres-backend.ts'
import { prepareServingUser } from '../../src/store/serving-user.ts'
import { openTestDatabase, type TestDatabase } from '../support/databases/postgres.ts'

/** With every character that a name may have in a URL and in SQL. */
const USER = `serving "${randomBytes(6).toString('hex')}"`
const urlOf = ({ url }: TestDatabase, user = USER, password = "pa'ss word"): string => {
  const own = new URL(url)
  own.username = encodeURIComponent(user)
  own.password = encodeURIComponent(password)
  return own.href
}

let database: TestDatabase
let owner: Client
let serving: Client

const connect = async (connectionString: string): Promise<Client> => {
  const client = new Client({ connectionString })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

beforeAll(async () => {
  database = await openTestDatabase()
  owner = await connect(database.url)
  await prepareQueueSchema(database.url)
  // Twice, as at each upgrade.
  for (let n = 0; n < 2; n++) await prepareServingUser(database.url, urlOf(database))
  serving = await connect(urlOf(database))
})

afterAll(async () => {
  await serving?.end()
  const name = owner.escapeIdentifier(USER)
  await owner.query(`drop owned by ${name}; drop role ${name}`)
  await owner.end()
  await database[Symbol.asyncDispose]()
})

const tablesOf = async (): Promise<string[]> => {
  const { rows } = await owner.query<{ name: string }>(`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'bullmq') and c.relkind in ('r', 'p') and not c.relispartition order by 1`)
  return rows.map(({ name }) => name)
}

/** The code of the error with which a statement is refused, and no other; `null` where it is not. */
const refusalOf = async (client: Client, statement: string): Promise<string | null> => {
  await client.query('begin')
  try {
    await client.query(statement)
    return null
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await client.query('rollback')
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'

test('it reads every table, and writes rows of all that it serves from', async () => {
  const tables = await tablesOf()
  expect(tables.length).toBeGreaterThan(30)
  for (const table of tables)
    expect([table, await refusalOf(serving, `select from ${table} limit 1`)]).toEqual([table, null])
  for (const table of ['public.subscribers', 'public.deliveries', 'public.papers', 'public.sign_ups', 'bullmq.job'])
    expect([table, await refusalOf(serving, `delete from ${table}`)]).toEqual([table, null])
  // Without rows: what a statement is refused for is the right to it, before anything else.
  expect(await refusalOf(serving, 'update subscribers set state = state where false')).toBeNull()
})

describe('it can neither create nor drop', () => {
  test.each([
    'create table mine (id int)',
    'create temporary table mine (id int)',
    'create schema mine',
    'create table bullmq.mine (id int)',
    'create function mine() returns int language sql as $$ select 1 $$',
    'create view mine as select * from subscribers',
    'create extension pg_trgm',
    'create role mine',
    'drop table subscribers',
    'drop table bullmq.job',
    'drop schema bullmq cascade',
    'truncate subscribers',
    'truncate sign_ups',
    'alter table subscribers add column mine int',
    'alter table subscribers disable trigger all',
    'create index on subscribers (email)',
    'create trigger mine before insert on subscribers for each row execute function suppress_redundant_updates_trigger()',
    "copy subscribers to program 'cat'",
    "copy subscribers to '/tmp/subscribers'",
    'set session_replication_role = replica',
    'update kysely_migration set name = name',
    'delete from schema_compatibility',
    'update bullmq.migration set version = 1',
  ])('%s', async (statement) => {
    expect(await refusalOf(serving, statement)).toBe(INSUFFICIENT_PRIVILEGE)
  })

  test('what is on record is read and added to, and neither changed nor deleted', async () => {
    for (const [table, column] of Object.entries({
      consent_records: 'event',
      consent_wordings: 'version',
      audit_log: 'action',
    })) {
      expect(await refusalOf(serving, `select from ${table}`)).toBeNull()
      expect(await refusalOf(serving, `update ${table} set ${column} = ${column}`)).toBe(INSUFFICIENT_PRIVILEGE)
      expect(await refusalOf(serving, `delete from ${table}`)).toBe(INSUFFICIENT_PRIVILEGE)
    }
  })
})

test('a table that its owner makes later, as each month of deliveries, is served from at once', async () => {
  await owner.query('create table later (id int generated always as identity, text text)')
  expect(await refusalOf(serving, "insert into later (text) values ('a')")).toBeNull()
  expect(await refusalOf(serving, 'drop table later')).toBe(INSUFFICIENT_PRIVILEGE)
})

test('whoever migrates, or may do more, is not taken for it', async () => {
  const { username } = new URL(database.url)
  await expect(prepareServingUser(database.url, urlOf(database, decodeURIComponent(username)))).rejects.toThrow(
    'may do more than serve',
  )
})

test('an owner who may make no users says what an administrator has to run', async () => {
  // The serving user stands for an owner without that right.
  await expect(prepareServingUser(urlOf(database), urlOf(database, 'nobody "yet"'))).rejects.toThrow(
    'create role "nobody ""yet""" login password',
  )
})
