/** Claims: each mail goes to one mailer, and only mail that is wanted goes to any. */
import { expect, test } from 'vitest'
import { claim, recordAndClaim } from '../../../src/store/outbox/claims.ts'
import { renew } from '../../../src/store/outbox/leases.ts'
import { record } from '../../../src/store/outbox/outcomes.ts'
import { stopMail } from '../../../src/store/subscribers.ts'
import { LONDON_DAILY, openNewsletter, subscribe } from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')

test('mailers that claim at once never share a mail', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (let n = 0; n < 25; n++) await subscribe(db, `reader${n}@example.org`, LONDON_DAILY, NOW)
  await db.updateTable('letters').set({ state: 'sent' }).where('kind', '=', 'confirmation').execute()
  const groups = await Promise.all(Array.from({ length: 5 }, () => claim(db, 'letters', 10)))
  const ids = groups.flat().map((mail) => mail.id)
  expect(new Set(ids).size).toBe(ids.length)
  while ((await claim(db, 'letters', 10)).length > 0);
  const states = await db.selectFrom('letters').select('state').where('kind', '=', 'welcome').execute()
  expect(new Set(states.map((one) => one.state))).toEqual(new Set(['sending']))
})

test('a mail to somebody who left is skipped in the claim itself', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  await stopMail(db, id, 'unsubscribed')
  expect(await claim(db, 'letters', 10)).toEqual([])
  const letters = await db.selectFrom('letters').select(['state', 'reason']).execute()
  expect(letters).toEqual(Array(2).fill({ state: 'skipped', reason: 'no longer wanted' }))
})

test('a lease is renewed and an outcome recorded under the fencing number of the claim, and under no other', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  await db.updateTable('letters').set({ state: 'sent' }).where('kind', '=', 'confirmation').execute()
  const [mail] = await claim(db, 'letters', 10)
  if (mail === undefined) throw new Error('nothing was claimed')
  const stale = { ...mail, fence: mail.fence - 1 }
  const sent = { state: 'sent' as const, reason: null, retryAfterMs: 0, counts: true, resend: false, reply: null }
  expect(await renew(db, 'letters', [stale])).toEqual([])
  expect(await record(db, 'letters', [{ ...stale, ...sent }])).toBe(0)
  expect(await renew(db, 'letters', [mail])).toEqual([mail.id])
  expect(await record(db, 'letters', [{ ...mail, ...sent }])).toBe(1)
  expect(await renew(db, 'letters', [mail])).toEqual([])
})

test('one statement records a group and claims the next, which contains no mail of the one before', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (let n = 0; n < 5; n++) await subscribe(db, `reader${n}@example.org`, LONDON_DAILY, NOW)
  await db.updateTable('letters').set({ state: 'sent' }).where('kind', '=', 'confirmation').execute()
  const [first, second] = await claim(db, 'letters', 2)
  if (first === undefined || second === undefined) throw new Error('nothing was claimed')
  const result = { reason: null, retryAfterMs: 0, counts: true, resend: false, reply: null }
  const results = [
    { ...first, ...result, state: 'sent' as const },
    // Ready again at once: it is for a later group all the same.
    { ...second, ...result, state: 'queued' as const },
    { ...second, ...result, state: 'sent' as const, fence: second.fence - 1 },
  ]
  const { recorded, claimed } = await recordAndClaim(db, 'letters', results, 10)
  expect(recorded).toBe(2)
  expect(claimed).toHaveLength(3)
  expect(claimed.map((mail) => mail.id)).not.toContain(second.id)
  expect(
    await recordAndClaim(
      db,
      'letters',
      claimed.map((mail) => ({ ...mail, ...result, state: 'sent' })),
      10,
    ),
  ).toMatchObject({ recorded: 3, claimed: [{ id: second.id }] })
})
