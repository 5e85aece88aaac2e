/** What the keys of this installation begin with on Redis, which may serve other installations, too. */
import { createHash } from 'node:crypto'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { Client } from 'pg'
import { MINUTE } from '../../core/calendar.ts'
import { CONNECT_TIMEOUT } from './backend.ts'
import { QUEUE_NAMES } from './queue-names.ts'

/** Of versions that had no name of their own: all installations on one Redis shared these keys. */
const FORMER_PREFIX = 'paper-round'
/** Running processes restore an overdue schedule within seconds (`schedules`). */
const ABANDONED_AFTER = 5 * MINUTE
const INSUFFICIENT_PRIVILEGE = '42501'
const SCAN_COUNT = 1_000

/**
 * The prefix of the installation with this database: equal for all of its processes, whatever address each has for it, and
 * another for any other database. A copy of a database by dump and restore is another installation, so nothing is stored for
 * it. Rejects where the database cannot be reached.
 */
export const readKeyPrefix = async (databaseUrl: string): Promise<string> => {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'paper-round queue',
    connectionTimeoutMillis: CONNECT_TIMEOUT,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const ofDatabase = await client.query<{ oid: string }>(
      'select oid::text as oid from pg_database where datname = current_database()',
    )
    return prefixOf(`${await readCluster(client)}/${ofDatabase.rows[0]?.oid ?? ''}`)
  } finally {
    await client.end()
  }
}

/** The identifier that initdb gave to the cluster; empty where our user may not read it. */
const readCluster = async (client: Client): Promise<string> => {
  try {
    const { rows } = await client.query<{ id: string }>('select system_identifier::text as id from pg_control_system()')
    return rows[0]?.id ?? ''
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error
    return ''
  }
}

const prefixOf = (installation: string): string =>
  `${FORMER_PREFIX}-${createHash('sha256').update(installation).digest('hex').slice(0, 12)}`

/**
 * Removes the keys of a version before, if no process keeps them up any more; returns whether they are gone. A wake in them
 * says that there is work in the database, which the start of a scheduler and each tick look for themselves.
 */
export const removeFormerKeys = async (connection: Redis): Promise<boolean> => {
  const tick = new Queue('tick', { connection, prefix: FORMER_PREFIX, skipMetasUpdate: true })
  // Its errors are those of the connection, which its owner listens to.
  tick.on('error', () => undefined)
  try {
    const schedule = await tick.getJobScheduler('tick')
    if (schedule === undefined) return true
    if ((schedule.next ?? 0) > Date.now() - ABANDONED_AFTER) return false
    for (const name of QUEUE_NAMES) {
      let cursor = '0'
      do {
        const [next, keys] = await connection.scan(cursor, 'MATCH', `${FORMER_PREFIX}:${name}:*`, 'COUNT', SCAN_COUNT)
        if (keys.length > 0) await connection.unlink(...keys)
        cursor = next
      } while (cursor !== '0')
    }
    return true
  } finally {
    await tick.close()
  }
}
