/** The promises of the doorbells, on a real database, with workers that fail, die and take too long. */
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { type Bell, openQueue, type Queue } from '../../src/adapters/queue.ts'
import { startChild } from '../support/child.ts'
import { openTestDatabase, type TestDatabase } from '../support/postgres.ts'

const GRACE = { graceMs: 5_000 }

interface TestQueue extends AsyncDisposable, Queue {
  errors: string[]
}

const open = async (database: TestDatabase, workers = 2): Promise<TestQueue> => {
  const errors: string[] = []
  const queue = await openQueue({
    databaseUrl: database.url,
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

const jobsIn = async (database: TestDatabase, state: string): Promise<number> =>
  (await query(database, `select from bullmq.job where state = '${state}'`)).length

const OTHERS = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

describe('a ring', () => {
  test('is answered by one of the processes that answer its bell, and by no other bell', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using one = await open(database)
    await using other = await open(database)
    const letters = createHandler()
    const tick = createHandler()
    await one.answer('letters', letters.handle)
    await other.answer('letters', letters.handle)
    await other.answer('tick', tick.handle)
    await one.ring('letters')
    await letters.reached(1)
    await aMoment()
    expect([letters.runs(), tick.runs()]).toEqual([1, 0])
  })

  test('waits for somebody who answers', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    await queue.ring('letters')
    const letters = createHandler()
    await queue.answer('letters', letters.handle)
    await letters.reached(1)
  })

  test('that comes while others wait is one with them', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    for (let n = 0; n < 20; n++) await queue.ring('letters')
    const letters = createHandler()
    await queue.answer('letters', letters.handle)
    await letters.reached(1)
    await aMoment()
    expect(letters.runs()).toBe(1)
  })

  test('that comes while the handler runs makes it run again', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    const letters = createHandler()
    letters.hold()
    await queue.answer('letters', letters.handle)
    await queue.ring('letters')
    await letters.reached(1)
    for (let n = 0; n < 3; n++) await queue.ring('letters')
    letters.letGo()
    await letters.reached(2)
    await aMoment()
    expect(letters.runs()).toBe(2)
  })

  test('for later is heard, and holds back none for now', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    const letters = createHandler()
    await queue.answer('letters', letters.handle)
    await queue.ring('letters', { delayMs: 20 })
    await letters.reached(1)
    await queue.ring('letters', { delayMs: 3_600_000 })
    await queue.ring('letters')
    await letters.reached(2)
    await aMoment()
    expect(letters.runs()).toBe(2)
    expect(await jobsIn(database, 'delayed')).toBe(1)
  })

  test('fails at once when the database is gone', async () => {
    const database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    await queue.ring('letters')
    await database[Symbol.asyncDispose]()
    await expect(queue.ring('letters')).rejects.toThrow()
  })
})

describe('a handler', () => {
  test('that throws is reported, and runs again', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    const letters = createHandler()
    await queue.answer('letters', async () => {
      await letters.handle()
      if (letters.runs() < 2) throw new Error('the first time is hard')
    })
    await queue.ring('letters')
    await letters.reached(2)
    expect(queue.errors).toEqual(['letters: the first time is hard'])
  })

  test('that failed and rests does not keep a new ring waiting', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    const order: string[] = []
    const letters = createHandler()
    await queue.answer('letters', async () => {
      order.push(`run ${letters.runs() + 1}`)
      await letters.handle()
      if (letters.runs() === 1) throw new Error('no')
    })
    await queue.ring('letters')
    await letters.reached(1)
    await aMoment()
    await queue.ring('letters')
    await letters.reached(2)
    await letters.reached(3)
    expect(order).toEqual(['run 1', 'run 2', 'run 3'])
  })

  test('runs one at a time in a process, or as many as it was said', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    const letters = createHandler()
    letters.hold()
    const deliveries = createHandler()
    deliveries.hold()
    await queue.answer('letters', letters.handle)
    await queue.answer('deliveries', deliveries.handle, { concurrency: 2 })
    await queue.ring('letters')
    await letters.reached(1)
    await queue.ring('letters')
    await queue.ring('deliveries')
    await deliveries.reached(1)
    await queue.ring('deliveries')
    await deliveries.reached(2)
    expect(letters.runs()).toBe(1)
    letters.letGo()
    deliveries.letGo()
    await letters.reached(2)
  })
})

describe('a schedule', () => {
  test('rings again and again, once for all processes', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using one = await open(database)
    await using other = await open(database)
    const tick = createHandler()
    await one.answer('tick', tick.handle)
    await other.answer('tick', tick.handle)
    await one.every('tick', 200)
    await other.every('tick', 200)
    await tick.reached(1)
    await tick.reached(4)
    expect(await jobsIn(database, 'delayed')).toBeLessThanOrEqual(1)
  })

  test('goes on after the process that answered was killed in the middle', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using killed = startChild('answer-bell.ts', [database.url])
    for (let n = 0; n < 3; n++) expect(await killed.line()).toBe('tick')
    await killed.kill('SIGKILL')
    await using queue = await open(database)
    const tick = createHandler()
    await queue.answer('tick', tick.handle)
    await queue.every('tick', 100)
    await tick.reached(3)
  })
})

describe('the queue', () => {
  test('is closed when its handlers are done', async () => {
    await using database = await openTestDatabase({ empty: true })
    const queue = await open(database)
    const letters = createHandler()
    letters.hold()
    await queue.answer('letters', letters.handle)
    await queue.ring('letters')
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
    await using database = await openTestDatabase({ empty: true })
    const queue = await open(database)
    const letters = createHandler()
    letters.hold()
    await queue.answer('letters', letters.handle)
    await queue.ring('letters')
    await letters.reached(1)
    await queue.close({ graceMs: 50 })
    await expect.poll(() => query(database, `select ${OTHERS}`)).toEqual([])
    letters.letGo()
  })

  test('works on after the database broke its connections', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    const letters = createHandler()
    await queue.answer('letters', letters.handle)
    await query(database, `select pg_terminate_backend(pid) ${OTHERS}`)
    await expect.poll(() => queue.ring('letters').then(() => 'rung', String)).toBe('rung')
    await letters.reached(1)
    expect(queue.errors.join()).toContain('terminating connection')
  })

  test('that was thrown away is there again after a restart, and nothing is remembered', async () => {
    await using database = await openTestDatabase({ empty: true })
    const before = await open(database)
    await before.ring('letters')
    await query(database, 'drop schema bullmq cascade')
    await expect(before.ring('letters')).rejects.toThrow()
    await before.close(GRACE)

    await using after = await open(database)
    const letters = createHandler()
    await after.answer('letters', letters.handle)
    await aMoment()
    expect(letters.runs()).toBe(0)
    await after.ring('letters')
    await letters.reached(1)
  })

  test('puts nothing into the schema of our own tables, and no data into its jobs', async () => {
    await using database = await openTestDatabase({ empty: true })
    await using queue = await open(database)
    for (const bell of ['tick', 'letters'] satisfies Bell[]) await queue.ring(bell)
    expect(await query(database, "select from pg_class where relnamespace = 'public'::regnamespace")).toEqual([])
    expect(await query(database, 'select distinct data::text from bullmq.job')).toEqual([{ data: '{}' }])
  })
})
