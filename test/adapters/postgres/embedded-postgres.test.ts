/** The embedded Postgres as its users meet it: first and later starts, a killed program, and folders it must refuse. */
import { spawn } from 'node:child_process'
import { chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../../../src/adapters/postgres/embedded-postgres.ts'
import { identify } from '../../../src/adapters/postgres/process.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { startChild } from '../../support/processes/child.ts'

const isRoot = process.getuid?.() === 0

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
    await using folder = await openTestFolder()
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
    await using folder = await openTestFolder()
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
    await using folder = await openTestFolder()
    const postgres = await start(folder.path)
    await query(postgres.url, "create table s (email text unique); insert into s values ('ada@example.org')")
    await expect(query(postgres.url, "insert into s values ('ada@example.org')")).rejects.toThrow(/duplicate key/)
    await expect(query(postgres.url, "select 'ada@example.org'::int")).rejects.toThrow(/invalid input/)
    await postgres.stop()
    expect(await readFile(join(folder.path, 'server.log'), 'utf8')).not.toContain('ada@')
  })

  test('says when it ended by itself', async () => {
    await using folder = await openTestFolder()
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

describe('after the program was killed', () => {
  test('the server it left running is stopped, and nothing committed is lost', async () => {
    await using folder = await openTestFolder()
    await using killed = startChild('start-embedded-postgres.ts', [folder.path, 'durable'])
    const orphan = JSON.parse(await killed.line()) as { url: string; pid: number }
    await query(orphan.url, 'create table kept as select 42 as answer')
    await killed.kill('SIGKILL')
    expect(await identify(orphan.pid)).not.toBe(null)

    const notices: string[] = []
    const next = await start(folder.path, (notice) => notices.push(notice))
    expect(await identify(orphan.pid)).toBe(null)
    expect(notices.join()).toMatch(/last run ended without stopping/)
    expect(await query(next.url, 'select answer from kept')).toEqual([{ answer: 42 }])
    await next.stop()
  })

  test('and the server with it, the next start recovers', async () => {
    await using folder = await openTestFolder()
    await using killed = startChild('start-embedded-postgres.ts', [folder.path, 'durable'])
    const dead = JSON.parse(await killed.line()) as { url: string; pid: number }
    await query(dead.url, 'create table kept as select 42 as answer')
    process.kill(dead.pid, 'SIGKILL')
    await killed.kill('SIGKILL')
    const next = await start(folder.path)
    expect(await query(next.url, 'select answer from kept')).toEqual([{ answer: 42 }])
    await next.stop()
  })

  test('a start that was killed while it made the cluster leaves nothing that the next one stumbles over', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'cluster.unfinished'))
    await writeFile(join(folder.path, 'cluster.unfinished', 'PG_VERSION'), '18\n')
    await writeFile(join(folder.path, 'password'), 'of the cluster that never was')
    const postgres = await start(folder.path)
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await postgres.stop()
  })

  test('another program that has got the number of its server is left alone', async () => {
    await using folder = await openTestFolder()
    await (await start(folder.path)).stop()
    const other = spawn('/bin/sh', ['-c', 'read line'])
    await writeFile(join(folder.path, 'cluster', 'postmaster.pid'), `${other.pid}\n${folder.path}/cluster\n`)
    const postgres = await start(folder.path)
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(other.exitCode).toBe(null)
    await postgres.stop()
    other.stdin.end()
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
    await using folder = await openTestFolder()
    await (await start(folder.path)).stop()
    await rm(join(folder.path, 'password'))
    await expect(start(folder.path)).rejects.toThrow(/password is missing/)
  })

  test('when the server cannot start on it, with what the server says', async () => {
    await using folder = await openTestFolder()
    await (await start(folder.path)).stop()
    await rm(join(folder.path, 'cluster', 'global', 'pg_control'))
    await expect(start(folder.path)).rejects.toThrow(
      /does not start: .*(pg_control|could not find the database system)/,
    )
  })
})

describe.skipIf(!isRoot)('started by root (skipped when we are not)', () => {
  const ownerOf = async (folder: string) => (await stat(join(folder, 'cluster'))).uid

  test('the server runs as a user without rights where that one can reach its folder', async () => {
    await using folder = await openTestFolder(0o755)
    const postgres = await start(join(folder.path, 'postgres'))
    expect(await ownerOf(join(folder.path, 'postgres'))).toBe(65534)
    expect((await stat(`/proc/${postgres.pid}`)).uid).toBe(65534)
    await postgres.stop()
  })

  test('the server runs in a folder that is closed to all others', async () => {
    await using folder = await openTestFolder(0o700)
    const postgres = await start(join(folder.path, 'postgres'))
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await postgres.stop()
  })

  test('a folder of another user stays that one’s', async () => {
    await using folder = await openTestFolder(0o755)
    await chown(folder.path, 1234, 1234)
    const asUser = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups', '--']
    const path = join(folder.path, 'postgres')
    await using first = startChild('start-embedded-postgres.ts', [path], asUser)
    await first.line()
    await first.end()
    expect(await ownerOf(path)).toBe(1234)
    await (await start(path)).stop()
    await using again = startChild('start-embedded-postgres.ts', [path], asUser)
    expect(JSON.parse(await again.line())).toHaveProperty('url')
    await again.end()
  })
})

describe.skipIf(!isRoot)('started by others than root (skipped when we are not root, who alone can try)', () => {
  test('a user without a name on this machine can', async () => {
    await using folder = await openTestFolder()
    await chown(folder.path, 54321, 54321)
    const asUser = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--']
    await using child = startChild('start-embedded-postgres.ts', [join(folder.path, 'postgres')], asUser)
    const { url, pid } = JSON.parse(await child.line()) as { url: string; pid: number }
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
    await child.end()
    expect(await identify(pid)).toBe(null)
  })

  test('the server that root left running for such a user is found', async () => {
    await using folder = await openTestFolder()
    await chown(folder.path, 54321, 54321)
    const asUser = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--']
    await using killed = startChild('start-embedded-postgres.ts', [join(folder.path, 'postgres')], asUser)
    const orphan = JSON.parse(await killed.line()) as { pid: number }
    await killed.kill('SIGKILL')
    await using next = startChild('start-embedded-postgres.ts', [join(folder.path, 'postgres')], asUser)
    const { url } = JSON.parse(await next.line()) as { url: string }
    expect(await identify(orphan.pid)).toBe(null)
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
    await next.end()
  })

  test('another user’s folder is refused in words', async () => {
    await using folder = await openTestFolder(0o755)
    await mkdir(join(folder.path, 'cluster'))
    await chown(folder.path, 54321, 54321)
    const asUser = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--']
    await using child = startChild('start-embedded-postgres.ts', [folder.path], asUser)
    await expect(child.line()).rejects.toThrow(/belongs to another user \(uid 0\)/)
  })
})
