/** The promises of the queue, on Postgres and on Redis, with handlers that fail, die and take too long. */
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { openQueue, type Queue } from '../../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../../src/adapters/queue/queue-names.ts'
import { retryDeadlocks } from '../../support/databases/deadlocks.ts'
import { openTestDatabase, type TestDatabase } from '../../support/databases/postgres.ts'
import { hasRedis, NEEDS_REDIS, openTestRedis } from '../../support/databases/redis.ts'
import { startChild } from '../../support/processes/child.ts'
import { thorough } from '../../support/thoroughness.ts'

/** Given, so that on Redis no database is needed; `process-jobs.ts` has the same. */
const KEY_PREFIX = 'paper-round-test'
const GRACE = { graceMs: 5_000 }

interface TestQueue extends AsyncDisposable, Queue {
  errors: string[]
}

/** The server that a queue runs on, and what a test does to it from outside. */
interface QueueServer extends AsyncDisposable {
  databaseUrl: string
  redisUrl: string | null
  /** Deletes everything that the queue holds. */
  wipe(): Promise<void>
  /** Breaks every connection but the test's own. */
  cut(): Promise<void>
  /** How many connections there are besides the test's own. */
  connections(): Promise<number>
  /** How many jobs of a queue wait for their time. */
  delayed(name: QueueName): Promise<number>
  /** What is stored with each job, as text. */
  payloads(names: QueueName[]): Promise<string[]>
}

const OTHERS = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

const openOnPostgres = async (): Promise<QueueServer> => {
  const database = await openTestDatabase({ empty: true })
  return {
    databaseUrl: database.url,
    redisUrl: null,
    wipe: () => retryDeadlocks(() => query(database, 'drop schema bullmq cascade')),
    cut: async () => void (await query(database, `select pg_terminate_backend(pid) ${OTHERS}`)),
    connections: async () => (await query(database, `select ${OTHERS}`)).length,
    delayed: async (name) =>
      (await query(database, `select from bullmq.job where state = 'delayed' and name = '${name}'`)).length,
    payloads: async () =>
      (await query<{ data: string }>(database, 'select data::text from bullmq.job')).map((row) => row.data),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

const openOnRedis = async (): Promise<QueueServer> => {
  const redis = await openTestRedis()
  const client = new Redis(redis.url)
  const number = client.options.db ?? 0
  const others = async () => {
    const list = String(await client.client('LIST')).split('\n')
    const own = await client.client('ID')
    return list.filter((line) => line.includes(` db=${number} `) && !line.startsWith(`id=${own} `))
  }
  return {
    // Nothing listens there: on Redis the queue does not use the database.
    databaseUrl: 'postgres://127.0.0.1:1/none',
    redisUrl: redis.url,
    wipe: async () => void (await client.flushdb()),
    async cut() {
      for (const line of await others()) await client.client('KILL', 'ID', /^id=(\d+)/.exec(line)?.[1] ?? '')
    },
    connections: async () => (await others()).length,
    delayed: (name) => client.zcard(`${KEY_PREFIX}:${name}:delayed`),
    async payloads(names) {
      const found: string[] = []
      for (const name of names)
        for (const id of await client.lrange(`${KEY_PREFIX}:${name}:wait`, 0, -1))
          found.push((await client.hget(`${KEY_PREFIX}:${name}:${id}`, 'data')) ?? '')
      return found
    },
    async [Symbol.asyncDispose]() {
      client.disconnect()
      await redis[Symbol.asyncDispose]()
    },
  }
}

const open = async ({ databaseUrl, redisUrl }: QueueServer, workers = 2): Promise<TestQueue> => {
  const errors: string[] = []
  const queue = await openQueue({
    databaseUrl,
    redisUrl,
    keyPrefix: KEY_PREFIX,
    workers,
    onError: (source, error) => errors.push(`${source}: ${error.message}`),
  })
  let closed: Promise<void> | null = null
  const close: Queue['close'] = (options) => {
    closed ??= queue.close(options)
    return closed
  }
  return { ...queue, errors, close, [Symbol.asyncDispose]: () => close(GRACE) }
}

/** A handler whose runs a test waits for, and holds up. */
const createHandler = () => {
  let runs = 0
  const waiters: { runs: number; resolve: () => void }[] = []
  let gate: Promise<void> = Promise.resolve()
  let open: () => void = () => undefined
  return {
    async handle(): Promise<void> {
      runs += 1
      for (const waiter of waiters) if (runs >= waiter.runs) waiter.resolve()
      await gate
    },
    runs: () => runs,
    reached: (wanted: number) =>
      runs >= wanted
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            waiters.push({ runs: wanted, resolve })
          }),
    hold() {
      gate = new Promise((resolve) => {
        open = resolve
      })
    },
    release: () => open(),
  }
}

