/** Finds out while a process runs that the schema has been migrated beyond what its code may run on. */
import type { Kysely } from 'kysely'
import { OutdatedCode, readOldestCode, requireCode } from './schema.ts'

export interface SchemaWatch {
  /** Looks now, such as when a query failed because a table or a column is gone; looks once however often it is asked. */
  check(): void
  close(): Promise<void>
}

/** Looks every `everyMs`, and tells `onOutdated` at most once. A database that is away is somebody else's to report. */
export const watchSchema = <Tables>(
  db: Kysely<Tables>,
  { everyMs, onOutdated }: { everyMs: number; onOutdated: (error: OutdatedCode) => void },
): SchemaWatch => {
  let told = false
  let looking: Promise<void> | null = null
  const look = async (): Promise<void> => {
    try {
      requireCode(await readOldestCode(db as Kysely<unknown>))
    } catch (error) {
      if (!(error instanceof OutdatedCode) || told) return
      told = true
      onOutdated(error)
    }
  }
  const check = (): void => {
    looking ??= look().finally(() => {
      looking = null
    })
  }
  const timer = setInterval(check, everyMs)
  return {
    check,
    async close() {
      clearInterval(timer)
      await looking
    },
  }
}
