/** Who owns the data folder, whom the others wait for or attach to, and what a dead owner leaves. */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import {
  claimDataFolder,
  openDataFolder,
  readSecretKey,
  UnusableDataFolder,
} from '../../../src/adapters/postgres/data-folder.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { startChild } from '../../support/processes/child.ts'

/** A claim that has to wait, and the moment that it says so. */
const waiting = async (folder: string, as: 'service' | 'command') => {
  let say: (notice: string) => void = () => undefined
  const notice = new Promise<string>((resolve) => {
    say = resolve
  })
  return { claim: claimDataFolder(folder, as, { onNotice: say }), notice: await notice }
}

describe('a data folder', () => {
  test('of a live service is refused to a second one, by its name', async () => {
    await using folder = await openTestFolder()
    const owner = await claimDataFolder(folder.path, 'service')
    const second = claimDataFolder(folder.path, 'service')
    await expect(second).rejects.toThrow(UnusableDataFolder)
    await expect(second).rejects.toThrow(`in use by process ${process.pid}`)
    await owner.release()
    expect((await claimDataFolder(folder.path, 'service')).kind).toBe('owned')
  })

  test('of a service takes commands in as soon as its database is ready', async () => {
    await using folder = await openTestFolder()
    const owner = await claimDataFolder(folder.path, 'service')
    const command = await waiting(folder.path, 'command')
    expect(command.notice).toContain(String(process.pid))
    await owner.publish('postgres://somewhere')
    const attached = { kind: 'attached', databaseUrl: 'postgres://somewhere', pid: process.pid }
    expect(await command.claim).toEqual(attached)
    expect(await claimDataFolder(folder.path, 'command')).toEqual(attached)
    await owner.release()
  })

  test('of a service that is ending becomes the waiting command’s', async () => {
    await using folder = await openTestFolder()
    const owner = await claimDataFolder(folder.path, 'service')
    await owner.publish('postgres://somewhere')
    await owner.publish(null)
    const command = await waiting(folder.path, 'command')
    await owner.release()
    expect((await command.claim).kind).toBe('owned')
  })

  test.each(['service', 'command'] as const)('of a command keeps a %s waiting until it is done', async (as) => {
    await using folder = await openTestFolder()
    const owner = await claimDataFolder(folder.path, 'command')
    if (owner.kind !== 'owned') throw new Error('no other process is here')
    await owner.publish('postgres://somewhere')
    const next = await waiting(folder.path, as)
    await owner.release()
    expect((await next.claim).kind).toBe('owned')
  })

  test('goes from hand to hand without growing', async () => {
    await using folder = await openTestFolder()
    for (let n = 0; n < 20; n++) await (await claimDataFolder(folder.path, 'service')).release()
    expect((await readdir(join(folder.path, 'owner'))).length).toBeLessThanOrEqual(4)
  })

  test('shows its records to its owner alone', async () => {
    await using folder = await openTestFolder()
    const owner = await claimDataFolder(folder.path, 'service')
    await owner.publish('postgres://with:password@somewhere')
    for (const name of await readdir(join(folder.path, 'owner')))
      expect((await stat(join(folder.path, 'owner', name))).mode & 0o777).toBe(0o600)
  })

  test('that cannot be written is refused in words', async () => {
    await using folder = await openTestFolder()
    await writeFile(join(folder.path, 'a-file'), '')
    await expect(claimDataFolder(join(folder.path, 'a-file'), 'service')).rejects.toThrow(
      /cannot be written \(EEXIST\)/,
    )
    await expect(claimDataFolder(join(folder.path, 'a-file', 'within'), 'service')).rejects.toThrow(/ENOTDIR/)
  })

  test.skipIf(process.getuid?.() === 0)('without the right to write is refused in words (root has it)', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'data'))
    await chmod(join(folder.path, 'data'), 0o500)
    await expect(claimDataFolder(join(folder.path, 'data'), 'service')).rejects.toThrow(/EACCES/)
  })
})

