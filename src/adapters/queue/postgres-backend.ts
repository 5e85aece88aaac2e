/** The queue in the same Postgres as everything else, in a schema of its own. */
import { Worker as BullWorker, createPostgresBackend, type PgPool, Queue, runMigrations } from 'bullmq'
import { type Client, Pool, type PoolClient } from 'pg'
import { type Backend, JOB_OPTIONS, PATIENCE_TO_CONNECT, WORKER_OPTIONS } from './backend.ts'

/** Opens it, and makes the schema `bullmq` where it is missing. `connections`: one a worker, to listen, and two. */
export const openPostgresBackend = async (
  databaseUrl: string,
  connections: number,
  onError: (error: Error) => void,
): Promise<Backend> => {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: connections,
    // Its tables are found by this alone, which is why it cannot share our own pool.
    options: '-c search_path=bullmq',
    application_name: 'paper-round queue',
    connectionTimeoutMillis: PATIENCE_TO_CONNECT,
    keepAlive: true,
  })
  pool.on('error', onError)
  const clients = new Set<PoolClient>()
  pool.on('connect', (client) => {
    clients.add(client)
    // While BullMQ uses it, the pool does not listen: a connection that broke then would end the process.
    client.on('error', () => undefined)
  })
  pool.on('remove', (client) => clients.delete(client))
  const repair = async () => {
    const client = await pool.connect()
    try {
      await runMigrations(client, 'bullmq')
    } finally {
      client.release()
    }
  }
  try {
    await repair()
  } catch (error) {
    await pool.end()
    throw error
  }
  // BullMQ describes pg in types of its own, which do not quite fit pg's.
  const connection = pool as PgPool
  return {
    openJobs: (queueName) =>
      new Queue(queueName, { connection, defaultJobOptions: JOB_OPTIONS }, createPostgresBackend),
    startWorker: (queueName, handler, concurrency) =>
      new BullWorker(queueName, handler, { connection, concurrency, ...WORKER_OPTIONS }, createPostgresBackend),
    // The pool connects anew for each query, and gives up by itself.
    requireConnection: () => undefined,
    repair,
    close: () => pool.end(),
    async abandon() {
      // The pool would wait for those that a handler holds until it ends.
      pool.end().catch(onError)
      await Promise.allSettled([...clients].map((client) => (client as PoolClient & Client).end()))
    },
  }
}
