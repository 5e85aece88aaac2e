/** All that the queue holds, on Postgres or on Redis: to delete it, and to look for what must not be in it. */
import { Redis } from 'ioredis'
import { sql } from 'kysely'
import type { Database } from '../../src/store/database.ts'
import { retryDeadlocks } from '../support/databases/deadlocks.ts'

/** Where the queue is: `redisUrl` is `null` where it lives in the database. */
export interface QueuePlace {
  db: Database
  redisUrl: string | null
}

/** On Redis deletes everything; on Postgres all rows of the queue, or with `dropped` its schema as well. */
export const wipeQueue = async ({ db, redisUrl }: QueuePlace, how: 'emptied' | 'dropped'): Promise<void> => {
  if (redisUrl !== null) return void (await withRedis(redisUrl, (client) => client.flushall()))
  if (how === 'dropped') return retryDeadlocks(() => sql`drop schema if exists bullmq cascade`.execute(db))
  const tables = await queueTables(db)
  if (tables.length === 0) return
  const names = sql.join(tables.map((table) => sql.table(`bullmq.${table}`)))
  await retryDeadlocks(() => sql`truncate ${names}`.execute(db))
}

/** Everything in the queue as text. */
export const dumpQueue = ({ db, redisUrl }: QueuePlace): Promise<string> =>
  redisUrl === null ? dumpQueueTables(db) : withRedis(redisUrl, dumpRedis)

export const withRedis = async <T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> => {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null })
  client.on('error', () => undefined) // The command that fails says it.
  try {
    await client.connect()
    return await work(client)
  } finally {
    client.disconnect()
  }
}

/** What BullMQ keeps there, without its note of which schema it has. */
const queueTables = async (db: Database): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'bullmq' and tablename not like '%migration%'`.execute(
    db,
  )
  return rows.map((row) => row.name)
}

const dumpQueueTables = async (db: Database): Promise<string> => {
  const parts: string[] = []
  for (const table of await queueTables(db)) {
    const { rows } = await sql<{ text: string | null }>`
      select json_agg(t)::text as text from ${sql.table(`bullmq.${table}`)} t`.execute(db)
    parts.push(rows[0]?.text ?? '')
  }
  return parts.join('\n')
}

const dumpRedis = async (client: Redis): Promise<string> => {
  const readers: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => client.get(key),
    hash: (key) => client.hgetall(key),
    list: (key) => client.lrange(key, 0, -1),
    set: (key) => client.smembers(key),
    zset: (key) => client.zrange(key, '0', '-1'),
    stream: (key) => client.xrange(key, '-', '+'),
  }
  const parts: string[] = []
  for (const key of (await client.keys('*')).map(String))
    parts.push(key, JSON.stringify(await readers[String(await client.type(key))]?.(key)))
  return parts.join('\n')
}
