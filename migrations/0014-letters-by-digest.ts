/** Adds an index of letters by their digest, without which each digest that is deleted would be looked for in all letters. */
import { type Kysely, sql } from 'kysely'
import { buildIndexConcurrently } from './concurrent-index.ts'

export const withoutTransaction = true

export const up = (db: Kysely<unknown>): Promise<void> =>
  buildIndexConcurrently(db, {
    table: 'letters',
    name: 'letters_by_digest',
    definition: sql`(digest_id) where digest_id is not null`,
  })
