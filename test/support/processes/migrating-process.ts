/**
 * Migrates a database as a process of its own, which a test may kill: with the migrations of this version, and one that
 * builds an index on the months of deliveries. Says what it waits for and what it applied. Argument: the database's URL.
 */
import { sql } from 'kysely'
import { buildIndexConcurrently } from '../../../migrations/concurrent-index.ts'
import { MIGRATIONS } from '../../../migrations/index.ts'
import type { Migration } from '../../../migrations/migration.ts'
import { migrate } from '../../../src/store/migrate.ts'

const [databaseUrl = ''] = process.argv.slice(2)

const planted: Migration = {
  withoutTransaction: true,
  async up(db) {
    const definition = sql`(subscriber_id, sent_at)`
    await buildIndexConcurrently(db, { table: 'deliveries', name: 'planted', definition })
  },
}
const { applied } = await migrate(databaseUrl, {
  migrations: { ...MIGRATIONS, '9001-planted': planted },
  onNotice: (notice) => console.log(notice),
})
console.log(`applied ${applied.join(', ')}`)
