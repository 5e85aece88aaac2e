/** The embedded Postgres after its program was killed, and started by root and by other users. */
import { spawn } from 'node:child_process'
import { chown, mkdir, stat, writeFile } from 'node:fs/promises'
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
