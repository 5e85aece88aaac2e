/** What every process and command begins with: a database that is ready, the keys, and the service's clock. */
import { readFreeSpace } from '../src/adapters/disk-space.ts'
import { openDataFolder, readSecretKey } from '../src/adapters/postgres/data-folder.ts'
import { requireFree } from '../src/core/disk-space.ts'
import type { Keys } from '../src/core/token.ts'
import { migrate, requireSchema } from '../src/store/migrate.ts'
import { createClock } from './clock.ts'
import type { Config } from './config/config.ts'

export interface Runtime {
  databaseUrl: string
  keys: Keys
  now: () => Date
  /** True when no other process works on the database: it is the embedded one, and ours. */
  alone: boolean
  /** Whether a service runs, or may run, beside a command. */
  serviceRuns: boolean
  /** Migrations of newer versions that the database has had; this one may run on it all the same. */
  newer: string[]
  /**
   * Rejects with `LittleSpace` while the disk of the embedded database has too little space for more. The disk of a server of
   * the operator's own cannot be looked at from here: that server refuses by itself.
   */
  requireSpace: () => Promise<void>
  close(): Promise<void>
}

/**
 * Opens the database that the settings name, or the embedded one of `DATA_DIR`, migrated. The schema of a database named
 * by `DATABASE_URL` is changed only with `migrate: true`; otherwise one that does not fit throws `UnusableDatabase`, which
 * says what to run. `onLost`: the embedded Postgres ended by itself and could not be started again; without it no new start
 * is tried.
 */
export const openRuntime = async (
  config: Config,
  as: 'service' | 'command',
  options: {
    migrate: boolean
    onNotice: (notice: string) => void
    signal?: AbortSignal
    onLost?: (error: Error) => void
  },
): Promise<Runtime> => {
  const now = createClock(config.clock)
  let newer: string[] = []
  const prepare = async (databaseUrl: string): Promise<void> => {
    newer = (await migrate(databaseUrl, options)).newer
  }
  if (config.databaseUrl !== null) {
    await (options.migrate ? prepare(config.databaseUrl) : requireSchema(config.databaseUrl))
    const keys: Keys = config.secretKeys ?? [await readSecretKey(config.dataDir)]
    const close = async () => undefined
    const requireSpace = async () => undefined
    return { databaseUrl: config.databaseUrl, keys, now, alone: false, serviceRuns: true, newer, requireSpace, close }
  }
  // Migrated before others can find it: a command must not attach to a schema that is still being migrated.
  const prepared = { onNotice: options.onNotice, signal: options.signal, onLost: options.onLost, prepare }
  const { databaseUrl, alone, close } = await openDataFolder(config.dataDir, as, prepared)
  try {
    const keys: Keys = config.secretKeys ?? [await readSecretKey(config.dataDir)]
    const requireSpace = async () => requireFree(await readFreeSpace(config.dataDir), config.minFreeSpace)
    return { databaseUrl, keys, now, alone, serviceRuns: !alone, newer, requireSpace, close }
  } catch (error) {
    await close()
    throw error
  }
}
