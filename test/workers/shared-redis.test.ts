/** Two installations, each with a database of its own, on one database of one Redis. */
import { Queue as BullQueue } from 'bullmq'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { hasRedis, NEEDS_REDIS, openTestRedis } from '../support/databases/redis.ts'
import { startTestService } from '../support/servers/service.ts'

const READERS = 6
const form = (email: string) => ({ email, topics: 'code', frequency: 'daily', timezone: 'Europe/London' })
const fail = (_: string, error: Error): void => {
  throw error
}

describe.skipIf(!hasRedis)(`on one Redis${NEEDS_REDIS}`, () => {
  test('two services take each their own jobs alone, and mail all of their own readers', async () => {
    await using redis = await openTestRedis()
    const start = () => startTestService({ clock: '2026-04-14T05:00:00Z', settings: { REDIS_URL: redis.url } })
    await using one = await start()
    await using other = await start()
    for (let n = 0; n < READERS; n++)
      for (const [name, service] of [
        ['one', one],
        ['other', other],
      ] as const) {
        const email = `${name}${n}@example.org`
        expect((await openSite(service.url).post('/subscribe', form(email))).status).toBe(200)
        // Well under the minute after which the tick finds what nobody was woken for.
        await expect.poll(() => service.mail.list(email), { timeout: 20_000 }).toHaveLength(1)
      }
    for (const service of [one, other]) expect(await service.mail.count()).toBe(READERS)
  })

  test('a wake reaches the installation that it is for, and no other', async () => {
    await using redis = await openTestRedis()
    await using first = await openTestDatabase({ empty: true })
    await using second = await openTestDatabase({ empty: true })
    const open = (databaseUrl: string) => openQueue({ databaseUrl, redisUrl: redis.url, workers: 1, onError: fail })
    const queues = [await open(first.url), await open(second.url)]
    const runs = [0, 0]
    for (const [n, queue] of queues.entries())
      await queue.process('letters', async () => {
        runs[n] = (runs[n] ?? 0) + 1
      })
    for (let wake = 1; wake <= 10; wake++) {
      await queues[0]?.wake('letters')
      await expect.poll(() => runs[0]).toBe(wake)
    }
    expect(runs).toEqual([10, 0])
    for (const queue of queues) await queue.close({ graceMs: 1_000 })
  })

  test('the keys of a version without a name of its own are removed once nobody keeps them up', async () => {
    await using redis = await openTestRedis()
    await using database = await openTestDatabase({ empty: true })
    const client = new Redis(redis.url)
    const former = new BullQueue('tick', { connection: client, prefix: 'paper-round' })
    await former.add('tick', {})
    await former.upsertJobScheduler('tick', { every: 60_000 })
    await client.set('somebody:else', 'stays')
    const open = () => openQueue({ databaseUrl: database.url, redisUrl: redis.url, workers: 1, onError: fail })
    const keysOfFormer = () => client.keys('paper-round:*')
    const running = await open()
    await running.ping()
    await running.close({ graceMs: 1_000 })
    // A version that runs beside this one keeps its schedule up; its keys stay.
    expect(await keysOfFormer()).not.toEqual([])
    await client.zadd('paper-round:tick:repeat', Date.now() - 10 * 60_000, 'tick')
    const alone = await open()
    await expect.poll(keysOfFormer).toEqual([])
    await alone.close({ graceMs: 1_000 })
    expect(await client.get('somebody:else')).toBe('stays')
    await former.close()
    client.disconnect()
  })
})
