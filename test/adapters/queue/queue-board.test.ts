/** What operators see of the queue, on Postgres and on Redis: how each stands, and the board of its jobs, which changes nothing. */
import { describe, expect, test } from 'vitest'
import { openQueue, type Queue } from '../../../src/adapters/queue/queue.ts'
import { QUEUE_NAMES } from '../../../src/adapters/queue/queue-names.ts'
import { openTestDatabase } from '../../support/databases/postgres.ts'
import { hasRedis, NEEDS_REDIS, openTestRedis } from '../../support/databases/redis.ts'

interface OpenQueue extends AsyncDisposable {
  queue: Queue
  /** Resolves at the first error that a handler threw. */
  failure: Promise<void>
}

const openOn = async (server: { url: string } & AsyncDisposable, isRedis: boolean): Promise<OpenQueue> => {
  let fail: () => void = () => undefined
  const failure = new Promise<void>((resolve) => {
    fail = resolve
  })
  const queue = await openQueue({
    databaseUrl: isRedis ? 'postgres://127.0.0.1:1/none' : server.url,
    redisUrl: isRedis ? server.url : null,
    keyPrefix: 'paper-round-board',
    workers: 1,
    onError: fail,
  })
  return {
    queue,
    failure,
    async [Symbol.asyncDispose]() {
      await queue.close({ graceMs: 1_000 })
      await server[Symbol.asyncDispose]()
    },
  }
}

const stateOf = async (queue: Queue, name: string) => (await queue.readStates()).find((one) => one.name === name)

describe.each([
  ['Postgres', () => openTestDatabase({ empty: true }), false, true],
  ['Redis', () => openTestRedis(), true, hasRedis],
] as const)('on %s', (name, openServer, isRedis, isThere) => {
  const needs = isThere ? '' : NEEDS_REDIS

  test.skipIf(!isThere)(
    `how each queue stands is told: what waits, the schedule, and what was thrown${needs}`,
    async () => {
      await using opened = await openOn(await openServer(), isRedis)
      const { queue, failure } = opened
      await queue.wake('letters')
      await queue.wake('deliveries', { delayMs: 60_000 })
      expect((await queue.readStates()).map((one) => one.name)).toEqual([...QUEUE_NAMES])
      expect(await stateOf(queue, 'letters')).toMatchObject({ waiting: 1, active: 0, schedule: null, isPaused: false })
      expect((await stateOf(queue, 'letters'))?.lagMs).toBeLessThan(60_000)
      expect(await stateOf(queue, 'deliveries')).toMatchObject({ waiting: 0, delayed: 1, lagMs: null })
      await queue.process('tick', async () => {
        throw new Error('the disk is full')
      })
      await queue.schedule('tick', 60_000)
      await failure
      const tick = await stateOf(queue, 'tick')
      expect(tick?.schedule?.everyMs).toBe(60_000)
      expect(tick?.schedule?.next?.getTime()).toBeGreaterThan(Date.now() - 60_000)
      // It is tried four times more: given up is what has failed for the last time.
      expect(tick?.failed).toBe(0)
    },
  )

  test.skipIf(!isThere)(
    `the board answers what its page asks for, and nothing that would change a queue${needs}`,
    async () => {
      await using opened = await openOn(await openServer(), isRedis)
      const { queue } = opened
      await queue.wake('letters')
      const board = await queue.openBoard()
      const read = async (path: string, query = {}) => (await board.read(path, query))?.body as never
      expect(await read('redis/stats')).toMatchObject({ backend: name.toLowerCase() })
      const { queues } = (await read('queues', {
        activeQueue: 'letters',
        status: 'waiting',
        page: '1',
        jobsPerPage: '10',
      })) as {
        queues: { name: string; readOnlyMode: boolean; counts: Record<string, number>; jobs: { id: string }[] }[]
      }
      expect(queues.map((one) => [one.name, one.readOnlyMode])).toEqual(QUEUE_NAMES.map((one) => [one, true]))
      const letters = queues.find((one) => one.name === 'letters')
      expect(letters?.counts.waiting).toBe(1)
      expect(await read(`queues/letters/${letters?.jobs[0]?.id}`)).toMatchObject({
        status: 'waiting',
        job: { data: {} },
      })
      expect(await read('job-schedulers')).toEqual({ schedulers: [] })
      for (const path of ['queues/letters/empty', 'queues/pause', 'queues/letters/1/retry', '', '../package.json'])
        expect([path, await board.read(path, {})]).not.toEqual([path, expect.objectContaining({ status: 200 })])
      expect((await stateOf(queue, 'letters'))?.waiting).toBe(1)
    },
  )
})

test('its page loads its own files and nothing from elsewhere, and no path leads out of them', async () => {
  await using opened = await openOn(await openTestDatabase({ empty: true }), false)
  const board = await opened.queue.openBoard()
  const page = board.page('/admin/queue/board/')
  expect(page).toContain('<base href="/admin/queue/board/">')
  expect(page).not.toMatch(/https?:|<style|style=|<script>/)
  const hrefs = [...page.matchAll(/(?:href|src)="static\/([^"]+)"/g)].map(([, href = '']) => href)
  expect(hrefs.length).toBeGreaterThan(3)
  for (const href of hrefs)
    expect([href, (await board.readFile(href))?.content.length]).toEqual([href, expect.any(Number)])
  for (const path of ['../package.json', '../../package.json', '%2e%2e/package.json', '/etc/passwd', '', 'js'])
    expect([path, await board.readFile(path)]).toEqual([path, null])
})
