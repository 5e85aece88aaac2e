/** The settings of what is stored: the database, the queue's Redis, the data folder, and how long deliveries are kept. */
import { resolve } from 'node:path'
import { MEGABYTE } from '../../src/core/disk-space.ts'
import type { Settings } from './settings.ts'

export interface StoreConfig {
  /** `null`: the embedded Postgres in `dataDir`. */
  databaseUrl: string | null
  /** As whom the roles that serve connect; only `migrate` reads it. `null`: nobody is made for them. */
  servingDatabaseUrl: string | null
  /** `null`: the queue runs in the database. */
  redisUrl: string | null
  /** Absolute. */
  dataDir: string
  /** Octets that must be free on the disk of `dataDir`, where the embedded Postgres is in it. */
  minFreeSpace: number
  /** The days for which the outcome of each delivery is kept at least. */
  keepDeliveries: number
}

export const readStores = ({ get, read }: Settings): StoreConfig => ({
  databaseUrl: read('DATABASE_URL', null, (text) => readUrl(text, ['postgres:', 'postgresql:'])),
  servingDatabaseUrl: read('SERVING_DATABASE_URL', null, readServingUrl),
  redisUrl: read('REDIS_URL', null, (text) => readUrl(text, ['redis:', 'rediss:'])),
  dataDir: resolve(get('DATA_DIR') ?? '.data'),
  minFreeSpace: read('MIN_FREE_MB', DEFAULT_FREE_MB, readMegabytes) * MEGABYTE,
  keepDeliveries: read('KEEP_DELIVERIES', 90, readKeepDays),
})

/** Room for the log that Postgres writes ahead, for what is under way, and for an operator to work. */
const DEFAULT_FREE_MB = 256

const readMegabytes = (text: string): number => {
  if (!/^\d{1,7}$/.test(text)) throw new Error('is a number of megabytes, such as 256')
  return Number(text)
}

const readUrl = (text: string, protocols: string[]): string => {
  const form = `write it as ${protocols[0]}//user:password@host:port/…`
  // The text itself may hold a password: it is never repeated.
  if (!URL.canParse(text)) throw new Error(`is not a URL; ${form}`)
  const url = new URL(text)
  if (!protocols.includes(url.protocol)) throw new Error(`begins with ${url.protocol}; ${form}`)
  if (url.hostname === '') throw new Error(`names no host; ${form}`)
  return text
}

const readServingUrl = (text: string): string => {
  const { username, password } = new URL(readUrl(text, ['postgres:', 'postgresql:']))
  if (username === '' || password === '') throw new Error('names no user or no password')
  return text
}

/** With fewer days, deliveries would be dropped to which readers and their mail servers may still respond. */
const MIN_KEEP_DAYS = 31

const readKeepDays = (text: string): number => {
  const days = Number(text)
  if (!/^\d{1,5}$/.test(text) || days < MIN_KEEP_DAYS) throw new Error(`is a number of days, at least ${MIN_KEEP_DAYS}`)
  return days
}
