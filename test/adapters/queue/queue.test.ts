/** The promises of the doorbells, on Postgres and on Redis, with workers that fail, die and take too long. */
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { openQueue, type Queue, type QueueName } from '../../../src/adapters/queue/queue.ts'
import { persist } from '../../support/databases/blocking-statements.ts'
import { openTestDatabase, type TestDatabase } from '../../support/databases/postgres.ts'
import { hasRedis, NEEDS_REDIS, openTestRedis } from '../../support/databases/redis.ts'
import { startChild } from '../../support/processes/child.ts'

const GRACE = { graceMs: 5_000 }
const PATIENCE = { timeout: 10_000 }

interface TestQueue extends AsyncDisposable, Queue {
  errors: string[]
}

/** Where a queue runs, and what a test does to it from outside. */
interface Place extends AsyncDisposable {
  databaseUrl: string
  redisUrl: string | null
  /** Throws away everything that the queue holds. */
  wipe(): Promise<void>
  /** Breaks every connection of others. */
  cut(): Promise<void>
  /** How many connections others have. */
  connections(): Promise<number>
  /** How many jobs of a bell wait for their time. */
  delayed(queueName: QueueName): Promise<number>
  /** What is stored with each job, as text. */
  payloads(queueNames: QueueName[]): Promise<string[]>
}

const OTHERS = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

const openOnPostgres = async (): Promise<Place> => {
  const database = await openTestDatabase({ empty: true })
  return {
    databaseUrl: database.url,
    redisUrl: null,
    wipe: () => persist(() => query(database, 'drop schema bullmq cascade')),
    cut: async () => void (await query(database, `select pg_terminate_backend(pid) ${OTHERS}`)),
    connections: async () => (await query(database, `select ${OTHERS}`)).length,
    delayed: async (queueName) =>
      (await query(database, `select from bullmq.job where state = 'delayed' and name = '${queueName}'`)).length,
    payloads: async () =>
      (await query<{ data: string }>(database, 'select data::text from bullmq.job')).map((row) => row.data),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

const openOnRedis = async (): Promise<Place> => {
  const redis = await openTestRedis()
  const client = new Redis(redis.url)
  const number = client.options.db ?? 0
  const others = async () => {
    const list = String(await client.client('LIST')).split('\n')
    const own = await client.client('ID')
    return list.filter((line) => line.includes(` db=${number} `) && !line.startsWith(`id=${own} `))
  }
  return {
    // Nobody listens there: on Redis the queue has nothing to do with the database.
    databaseUrl: 'postgres://127.0.0.1:1/none',
    redisUrl: redis.url,
    wipe: async () => void (await client.flushdb()),
    async cut() {
      for (const line of await others()) await client.client('KILL', 'ID', /^id=(\d+)/.exec(line)?.[1] ?? '')
    },
    connections: async () => (await others()).length,
    delayed: (queueName) => client.zcard(`paper-round:${queueName}:delayed`),
    async payloads(queueNames) {
      const found: string[] = []
      for (const queueName of queueNames)
        for (const id of await client.lrange(`paper-round:${queueName}:wait`, 0, -1))
          found.push((await client.hget(`paper-round:${queueName}:${id}`, 'data')) ?? '')
      return found
    },
    async [Symbol.asyncDispose]() {
      client.disconnect()
      await redis[Symbol.asyncDispose]()
    },
  }
}

const open = async ({ databaseUrl, redisUrl }: Place, workers = 2): Promise<TestQueue> => {
  const errors: string[] = []
  const queue = await openQueue({
    databaseUrl,
    redisUrl,
    workers,
    onError: (where, error) => errors.push(`${where}: ${error.message}`),
  })
  let closed: Promise<void> | null = null
  const close: Queue['close'] = (options) => {
    closed ??= queue.close(options)
    return closed
  }
  return { ...queue, errors, close, [Symbol.asyncDispose]: () => close(GRACE) }
}

/** A handler that can be waited for and held up. */
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
    letGo: () => open(),
  }
}

/** Long enough for a bell that was rung wrongly to be heard. */
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

const PLACES = [
  { name: 'Postgres', openPlace: openOnPostgres, runs: true },
  { name: `Redis${NEEDS_REDIS}`, openPlace: openOnRedis, runs: hasRedis },
]