/** Long enough for a wake that should not have happened to be seen. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 50))

const query = async <T extends object>(database: TestDatabase, text: string): Promise<T[]> => {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

const SERVERS = [
  { name: 'Postgres', openServer: openOnPostgres, runs: true },
  { name: `Redis${NEEDS_REDIS}`, openServer: openOnRedis, runs: hasRedis },
]

for (const { name, openServer, runs } of SERVERS)
  describe.skipIf(!runs)(`on ${name}`, () => {
    describe('a wake', () => {
      test('runs the handler in one of the processes that handle its queue, and no handler of another queue', async () => {
        await using server = await openServer()
        await using one = await open(server)
        await using other = await open(server)
        const letters = createHandler()
        const tick = createHandler()
        await one.process('letters', letters.handle)
        await other.process('letters', letters.handle)
        await other.process('tick', tick.handle)
        await one.wake('letters')
        await letters.reached(1)
        await aMoment()
        expect([letters.runs(), tick.runs()]).toEqual([1, 0])
      })

      test('waits until a process handles its queue', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        await queue.wake('letters')
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await letters.reached(1)
      })

      test('that comes while others wait is joined with them', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        for (let n = 0; n < 20; n++) await queue.wake('letters')
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await letters.reached(1)
        await aMoment()
        expect(letters.runs()).toBe(1)
      })

      test('that comes while the handler runs makes it run again', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const letters = createHandler()
        letters.hold()
        await queue.process('letters', letters.handle)
        await queue.wake('letters')
        await letters.reached(1)
        for (let n = 0; n < 3; n++) await queue.wake('letters')
        letters.release()
        await letters.reached(2)
        await aMoment()
        expect(letters.runs()).toBe(2)
      })

      test('for later is carried out, and does not hold back one for now', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await queue.wake('letters', { delayMs: 20 })
        await letters.reached(1)
        await queue.wake('letters', { delayMs: 3_600_000 })
        await queue.wake('letters')
        await letters.reached(2)
        await aMoment()
        expect(letters.runs()).toBe(2)
        expect(await server.delayed('letters')).toBe(1)
      })
    })

    describe('a handler', () => {
      test('that throws is reported, and runs again', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const letters = createHandler()
        await queue.process('letters', async () => {
          await letters.handle()
          if (letters.runs() < 2) throw new Error('the first run fails')
        })
        await queue.wake('letters')
        await letters.reached(2)
        expect(queue.errors).toEqual(['letters: the first run fails'])
      })

      test('that failed and waits for its retry does not keep a new wake waiting', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const order: string[] = []
        const letters = createHandler()
        await queue.process('letters', async () => {
          order.push(`run ${letters.runs() + 1}`)
          await letters.handle()
          if (letters.runs() === 1) throw new Error('no')
        })
        await queue.wake('letters')
        await letters.reached(1)
        await aMoment()
        await queue.wake('letters')
        await letters.reached(2)
        await letters.reached(3)
        expect(order).toEqual(['run 1', 'run 2', 'run 3'])
      })

      test('runs once at a time in a process, or as often as its concurrency allows', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const letters = createHandler()
        letters.hold()
        const deliveries = createHandler()
        deliveries.hold()
        await queue.process('letters', letters.handle)
        await queue.process('deliveries', deliveries.handle, { concurrency: 2 })
        await queue.wake('letters')
        await letters.reached(1)
        await queue.wake('letters')
        await queue.wake('deliveries')
        await deliveries.reached(1)
        await queue.wake('deliveries')
        await deliveries.reached(2)
        expect(letters.runs()).toBe(1)
        letters.release()
        deliveries.release()
        await letters.reached(2)
      })

      test.runIf(thorough)(
        'whose process was killed in the middle runs again elsewhere, without another wake',
        async () => {
          await using server = await openServer()
          await using killed = startChild('process-jobs.ts', [server.databaseUrl, server.redisUrl ?? '', 'letters'])
          expect(await killed.line()).toBe('ready')
          await using queue = await open(server)
          await queue.wake('letters')
          expect(await killed.line()).toBe('letters')
          const letters = createHandler()
          await queue.process('letters', letters.handle)
          await letters.reached(1)
        },
      )

      test('of one queue is not kept waiting by those of another, however many and long they are', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const deliveries = createHandler()
        deliveries.hold()
        const letters = createHandler()
        await queue.process('deliveries', deliveries.handle)
        await queue.process('letters', letters.handle)
        for (let n = 0; n < 20; n++) await queue.wake('deliveries')
        await deliveries.reached(1)
        await queue.wake('deliveries')
        await queue.wake('letters')
        await letters.reached(1)
        expect(deliveries.runs()).toBe(1)
        deliveries.release()
      })
    })

    describe('a schedule', () => {
      test('wakes its queue at every interval, once for all processes', async () => {
        await using server = await openServer()
        await using one = await open(server)
        await using other = await open(server)
        const tick = createHandler()
        await one.process('tick', tick.handle)
        await other.process('tick', tick.handle)
        await one.schedule('tick', 200)
        await other.schedule('tick', 200)
        await tick.reached(1)
        await tick.reached(4)
        expect(await server.delayed('tick')).toBeLessThanOrEqual(1)
      })

      test.runIf(thorough)('goes on after the process that handled it was killed in the middle', async () => {
        await using server = await openServer()
        await using killed = startChild('process-jobs.ts', [server.databaseUrl, server.redisUrl ?? '', 'tick', '100'])
        const lines: string[] = []
        while (lines.filter((line) => line === 'tick').length < 3) lines.push(await killed.line())
        await killed.kill('SIGKILL')
        await using queue = await open(server)
        const tick = createHandler()
        await queue.process('tick', tick.handle)
        await queue.schedule('tick', 100)
        await tick.reached(3)
      })
    })

    describe('the queue', () => {
      test('is closed when its handlers have ended', async () => {
        await using server = await openServer()
        const queue = await open(server)
        const letters = createHandler()
        letters.hold()
        await queue.process('letters', letters.handle)
        await queue.wake('letters')
        await letters.reached(1)
        let closed = false
        const closing = queue.close(GRACE).then(() => {
          closed = true
        })
        await aMoment()
        expect(closed).toBe(false)
        letters.release()
        await closing
      })

      test('is closed in time although a handler never ends, and leaves no connection', async () => {
        await using server = await openServer()
        const queue = await open(server)
        const letters = createHandler()
        letters.hold()
        await queue.process('letters', letters.handle)
        await queue.wake('letters')
        await letters.reached(1)
        await queue.close({ graceMs: 50 })
        await expect.poll(server.connections).toBe(0)
        letters.release()
      })

      test('works again after its connections were broken', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await server.cut()
        await expect.poll(() => queue.wake('letters').then(() => 'woken', String)).toBe('woken')
        await letters.reached(1)
      })

      test('that was deleted while it runs is restored by the next sweep, its schedule included', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const letters = createHandler()
        const tick = createHandler()
        await queue.process('letters', letters.handle)
        // As the scheduler does every minute: it wakes the queues of what waits in the database.
        await queue.process('tick', async () => {
          await tick.handle()
          await queue.wake('letters')
        })
        await queue.schedule('tick', 300)
        await tick.reached(2)
        await server.wipe()
        const [ticks, wakes] = [tick.runs(), letters.runs()]
        await tick.reached(ticks + 3)
        await letters.reached(wakes + 2)
      })

      test('that a process wakes for the first time while it is deleted can be woken once it is restored', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        await server.wipe()
        await queue.wake('letters').catch(() => undefined)
        await using other = await open(server)
        const letters = createHandler()
        await other.process('letters', letters.handle)
        await expect.poll(() => queue.wake('letters').then(() => 'woken', String)).toBe('woken')
        await letters.reached(1)
      })

      test('that was deleted while no process ran is restored at the next start, empty', async () => {
        await using server = await openServer()
        const before = await open(server)
        await before.wake('letters')
        await before.close(GRACE)
        await server.wipe()

        await using after = await open(server)
        const letters = createHandler()
        await after.process('letters', letters.handle)
        await aMoment()
        expect(letters.runs()).toBe(0)
        await after.wake('letters')
        await letters.reached(1)
      })

      test('has no data in its jobs', async () => {
        await using server = await openServer()
        await using queue = await open(server)
        const names = ['tick', 'letters'] satisfies QueueName[]
        for (const name of names) await queue.wake(name)
        expect(await server.payloads(names)).toEqual(['{}', '{}'])
      })
    })
  })

describe('on Postgres alone', () => {
  test('a wake fails at once when the database is gone', async () => {
    const server = await openOnPostgres()
    await using queue = await open(server)
    await queue.wake('letters')
    await server[Symbol.asyncDispose]()
    await expect(queue.wake('letters')).rejects.toThrow()
  })

  test('nothing is put into the schema of our own tables', async () => {
    await using database = await openTestDatabase({ empty: true })
    const queue = await openQueue({ databaseUrl: database.url, redisUrl: null, workers: 0, onError: () => undefined })
    await queue.wake('letters')
    await queue.close(GRACE)
    expect(await query(database, "select from pg_class where relnamespace = 'public'::regnamespace")).toEqual([])
  })
})
