/** What a Redis must fulfil before the queue runs on it, and what becomes of wakes while it is away. */
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { UnusableQueue } from '../../../src/adapters/queue/backend.ts'
import { openQueue, type Queue } from '../../../src/adapters/queue/queue.ts'
import { examineRedis } from '../../../src/adapters/queue/redis-backend.ts'
import { hasOwnRedis, NEEDS_OWN_REDIS, openTestRedis } from '../../support/databases/redis.ts'
import { findFreePort } from '../../support/servers/free-port.ts'

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
    keyPrefix: 'paper-round-test',
    workers,
    onError: (source, error) => errors.push(`${source}: ${error.message}`),
    onNotice: (notice) => notices.push(notice),
  })
  return { ...queue, notices, errors, [Symbol.asyncDispose]: () => queue.close({ graceMs: 1_000 }) }
}

const errorOf = async (redisUrl: string, workers = 1): Promise<string> => {
  const outcome: unknown = await open(redisUrl, workers).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(UnusableQueue)
  return (outcome as Error).message
}

describe.skipIf(!hasOwnRedis)(`a Redis${NEEDS_OWN_REDIS}`, () => {
  test('that may evict jobs when its memory is full is refused, with what to set', async () => {
    await using redis = await openTestRedis({ config: ['--maxmemory-policy', 'allkeys-lru'] })
    expect(await errorOf(redis.url)).toMatch(/^REDIS_URL: .*allkeys-lru.*set: maxmemory-policy noeviction$/)
    expect(await errorOf(redis.url, 0)).toContain('allkeys-lru')
  })

  test('that keeps nothing over a restart is used, with a warning', async () => {
    await using redis = await openTestRedis({ config: [] })
    await using queue = await open(redis.url)
    expect(queue.notices).toEqual([expect.stringContaining('appendonly yes')])
  })

  test.each([
    ['--appendonly', 'yes'],
    ['--save', '60 1'],
  ])('with %s is used without a warning', async (...config) => {
    await using redis = await openTestRedis({ config })
    await using queue = await open(redis.url)
    expect(queue.notices).toEqual([])
  })

  test('that refuses the login is an error that does not repeat the password', async () => {
    await using redis = await openTestRedis({ config: ['--requirepass', 'right'] })
    expect(await errorOf(redis.url)).toMatch(/^REDIS_URL: Redis refuses the login: NOAUTH/)
    const wrong = redis.url.replace('redis://', 'redis://:wrong-one@')
    const message = await errorOf(wrong, 0)
    expect(message).toMatch(/^REDIS_URL: Redis refuses the login: WRONGPASS/)
    expect(message).not.toContain('wrong-one')
    await using queue = await open(redis.url.replace('redis://', 'redis://:right@'))
    await queue.wake('letters')
  })

  test('that goes away makes wakes fail at once, and is used again when it is back', async () => {
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes'] })
    await using queue = await open(redis.url)
    let runs = 0
    await queue.process('letters', async () => {
      runs++
    })
    await queue.wake('letters')
    await expect.poll(() => runs).toBe(1)
    await redis.kill()
    await expect.poll(() => queue.wake('letters').then(() => 'woken', String)).toContain('cannot be reached')
    await redis.restart()
    await expect.poll(() => queue.wake('letters').then(() => 'woken', String)).toBe('woken')
    await expect.poll(() => runs).toBe(2)
    // Every connection retries all the time, and the errors are passed on only now and then.
    expect(queue.errors.length).toBeLessThan(10)
  })
})

describe('a Redis that does not answer', () => {
  test('is an error that names it for a process that handles queues', async () => {
    const port = await findFreePort()
    expect(await errorOf(`redis://:secret@127.0.0.1:${port}`)).toBe(
      `REDIS_URL: Redis does not answer at 127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port})`,
    )
  })

  test('does not keep a process that only wakes others from starting, nor its wakes waiting', async () => {
    const port = await findFreePort()
    await using queue = await open(`redis://127.0.0.1:${port}`, 0)
    expect(queue.notices).toEqual([expect.stringContaining('mail waits until it does')])
    await expect(queue.wake('letters')).rejects.toThrow('cannot be reached')
  })

  test('though it accepts the connection is given up in the end', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as { port: number }
    expect(await errorOf(`redis://127.0.0.1:${port}`)).toContain(`does not answer at 127.0.0.1:${port}`)
    silent.close()
  })
})

describe.skipIf(!hasOwnRedis)(`the examination of a Redis${NEEDS_OWN_REDIS}`, () => {
  test('finds nothing wrong with one that keeps everything', async () => {
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes'] })
    expect(await examineRedis(redis.url)).toEqual({ error: null, notice: null })
  })

  test('says what to set, and repeats no password', async () => {
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
