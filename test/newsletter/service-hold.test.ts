/** The hold on the service: nothing is published or sent while it stands, and what happens when it ends. */
import { expect, test } from 'vitest'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { holdService, resumeService } from '../../src/newsletter/service-hold.ts'
import { tick } from '../../src/newsletter/tick.ts'
import { claimThrottled } from '../../src/store/outbox/claims.ts'
import { LONDON_DAILY, SILENT, storeDay, wakeNobody } from '../support/fixtures/newsletter.ts'
import { OPTIONS, openSendingNewsletter } from '../support/fixtures/sending-newsletter.ts'

const ADA = { byWhom: 'ada', via: 'command' } as const

const NEXT_MORNING = new Date('2026-04-16T06:00:00Z')

test('while it is held neither digests nor letters leave and nothing is published, and the log says so at each tick', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const { db, ports, sink } = newsletter
  await storeDay(db, '2026-04-15', LONDON_DAILY.topics)
  await db.updateTable('letters').set({ state: 'queued' }).where('kind', '=', 'welcome').execute()
  await holdService(db, ADA, 'a test')
  const warnings: string[] = []
  const woken: string[] = []
  const log = { ...SILENT, warn: (_: object, message: string) => warnings.push(message) }
  const wake = async (name: string) => {
    woken.push(name)
  }
  await tick({ db, log, wake }, NEXT_MORNING)
  expect(warnings).toEqual([expect.stringMatching(/^the service is held since .* by ada \(a test\).*service resume$/)])
  expect(woken).toEqual([])
  for (const stream of ['letters', 'deliveries'] as const) {
    expect(await drain(ports, stream, OPTIONS)).toBe(0)
    // Nor to a throttled destination whose back-off is over.
    await db
      .updateTable(stream)
      .set({ waits_for: 'example.org', next_attempt_at: new Date(0) })
      .where('state', '=', 'queued')
      .execute()
    await db
      .insertInto('throttled_routes')
      .values({
        kind: 'destination',
        name: 'example.org',
        domains: ['example.org'],
        cause: 'throttled',
        reason: 'slow down',
        not_before: new Date(0),
        concurrency: 5,
        successes: 0,
        failures: 1,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    expect(await claimThrottled(db, stream)).toEqual([])
  }
  expect(sink.messages).toEqual([])
  expect(await db.selectFrom('editions').select('id').execute()).toHaveLength(1)

  await db.deleteFrom('throttled_routes').execute()
  expect(await resumeService(db, ADA, NEXT_MORNING, { skipDue: false })).toBe(0)
  await tick({ db, log: SILENT, wake: wakeNobody }, NEXT_MORNING)
  expect(await drain(ports, 'letters', OPTIONS)).toBe(1)
  expect(await drain(ports, 'deliveries', OPTIONS)).toBe(6)
  await expect(resumeService(db, ADA, NEXT_MORNING, { skipDue: false })).rejects.toThrow(/not held/)
})

test('a resumption that skips what is due publishes nothing of it, and the next regular time comes', async () => {
  await using newsletter = await openSendingNewsletter(2)
  const { db, ports } = newsletter
  await drain(ports, 'deliveries', OPTIONS)
  await holdService(db, ADA, 'a test')
  expect(await resumeService(db, ADA, NEXT_MORNING, { skipDue: true })).toBe(2)
  await tick({ db, log: SILENT, wake: wakeNobody }, NEXT_MORNING)
  expect(await db.selectFrom('editions').select('id').execute()).toHaveLength(1)
  const due = await db.selectFrom('subscribers').select('next_due_at').execute()
  expect(due).toEqual(Array(2).fill({ next_due_at: new Date('2026-04-17T06:00:00Z') }))
})
