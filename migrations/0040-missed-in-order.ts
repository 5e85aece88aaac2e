/**
 * Adds an index by which the deliveries of an edition that did not arrive are read in pages: without their order each page
 * would read and sort all of them. It also serves what `deliveries_missed` does, which a later release may drop.
 */
import { type Kysely, sql } from 'kysely'
import { buildIndexConcurrently } from './concurrent-index.ts'

export const withoutTransaction = true

export const up = (db: Kysely<unknown>): Promise<void> =>
  buildIndexConcurrently(db, {
    table: 'deliveries',
    name: 'deliveries_missed_by_id',
    definition: sql`(edition_id, state, id) where state in ('failed', 'skipped', 'unknown')`,
  })