describe('the folder of an owner that died', () => {
  test('is taken over after kill -9', async () => {
    await using folder = await openTestFolder()
    await using owner = startChild('claim-folder.ts', [folder.path])
    await owner.line()
    owner.write('go\n')
    expect(await owner.line()).toBe('owned')
    await expect(claimDataFolder(folder.path, 'service')).rejects.toThrow(`in use by process ${owner.pid}`)
    await owner.kill('SIGKILL')
    expect((await claimDataFolder(folder.path, 'service')).kind).toBe('owned')
  })

  test('is taken over although its number belongs to another process now', async () => {
    await using folder = await openTestFolder()
    await claimDataFolder(folder.path, 'service')
    const path = join(folder.path, 'owner', '1')
    const record = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...record, began: 'an earlier boot' }))
    expect((await claimDataFolder(folder.path, 'service')).kind).toBe('owned')
  })

  test('is taken over although its record was cut off', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'owner'))
    await writeFile(join(folder.path, 'owner', '7'), '{"pid": 1')
    expect((await claimDataFolder(folder.path, 'service')).kind).toBe('owned')
    expect(await readdir(join(folder.path, 'owner'))).toContain('8')
  })

  test('is taken over by one alone of many in this process', async () => {
    for (let round = 0; round < 20; round++) {
      await using folder = await openTestFolder()
      await mkdir(join(folder.path, 'owner'))
      await writeFile(join(folder.path, 'owner', '1'), '{}')
      const claims = await Promise.allSettled(Array.from({ length: 12 }, () => claimDataFolder(folder.path, 'service')))
      expect(claims.filter((claim) => claim.status === 'fulfilled')).toHaveLength(1)
    }
  })

  test('is taken over by one alone of several processes', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'owner'))
    await writeFile(join(folder.path, 'owner', '1'), '{}')
    await using children = new AsyncDisposableStack()
    const contenders = Array.from({ length: 5 }, () => children.use(startChild('claim-folder.ts', [folder.path])))
    for (const contender of contenders) await contender.line()
    for (const contender of contenders) contender.write('go\n')
    const said = await Promise.all(contenders.map((contender) => contender.line()))
    expect(said.filter((line) => line === 'owned')).toHaveLength(1)
    const winner = contenders[said.indexOf('owned')]
    for (const line of said) if (line !== 'owned') expect(line).toContain(`in use by process ${winner?.pid}`)
  })

  test('stays the new owner’s when a slow contender comes back with an old number', async () => {
    await using folder = await openTestFolder()
    // The state that a contender meets who looked when 2 was the highest, and slept until 3 had been swept away.
    await mkdir(join(folder.path, 'owner'))
    await writeFile(join(folder.path, 'owner', '1'), '{}')
    const owner = await claimDataFolder(folder.path, 'service')
    for (let n = 0; n < 8; n++) {
      if (n === 0) await owner.release()
      const next = await claimDataFolder(folder.path, 'service')
      if (n < 7) await next.release()
    }
    await writeFile(join(folder.path, 'owner', '3'), '{}')
    await expect(claimDataFolder(folder.path, 'service')).rejects.toThrow(/in use/)
  })
})

describe('the database in a data folder', () => {
  const count = async (url: string): Promise<number> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      await client.query('create table if not exists visits (at timestamptz default now())')
      await client.query('insert into visits default values')
      return (await client.query('select * from visits')).rows.length
    } finally {
      await client.end()
    }
  }

  test('is the same for the service, a command beside it, and a command without it', async () => {
    await using folder = await openTestFolder()
    const service = await openDataFolder(folder.path, 'service')
    expect([service.alone, await count(service.databaseUrl)]).toEqual([true, 1])

    const beside = await openDataFolder(folder.path, 'command')
    expect([beside.alone, await count(beside.databaseUrl)]).toEqual([false, 2])
    await beside.close()
    expect(await count(service.databaseUrl)).toBe(3)
    await service.close()

    const without = await openDataFolder(folder.path, 'command')
    expect([without.alone, await count(without.databaseUrl)]).toEqual([true, 4])
    await without.close()
  })

  test('is visible to no other process before it is prepared, and is stopped when that fails', async () => {
    await using folder = await openTestFolder()
    const prepare = async (url: string) => {
      expect(await count(url)).toBe(1)
      throw new Error('not today')
    }
    const failing = openDataFolder(folder.path, 'service', { prepare })
    await expect.poll(() => readdir(join(folder.path, 'owner')).catch(() => [])).toContain('1')
    const command = await waiting(folder.path, 'command')
    await expect(failing).rejects.toThrow('not today')
    expect((await command.claim).kind).toBe('owned')
    await expect(stat(join(folder.path, 'postgres', 'cluster', 'postmaster.pid'))).rejects.toThrow('ENOENT')
  })

  test('that cannot be opened leaves the folder to the next', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'postgres', 'cluster'), { recursive: true })
    for (let n = 0; n < 2; n++)
      await expect(openDataFolder(folder.path, 'service')).rejects.toThrow(/holds no Postgres database/)
  })
})

describe('the secret key', () => {
  test('is made once, closed to others, and the same for all who ask at once', async () => {
    await using folder = await openTestFolder()
    const data = join(folder.path, 'data')
    const keys = await Promise.all(Array.from({ length: 8 }, () => readSecretKey(data)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(keys[0]).toHaveLength(32)
    expect((await stat(join(data, 'secret-key'))).mode & 0o777).toBe(0o600)
    expect(await readdir(data)).toEqual(['secret-key'])
  })

  test('of another folder is another', async () => {
    await using one = await openTestFolder()
    await using other = await openTestFolder()
    expect(await readSecretKey(one.path)).not.toEqual(await readSecretKey(other.path))
  })

  test('that is damaged is refused and not made anew, for links that were sent depend on it', async () => {
    await using folder = await openTestFolder()
    await writeFile(join(folder.path, 'secret-key'), 'abc')
    await expect(readSecretKey(folder.path)).rejects.toThrow(/secret-key is damaged/)
    expect(await readFile(join(folder.path, 'secret-key'), 'utf8')).toBe('abc')
  })
})
