/** An edition whose digests were all sent an hour ago: what tests of what comes back begin with. */
import { sql } from 'kysely'
import { watchEditions } from '../../src/newsletter/bounces.ts'
import type { Database } from '../../src/store/database.ts'
import { readSubscriber } from '../../src/store/subscribers.ts'
import { oweEdition } from './delivery-room.ts'
import { openNewsletter, SILENT } from './newsletter.ts'

/** Deliveries of one edition, all of them sent; by reader's number. */
export const openSent = async (count: number) => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await oweEdition(db, count, 1, 1)
  await sql`update deliveries set state = 'sent', sent_at = now() - interval '1 hour'`.execute(db)
  const { rows } = await sql<{ id: string; subscriber: string; edition: number }>`
    select d.id, d.subscriber_id as subscriber, d.edition_id as edition from deliveries d
    join subscribers s on s.id = d.subscriber_id order by length(s.email), s.email`.execute(db)
  const mail = (n: number) => ({ ledger: 'deliveries' as const, id: rows[n]?.id ?? '' })
  return {
    ...newsletter,
    mail,
    reader: (n: number) => rows[n]?.subscriber ?? '',
    edition: rows[0]?.edition ?? 0,
    ports: { db, log: SILENT, watch: () => watchEditions({ db, log: SILENT }) },
  }
}

export const stateOf = async (db: Database, id: string) => (await readSubscriber(db, { id }))?.state
