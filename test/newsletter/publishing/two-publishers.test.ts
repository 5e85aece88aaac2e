/** Several publishers of one edition, of which one stands still in the middle of a chunk. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { reconcile } from '../../../src/newsletter/sending/reconciler.ts'
import { claim } from '../../../src/store/outbox/claims.ts'
import { holdChunks, holdDeliveries, openDue, untilSomeWait } from '../../support/fixtures/due-newsletter.ts'
import { SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'

const DUE = new Date('2026-04-15T06:00:00Z')

test('a chunk that is stored after its edition was completed opens the edition again, and its digests are sent', async () => {
  await using newsletter = await openDue(10)
  const { db } = newsletter
  const ports = { db, log: SILENT, wake: wakeNobody }
  await using held = await holdChunks(db)
  const late = publishDue(ports, DUE)
  await untilSomeWait(db)
  await publishDue(ports, DUE)
  await reconcile(ports)
  await held.release()
  expect(await late).toMatchObject({ owed: 10 })

  expect(await claim(db, 'deliveries', 100)).toHaveLength(10)
  await sql`update deliveries set state = 'sent', lease_until = null`.execute(db)
  await reconcile(ports)
  const editions = await db.selectFrom('editions').select(['due', 'missing', 'completed_at']).execute()
  expect(editions).toEqual([{ due: 10, missing: 0, completed_at: expect.any(Date) }])
})

test('a publisher that stands still with its digests stored keeps nobody from completing editions', async () => {
  await using newsletter = await openDue(10)
  const { db } = newsletter
  const ports = { db, log: SILENT, wake: wakeNobody }
  await using held = await holdDeliveries(db)
  const late = publishDue(ports, DUE)
  await untilSomeWait(db)
  await publishDue(ports, DUE)
  const isHeldUp = untilSomeWait(db, 2).then(() => 'waits for the publisher')
  expect(await Promise.race([reconcile(ports), isHeldUp])).toBe(true)
  await held.release()
  expect(await late).toMatchObject({ owed: 10 })
  expect(await claim(db, 'deliveries', 100)).toHaveLength(10)
})
