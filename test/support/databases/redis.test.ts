/** The Redis of the tests: that each test has a database to itself, and a server of its own can be killed. */
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { hasOwnRedis, hasRedis, NEEDS_OWN_REDIS, NEEDS_REDIS, openTestRedis } from './redis.ts'

const openClient = (url: string) => {
  const client = new Redis(url)
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() })
}

describe.skipIf(!hasRedis)(`the Redis that tests share${NEEDS_REDIS}`, () => {
  test('gives each a database of its own, and one that nobody wrote to', async () => {
    await using one = await openTestRedis()
    using client = openClient(one.url)
    await client.set('mine', 'yes')
    let another: string
    {
      await using other = await openTestRedis()
      another = other.url
      using client = openClient(another)
      expect(await client.get('mine')).toBeNull()
      await client.set('mine', 'no')
    }
    await using again = await openTestRedis()
    expect(again.url).toBe(another)
    using third = openClient(again.url)
    expect(await third.dbsize()).toBe(0)
    expect(await client.get('mine')).toBe('yes')
  })
})

describe.skipIf(!hasOwnRedis)(`a Redis of a test's own${NEEDS_OWN_REDIS}`, () => {
  test('has its settings, and after a kill the address and what it wrote down', async () => {
    await using redis = await openTestRedis({ config: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    {
      using client = openClient(redis.url)
      await client.set('kept', 'yes')
    }
    await redis.kill()
    await redis.restart()
    using client = openClient(redis.url)
    expect(await client.get('kept')).toBe('yes')
    expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes'])
    await redis.restart()
    expect(await client.get('kept')).toBe('yes')
  })
})
