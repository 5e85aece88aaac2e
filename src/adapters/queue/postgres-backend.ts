/** The queue in the same Postgres as everything else, in a schema of its own. */
import { Worker as BullWorker, createPostgresBackend, type PgPool, Queue, runMigrations } from 'bullmq'
import { Client, type ClientConfig, Pool, type PoolClient } from 'pg'
import { type Backend, CONNECT_TIMEOUT } from './backend.ts'
import { JOB_OPTIONS, WORKER_OPTIONS } from './job-options.ts'

/**
 * Connects, and creates the schema `bullmq` where it is missing. `connections` is the size of the pool: one for each
 * worker, which holds it to listen, and two for everything else. Rejects when the database cannot be reached.
 */
export const openPostgresBackend = async (
  databaseUrl: string,
  connections: number,
  onError: (error: Error) => void,
): Promise<Backend> => {
  const settings: ClientConfig = {
    connectionString: databaseUrl,
    // BullMQ finds its tables by the search path alone, so it cannot share our own pool.
    options: '-c search_path=bullmq',
    application_name: 'paper-round queue',
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
  }
  const pool = new Pool({ ...settings, max: connections })
  pool.on('error', onError)
  const clients = new Set<PoolClient>()
  pool.on('connect', (client) => {
    clients.add(client)
    // While BullMQ uses a client, the pool does not listen to it: a connection that broke then would end the process.
    client.on('error', () => undefined)
  })
  pool.on('remove', (client) => clients.delete(client))
  // A connection of its own: without the schema the workers query again and again, and each failed query frees its place
  // in the pool for the next query of a worker, so that a client requested from the pool may never be given.
  const repair = async () => {
    const client = new Client(settings)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await runMigrations(client, 'bullmq')
    } finally {
      await client.end()
    }
  }
  try {
    await repair()
  } catch (error) {
    await pool.end()
    throw error
  }
  // BullMQ has types of its own for pg, which do not quite fit pg's.
  const connection = pool as PgPool
  return {
    openJobQueue: (name) => new Queue(name, { connection, defaultJobOptions: JOB_OPTIONS }, createPostgresBackend),
    startWorker: (name, handler, concurrency) =>
      new BullWorker(name, handler, { connection, concurrency, ...WORKER_OPTIONS }, createPostgresBackend),
    // The pool connects anew for each query, and times out by itself.
    requireConnection: () => undefined,
    repair,
    close: () => pool.end(),
    async abandon() {
      // pool.end() waits for the clients that a handler holds until the handler ends.
      pool.end().catch(onError)
      await Promise.allSettled([...clients].map((client) => (client as PoolClient & Client).end()))
    },
  }
}
