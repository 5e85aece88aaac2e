/** What is asked of a Redis before the queue is left with it, and how rings fare while it is away. */
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { UnusableQueue } from '../../../src/adapters/queue/backend.ts'
import { openQueue, type Queue } from '../../../src/adapters/queue/queue.ts'
import { examineRedis } from '../../../src/adapters/queue/redis-backend.ts'
import { hasOwnRedis, NEEDS_OWN_REDIS, openTestRedis } from '../../support/databases/redis.ts'
import { findFreePort } from '../../support/servers/free-port.ts'

const PATIENCE = { timeout: 15_000 }

interface Opened extends AsyncDisposable, Queue {
  notices: string[]
  errors: string[]
}

const open = async (redisUrl: string, workers = 1): Promise<Opened> => {
  const notices: string[] = []
  const errors: string[] = []
  const queue = await openQueue({
    databaseUrl: 'postgres://127.0.0.1:1/none',
    redisUrl,
    workers,
    onError: (where, error) => errors.push(`${where}: ${error.message}`),
    onNotice: (notice) => notices.push(notice),
  })
  return { ...queue, notices, errors, [Symbol.asyncDispose]: () => queue.close({ graceMs: 1_000 }) }
}

const refusal = async (redisUrl: string, workers = 1): Promise<string> => {
  const outcome: unknown = await open(redisUrl, workers).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(UnusableQueue)
  return (outcome as Error).message
}

describe.skipIf(!hasOwnRedis)(`a Redis${NEEDS_OWN_REDIS}`, () => {
  test('that may throw jobs away when its memory is full is refused, with what to set', async () => {
    await using redis = await openTestRedis({ config: ['--maxmemory-policy', 'allkeys-lru'] })
    expect(await refusal(redis.url)).toMatch(/^REDIS_URL: .*allkeys-lru.*set: maxmemory-policy noeviction$/)
    expect(await refusal(redis.url, 0)).toContain('allkeys-lru')
  })

  test('that keeps nothing over a restart is taken, with a warning', async () => {
    await using redis = await openTestRedis({ config: [] })
    await using queue = await open(redis.url)
    expect(queue.notices).toEqual([expect.stringContaining('appendonly yes')])
  })

  test.each([
    ['--appendonly', 'yes'],
    ['--save', '60 1'],
  ])('with %s is taken without a word', async (...config) => {
    await using redis = await openTestRedis({ config })
    await using queue = await open(redis.url)
    expect(queue.notices).toEqual([])
  })

  test('that does not take the login is refused, and the password is not repeated', async () => {
    await using redis = await openTestRedis({ config: ['--requirepass', 'right'] })
    expect(await refusal(redis.url)).toMatch(/^REDIS_URL: Redis refuses the login: NOAUTH/)
    const wrong = redis.url.replace('redis://', 'redis://:wrong-one@')
    const said = await refusal(wrong, 0)
    expect(said).toMatch(/^REDIS_URL: Redis refuses the login: WRONGPASS/)
    expect(said).not.toContain('wrong-one')
    await using queue = await open(redis.url.replace('redis://', 'redis://:right@'))
    await queue.wake('letters')
  })

  test('that goes away makes rings fail at once, and is used again when it is back', async () => {
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes'] })
    await using queue = await open(redis.url)
    let runs = 0
    await queue.process('letters', async () => {
      runs++
    })
    await queue.wake('letters')
    await expect.poll(() => runs, PATIENCE).toBe(1)
    await redis.kill()
    await expect.poll(() => queue.wake('letters').then(() => 'rung', String), PATIENCE).toContain('cannot be reached')
    await redis.restart()
    await expect.poll(() => queue.wake('letters').then(() => 'rung', String), PATIENCE).toBe('rung')
    await expect.poll(() => runs, PATIENCE).toBe(2)
    // Every connection tries again and again, and the log is not filled with it.
    expect(queue.errors.length).toBeLessThan(10)
  })
})

describe('a Redis that does not answer', () => {
  test('is named to a process that would wait for its bells', async () => {
    const port = await findFreePort()
    expect(await refusal(`redis://:secret@127.0.0.1:${port}`)).toBe(
      `REDIS_URL: Redis does not answer at 127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port})`,
    )
  })

  test('does not keep a process that only rings from starting, nor its rings waiting', async () => {
    const port = await findFreePort()
    await using queue = await open(`redis://127.0.0.1:${port}`, 0)
    expect(queue.notices).toEqual([expect.stringContaining('mail waits until it does')])
    await expect(queue.wake('letters')).rejects.toThrow('cannot be reached')
  })

  test('though it takes the connection is given up in the end', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as { port: number }
    expect(await refusal(`redis://127.0.0.1:${port}`)).toContain(`does not answer at 127.0.0.1:${port}`)
    silent.close()
  })
})

describe.skipIf(!hasOwnRedis)(`a look at a Redis${NEEDS_OWN_REDIS}`, () => {
  test('finds nothing to say of one that keeps everything', async () => {
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes'] })
    expect(await examineRedis(redis.url)).toEqual({ error: null, notice: null })
  })

  test('tells what to set, and repeats no password', async () => {
    await using redis = await openTestRedis({
      config: ['--maxmemory-policy', 'volatile-ttl', '--requirepass', 'right'],
    })
    const withPassword = (password: string) => redis.url.replace('redis://', `redis://:${password}@`)
    expect((await examineRedis(withPassword('right'))).error).toMatch(/volatile-ttl.*set: maxmemory-policy noeviction$/)
    const refused = await examineRedis(withPassword('wrong-one'))
    expect(refused.error).toMatch(/^REDIS_URL: Redis refuses the login/)
    expect(refused.error).not.toContain('wrong-one')
    await redis.kill()
    expect((await examineRedis(withPassword('right'))).error).toMatch(/^REDIS_URL: Redis does not answer at 127/)
  })
})