for (const { name, openPlace, runs } of PLACES)
  describe.skipIf(!runs)(`on ${name}`, () => {
    describe('a ring', () => {
      test('is answered by one of the processes that answer its bell, and by no other bell', async () => {
        await using place = await openPlace()
        await using one = await open(place)
        await using other = await open(place)
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

      test('waits for somebody who answers', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        await queue.wake('letters')
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await letters.reached(1)
      })

      test('that comes while others wait is one with them', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        for (let n = 0; n < 20; n++) await queue.wake('letters')
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await letters.reached(1)
        await aMoment()
        expect(letters.runs()).toBe(1)
      })

      test('that comes while the handler runs makes it run again', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        const letters = createHandler()
        letters.hold()
        await queue.process('letters', letters.handle)
        await queue.wake('letters')
        await letters.reached(1)
        for (let n = 0; n < 3; n++) await queue.wake('letters')
        letters.letGo()
        await letters.reached(2)
        await aMoment()
        expect(letters.runs()).toBe(2)
      })

      test('for later is heard, and holds back none for now', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await queue.wake('letters', { delayMs: 20 })
        await letters.reached(1)
        await queue.wake('letters', { delayMs: 3_600_000 })
        await queue.wake('letters')
        await letters.reached(2)
        await aMoment()
        expect(letters.runs()).toBe(2)
        expect(await place.delayed('letters')).toBe(1)
      })
    })

    describe('a handler', () => {
      test('that throws is reported, and runs again', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        const letters = createHandler()
        await queue.process('letters', async () => {
          await letters.handle()
          if (letters.runs() < 2) throw new Error('the first time is hard')
        })
        await queue.wake('letters')
        await letters.reached(2)
        expect(queue.errors).toEqual(['letters: the first time is hard'])
      })

      test('that failed and rests does not keep a new ring waiting', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
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

      test('runs one at a time in a process, or as many as it was said', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
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
        letters.letGo()
        deliveries.letGo()
        await letters.reached(2)
      })

      test('whose process was killed in the middle runs again elsewhere, though nobody rings', async () => {
        await using place = await openPlace()
        await using killed = startChild('process-jobs.ts', [place.databaseUrl, place.redisUrl ?? '', 'letters'])
        expect(await killed.line()).toBe('answers')
        await using queue = await open(place)
        await queue.wake('letters')
        expect(await killed.line()).toBe('letters')
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await letters.reached(1)
      })

      test('of one bell is not kept waiting by those of another, however many and long they are', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
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
        deliveries.letGo()
      })
    })

    describe('a schedule', () => {
      test('rings again and again, once for all processes', async () => {
        await using place = await openPlace()
        await using one = await open(place)
        await using other = await open(place)
        const tick = createHandler()
        await one.process('tick', tick.handle)
        await other.process('tick', tick.handle)
        await one.schedule('tick', 200)
        await other.schedule('tick', 200)
        await tick.reached(1)
        await tick.reached(4)
        expect(await place.delayed('tick')).toBeLessThanOrEqual(1)
      })

      test('goes on after the process that answered was killed in the middle', async () => {
        await using place = await openPlace()
        await using killed = startChild('process-jobs.ts', [place.databaseUrl, place.redisUrl ?? '', 'tick', '100'])
        const said: string[] = []
        while (said.filter((line) => line === 'tick').length < 3) said.push(await killed.line())
        await killed.kill('SIGKILL')
        await using queue = await open(place)
        const tick = createHandler()
        await queue.process('tick', tick.handle)
        await queue.schedule('tick', 100)
        await tick.reached(3)
      })
    })

    describe('the queue', () => {
      test('is closed when its handlers are done', async () => {
        await using place = await openPlace()
        const queue = await open(place)
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
        letters.letGo()
        await closing
      })

      test('is closed in time although a handler never ends, and leaves no connection', async () => {
        await using place = await openPlace()
        const queue = await open(place)
        const letters = createHandler()
        letters.hold()
        await queue.process('letters', letters.handle)
        await queue.wake('letters')
        await letters.reached(1)
        await queue.close({ graceMs: 50 })
        await expect.poll(place.connections, PATIENCE).toBe(0)
        letters.letGo()
      })

      test('works on after its connections were broken', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        const letters = createHandler()
        await queue.process('letters', letters.handle)
        await place.cut()
        await expect.poll(() => queue.wake('letters').then(() => 'rung', String), PATIENCE).toBe('rung')
        await letters.reached(1)
      })

      test('that was thrown away while it works is there again at the next sweep, schedule and all', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        const letters = createHandler()
        const tick = createHandler()
        await queue.process('letters', letters.handle)
        // What the scheduler does every minute: it rings for whatever waits in the database.
        await queue.process('tick', async () => {
          await tick.handle()
          await queue.wake('letters')
        })
        await queue.schedule('tick', 300)
        await tick.reached(2)
        await place.wipe()
        const [ticks, wakes] = [tick.runs(), letters.runs()]
        await tick.reached(ticks + 3)
        await letters.reached(wakes + 2)
      })

      test('that was thrown away while nobody looked is there again after a start, and remembers nothing', async () => {
        await using place = await openPlace()
        const before = await open(place)
        await before.wake('letters')
        await before.close(GRACE)
        await place.wipe()

        await using after = await open(place)
        const letters = createHandler()
        await after.process('letters', letters.handle)
        await aMoment()
        expect(letters.runs()).toBe(0)
        await after.wake('letters')
        await letters.reached(1)
      })

      test('has no data in its jobs', async () => {
        await using place = await openPlace()
        await using queue = await open(place)
        const queueNames = ['tick', 'letters'] satisfies QueueName[]
        for (const queueName of queueNames) await queue.wake(queueName)
        expect(await place.payloads(queueNames)).toEqual(['{}', '{}'])
      })
    })
  })

describe('on Postgres alone', () => {
  test('a ring fails at once when the database is gone', async () => {
    const place = await openOnPostgres()
    await using queue = await open(place)
    await queue.wake('letters')
    await place[Symbol.asyncDispose]()
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
