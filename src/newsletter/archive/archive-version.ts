/**
 * The version of the archive: another one once a transaction has changed what pages show of papers, in whichever process,
 * and with each minute of the clock. So at midnight all is read anew, and what changes by itself, as how many digests had a
 * paper, is no older than what stands between us and readers may give.
 *
 * The database is asked at most every `INTERVAL`, by one statement for all who wait, and not at all while nobody asks for a
 * page. So a page is older than the database by as much at most; by nothing in the process that made a change and said so
 * (`expire`). Listening for notifications would need a connection of its own in each process, and says nothing when it breaks.
 */

import { MINUTE } from '../../core/calendar.ts'
import { readArchiveChange } from '../../store/archive-changes.ts'
import type { Database } from '../../store/database.ts'

/** Milliseconds. */
const INTERVAL = 100

export interface ArchiveVersion {
  /** To be read before what is kept under it. */
  read(): Promise<string>
  /** Has the next reader ask the database: something was changed here. */
  expire(): void
}

/** `monotonic`: a clock, milliseconds. */
export const createArchiveVersion = (
  { db, now }: { db: Database; now: () => Date },
  monotonic: () => number,
): ArchiveVersion => {
  let changes = 0
  let snapshot: string | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | null = null
  const ask = async (): Promise<void> => {
    try {
      const answer = await readArchiveChange(db, snapshot)
      snapshot = answer.snapshot
      if (answer.changed) changes++
    } catch {
      // What is kept stays good while the database is away, for nothing changes there; it ages all the same, and whoever
      // has to read then fails and says so. The next answer is of what was changed in the meantime too.
    }
  }
  return {
    async read() {
      const at = monotonic()
      if (asking === null && at - askedAt >= INTERVAL) {
        askedAt = at
        const mine = ask().finally(() => {
          if (asking === mine) asking = null
        })
        asking = mine
      }
      if (asking !== null) await asking
      return `${changes} ${Math.floor(now().getTime() / MINUTE)}`
    },
    expire() {
      askedAt = Number.NEGATIVE_INFINITY
      // What was asked before may not have seen it.
      asking = null
    },
  }
}
