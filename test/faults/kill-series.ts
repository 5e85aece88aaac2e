/** A mailer that is killed at random moments of one large edition: what its subscribers get, and what is counted. */
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { SENDING } from '../../workers/roles/mailer.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { openEnvironment, type QueueKind } from './environment.ts'

/** Mails that a mailer holds claimed at a time, in each lane 64 at most (`newsletter/delivery`): no kill may double more. */
const CLAIMED = 64 * SENDING.deliveries.lanes
const COHORTS = 100
const PATIENCE = 240_000
/** A server that has taken nothing for so long has nothing left of a sender that is dead. */
const wakeNobody = 150

/** Publishes, kills, waits until all is sent, and counts; prints what it found. */
export const runKills = async (options: { kills: number; deliveries: number; seed: number; queue: QueueKind }) => {
  const { kills, deliveries, seed, queue } = options
  const copies = new Map<string, number>()
  let taken = 0
  await using environment = await openEnvironment({
    queue,
    at: new Date('2026-04-15T20:00:00Z'),
    roles: ['scheduler-1', 'mailer-1'],
    sink: {
      onMessage: ({ raw }) => {
        const id = /^Message-ID: <(.+)@/im.exec(raw)?.[1] ?? ''
        copies.set(id, (copies.get(id) ?? 0) + 1)
        taken++
      },
    },
  })
  await oweEdition(environment.db, deliveries, COHORTS)
  // The edition is the only one: nobody is due again while it lasts.
  await environment.db
    .updateTable('subscribers')
    .set({ next_due_at: new Date('2026-05-15T06:00:00Z') })
    .execute()
  const [moments = []] = fc.sample(
    fc.uniqueArray(fc.integer({ min: 1, max: deliveries - 1 }), { minLength: kills, maxLength: kills }),
    { seed, numRuns: 1 },
  )
  const until = performance.now() + PATIENCE
  const assertInTime = () => {
    if (performance.now() > until) throw new Error(`not ended within ${PATIENCE} ms: ${copies.size} of ${deliveries}`)
  }
  await environment.wake('deliveries')
  for (const moment of moments.toSorted((a, b) => a - b)) {
    while (copies.size < moment) {
      assertInTime()
      await delay(1)
    }
    await environment.kill('mailer-1')
    for (let known = -1; known < taken; await delay(wakeNobody)) known = taken
    await environment.pass(61_000)
    await environment.whenReady('mailer-1')
    await environment.wake('tick')
  }
  const states = () => environment.db.selectFrom('deliveries').select(['id', 'state', 'resent']).execute()
  let ledger = await states()
  while (ledger.some((row) => row.state !== 'sent')) {
    assertInTime()
    await delay(200)
    await environment.wake('tick')
    ledger = await states()
  }
  const uncounted = ledger.filter((row) => (copies.get(row.id) ?? 0) - 1 > row.resent).length
  const without = ledger.filter((row) => !copies.has(row.id)).length
  const duplicates = taken - copies.size
  const result = {
    deliveries: ledger.length,
    kills,
    sent: ledger.filter((row) => row.state === 'sent').length,
    messages: taken,
    without_message: without,
    duplicates,
    duplicates_allowed: kills * CLAIMED,
    resent_counted: ledger.reduce((sum, row) => sum + row.resent, 0),
    duplicates_not_counted: uncounted,
  }
  for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(24)} ${value}`)
  const ok = without === 0 && uncounted === 0 && duplicates <= kills * CLAIMED && copies.size === ledger.length
  return { ok: ok && ledger.length === deliveries, result }
}
