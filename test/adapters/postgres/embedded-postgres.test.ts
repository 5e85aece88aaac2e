/** The embedded Postgres as its users meet it: first and later starts, and folders it must refuse. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../../../src/adapters/postgres/embedded-postgres.ts'
import { identify } from '../../../src/adapters/postgres/process.ts'
import { openTestFolder, type TestFolder } from '../../support/fixtures/folder.ts'

const run = promisify(execFile)

const query = async <T extends object>(url: string, text: string): Promise<T[]> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

const start = (folder: string, onNotice?: (notice: string) => void) =>
  startEmbeddedPostgres({ folder, durable: false, ...(onNotice && { onNotice }) })

let made: TestFolder
beforeAll(async () => {
  made = await openTestFolder()
  await (await start(made.path)).stop()
})
afterAll(() => made[Symbol.asyncDispose]())

/** A folder with a cluster, copied: to make one takes longer than most of these tests. */
const openMadeFolder = async (): Promise<TestFolder> => {
  const folder = await openTestFolder()
  // With owners and modes as they are.
  await run('cp', ['-a', `${made.path}/.`, folder.path])
  return folder
}

describe('the embedded Postgres', () => {
  test('keeps what was written from one start to the next', async () => {
    await using folder = await openTestFolder()
    const first = await start(folder.path)
    await query(first.url, "create table kept as select 'Ünïcode 論文'::text as word")
    await first.stop()
    expect(await identify(first.pid)).toBe(null)

    const second = await start(folder.path)
    expect(await query(second.url, 'select word, length(word) from kept')).toEqual([
      { word: 'Ünïcode 論文', length: 10 },
    ])
    await second.stop()
  })

  test('takes connections on the loopback address alone, and with its password alone', async () => {
    await using folder = await openMadeFolder()
    const postgres = await start(folder.path)
    const settings = await query<{ name: string; setting: string }>(
      postgres.url,
      `select name, setting from pg_settings
       where name in ('listen_addresses', 'unix_socket_directories', 'server_encoding', 'password_encryption')
       order by name`,
    )
    expect(settings.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
      'listen_addresses=127.0.0.1',
      'password_encryption=scram-sha-256',
      'server_encoding=UTF8',
      'unix_socket_directories=',
    ])
    const url = new URL(postgres.url)
    url.password = 'guess'
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password authentication failed/)
    expect((await stat(join(folder.path, 'password'))).mode & 0o777).toBe(0o600)
    await postgres.stop()
  })

  test('writes through to the disk when it is to be durable', async () => {
    await using folder = await openTestFolder()
    const postgres = await startEmbeddedPostgres({ folder: folder.path, durable: true })
    expect(
      await query(postgres.url, "select current_setting('fsync') || current_setting('synchronous_commit') as s"),
    ).toEqual([{ s: 'onon' }])
    await postgres.stop()
  })

  test('stops although a client is still connected, and only once however often it is told to', async () => {
    await using folder = await openMadeFolder()
    const postgres = await start(folder.path)
    const client = new Client({ connectionString: postgres.url })
    const errors: Error[] = []
    client.on('error', (error) => errors.push(error))
    await client.connect()
    await Promise.all([postgres.stop(), postgres.stop()])
    await postgres.stop()
    expect(errors.length).toBeGreaterThan(0)
    expect(await identify(postgres.pid)).toBe(null)
  })

  test('keeps statements and addresses out of its log', async () => {
    await using folder = await openMadeFolder()
    const postgres = await start(folder.path)
    await query(postgres.url, "create table s (email text unique); insert into s values ('ada@example.org')")
    await expect(query(postgres.url, "insert into s values ('ada@example.org')")).rejects.toThrow(/duplicate key/)
    await expect(query(postgres.url, "select 'ada@example.org'::int")).rejects.toThrow(/invalid input/)
    await postgres.stop()
    expect(await readFile(join(folder.path, 'server.log'), 'utf8')).not.toContain('ada@')
  })

  test('says when it ended by itself', async () => {
    await using folder = await openMadeFolder()
    const notices: string[] = []
    let heard: () => void = () => undefined
    const hearing = new Promise<void>((resolve) => {
      heard = resolve
    })
    const postgres = await start(folder.path, (notice) => {
      notices.push(notice)
      heard()
    })
    process.kill(postgres.pid, 'SIGQUIT')
    await hearing
    expect(notices.join()).toMatch(/ended by itself/)
    await postgres.stop()
  })
})

describe('a folder is refused in words', () => {
  test('when another major version of Postgres wrote it', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'cluster'))
    await writeFile(join(folder.path, 'cluster', 'PG_VERSION'), '17\n')
    await expect(start(folder.path)).rejects.toThrow(/written by Postgres 17, and this is Postgres 18/)
    expect(await readFile(join(folder.path, 'cluster', 'PG_VERSION'), 'utf8')).toBe('17\n')
  })

  test('when it holds something else', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'cluster'))
    await expect(start(folder.path)).rejects.toThrow(/holds no Postgres database/)
  })

  test('when its password is gone', async () => {
    await using folder = await openMadeFolder()
    await rm(join(folder.path, 'password'))
    await expect(start(folder.path)).rejects.toThrow(/password is missing/)
  })

  test('when the server cannot start on it, with what the server says', async () => {
    await using folder = await openMadeFolder()
    await rm(join(folder.path, 'cluster', 'global', 'pg_control'))
    await expect(start(folder.path)).rejects.toThrow(
      /does not start: .*(pg_control|could not find the database system)/,
    )
  })
})
