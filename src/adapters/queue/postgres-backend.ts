/** The queue in the same Postgres as everything else, in a schema of its own. */
import {
  assertSchemaCompatibility,
  Worker as BullWorker,
  createPostgresBackend,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  Queue,
  runMigrations,
  type Telemetry,
} from 'bullmq'
import { Client, type ClientConfig, Pool, type PoolClient } from 'pg'
import { type Backend, CONNECT_TIMEOUT, UnusableQueue } from './backend.ts'
import { JOB_OPTIONS, WORKER_OPTIONS } from './job-options.ts'
import { QUEUE_NAMES } from './queue-names.ts'

const SCHEMA = 'bullmq'
const UNDEFINED_TABLE = '42P01'
const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * Makes the schema of the queue, or what a newer version of it lacks; does nothing when all of it is there. Throws
 * `UnusableQueue` where our user may not. A connection of its own: without the schema the workers query again and again, and
 * each failed query frees its place in the pool for the next query of a worker, so that a client requested from the pool may
 * never be given.
 */
export const prepareQueueSchema = async (databaseUrl: string): Promise<void> => {
  const client = new Client(settingsOf(databaseUrl))
  client.on('error', () => undefined)
  try {
    await client.connect()
    if (!(await isPrepared(client))) {
      await runMigrations(client, SCHEMA)
      // BullMQ makes the counter of a queue with its first job, which only an owner could.
      await client.query(`select next_job_id(name) from (${MISSING_COUNTERS}) missing`, [QUEUE_NAMES])
    }
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error
    throw new UnusableQueue(
      'the queue’s part of the database is missing or of another version, and our user may not create it; run: node workers/main.ts migrate',
    )
  } finally {
    await client.end()
  }
}

const MISSING_COUNTERS = 'select name from unnest($1::text[]) name where to_regclass(job_id_seq_name(name)) is null'

const isPrepared = async (client: Client): Promise<boolean> => {
  try {
    if ((await assertSchemaCompatibility(client, SCHEMA)) < LATEST_SCHEMA_VERSION) return false
    return (await client.query(MISSING_COUNTERS, [QUEUE_NAMES])).rows.length === 0
  } catch (error) {
    const { name, code } = error as { name: string; code?: string }
    if (name === 'SchemaMigrationRequiredError' || code === UNDEFINED_TABLE) return false
    throw error
  }
}

const settingsOf = (databaseUrl: string): ClientConfig => ({
  connectionString: databaseUrl,
  // BullMQ finds its tables by the search path alone, so it cannot share our own pool.
  options: `-c search_path=${SCHEMA}`,
  application_name: 'paper-round queue',
  connectionTimeoutMillis: CONNECT_TIMEOUT,
  keepAlive: true,
})

/**
 * Connects, and creates the schema `bullmq` where it is missing. `connections` is the size of the pool: one for each
 * worker, which holds it to listen, and two for everything else. Rejects when the database cannot be reached.
 */
export const openPostgresBackend = async (
  databaseUrl: string,
  connections: number,
  onError: (error: Error) => void,
  telemetry?: Telemetry,
): Promise<Backend> => {
  const pool = new Pool({ ...settingsOf(databaseUrl), max: connections })
  pool.on('error', onError)
  const clients = new Set<PoolClient>()
  pool.on('connect', (client) => {
    clients.add(client)
    // While BullMQ uses a client, the pool does not listen to it: a connection that broke then would end the process.
    client.on('error', () => undefined)
  })
  pool.on('remove', (client) => clients.delete(client))
  const repair = () => prepareQueueSchema(databaseUrl)
  try {
    await repair()
  } catch (error) {
    await pool.end()
    throw error
  }
  // BullMQ has types of its own for pg, which do not quite fit pg's.
  const connection = pool as PgPool
  const traced = telemetry === undefined ? {} : { telemetry }
  return {
    openJobQueue: (name) =>
      new Queue(name, { connection, defaultJobOptions: JOB_OPTIONS, ...traced }, createPostgresBackend),
    startWorker: (name, handler, concurrency) =>
      new BullWorker(name, handler, { connection, concurrency, ...traced, ...WORKER_OPTIONS }, createPostgresBackend),
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
