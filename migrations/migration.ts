/** What a migration is. Migrations are frozen when they land, so they import nothing of the project from outside this folder. */
import type { Kysely } from 'kysely'

/**
 * A step of the schema. The rule is *expand, then contract in a later release*: a migration adds what the new code needs
 * and leaves what the old code uses, so that the release before goes on serving, restarts included, while the new one
 * migrates, and can be gone back to afterwards. What nothing uses any more is dropped or renamed by a migration of a later
 * release, which raises `oldestCode`.
 */
export interface Migration {
  /**
   * Runs in a transaction of its own, with a `lock_timeout` of a few seconds, and is run again from the start when it
   * could not get a lock.
   */
  up(db: Kysely<unknown>): Promise<void>
  /**
   * Runs on one connection without a transaction, which indexes that are built concurrently need. It may be killed at any
   * point and is then run again, so each of its steps must be one that may be repeated.
   */
  withoutTransaction?: true
  /**
   * The oldest schema version (the number of its newest migration) whose code may still run once this has been applied:
   * set by a migration that takes something away. Older processes end by themselves, and are not started again.
   */
  oldestCode?: number
}
