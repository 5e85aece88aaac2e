/** Settings are proposed by the next digest, once, and changed only by their reader's answer. */
import { expect, test } from 'vitest'
import { NO_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken } from '../../src/core/token.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { createTasteProposals } from '../../src/newsletter/taste-proposals.ts'
import { createTastes } from '../../src/newsletter/tastes.ts'
import { claim } from '../../src/store/outbox/claims.ts'
import { preferencesOf, readSubscriber } from '../../src/store/subscribers.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
/** A day without new papers, and one with. */
const [EMPTY, DUE] = [new Date('2026-04-15T06:00:00Z'), new Date('2026-04-16T06:00:00Z')]
const DAY = 86_400_000
const PAPERS = ['2604.14001', '2604.14002', '2604.14003', '2604.14010']

/** A reader of papers that all have the same author. */
const openReader = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const mail = deriveToken(KEYS, 'vote', id)
  const at = (days: number) => ({ db, keys: KEYS, now: () => new Date(NOW.getTime() + days * DAY) })
  const sayMore = async (papers = PAPERS, days = 0) => {
    for (const paper of papers) await createTastes(at(days)).press(mail, paper, 'more')
  }
  return {
    ...newsletter,
    id,
    ports: at(0),
    mail,
    pages: deriveToken(KEYS, 'preferences', id),
    tastesAt: (days: number) => createTastes(at(days)),
    proposalsAt: (days: number) => createTasteProposals(at(days)),
    sayMore,
    waiting: async () =>
      (await db.selectFrom('subscribers').select('proposal_id').where('id', '=', id).executeTakeFirstOrThrow())
        .proposal_id,
    authors: async () => {
      const subscriber = await readSubscriber(db, { id })
      return subscriber === undefined ? [] : preferencesOf(subscriber).authors
    },
  }
}

test('three presses propose nothing; the fourth has the next digest propose, and no digest after it', async () => {
  await using reader = await openReader()
  const { db, sayMore, waiting } = reader
  await sayMore(PAPERS.slice(0, 3))
  expect(await waiting()).toBeNull()
  await sayMore(PAPERS.slice(3))
  const id = await waiting()
  expect(id).not.toBeNull()
  await publishDue({ db, log: SILENT, wake: wakeNobody }, EMPTY)
  expect(await waiting()).toBe(id)
  await storeDay(db, '2026-04-15')
  await publishDue({ db, log: SILENT, wake: wakeNobody }, DUE)
  expect(await waiting()).toBeNull()
  const [claimed] = await claim(db, 'deliveries', 10)
  expect(claimed?.proposal).toEqual({ id, kind: 'author', label: 'Ada Lovelace', presses: 4 })
  await sayMore(['2604.15001'], 2)
  expect(await waiting()).toBeNull()
})

test('accepting adds it, the next digest tells that, and undoing takes it out; opening the link changes nothing', async () => {
  await using reader = await openReader()
  const { db, sayMore, waiting, proposalsAt, pages, authors } = reader
  await sayMore()
  const id = (await waiting()) ?? 0
  const proposals = proposalsAt(1)
  expect(await proposals.read(pages, id)).toMatchObject({ kind: 'author', state: 'open' })
  expect(await authors()).toEqual([])
  // Pressed on two devices at once.
  const both = await Promise.all([proposals.accept(pages, id), proposals.accept(pages, id)])
  expect(both).toMatchObject([{ state: 'accepted' }, { state: 'accepted' }])
  expect(await authors()).toEqual(['Ada Lovelace'])
  const [told] = await db.selectFrom('subscribers').select('changed_by_link').execute()
  expect(told?.changed_by_link).toEqual(['authors'])
  expect(await proposals.undo(pages, id)).toMatchObject({ state: 'open' })
  expect(await proposals.undo(pages, id)).toMatchObject({ state: 'open' })
  expect(await authors()).toEqual([])
})

test('what was declined is never proposed again, what had no answer is after 60 days', async () => {
  for (const declined of [true, false]) {
    await using reader = await openReader()
    const { db, sayMore, waiting, proposalsAt, pages } = reader
    await sayMore()
    const id = (await waiting()) ?? 0
    await storeDay(db, '2026-04-15')
    await publishDue({ db, log: SILENT, wake: wakeNobody }, DUE)
    if (declined) expect(await proposalsAt(1).decline(pages, id)).toMatchObject({ state: 'declined' })
    // The papers of the first presses are pressed anew.
    for (const paper of PAPERS) await reader.tastesAt(70).takeBack(reader.mail, paper)
    await sayMore(PAPERS, 70)
    const again = await db.selectFrom('taste_proposals').select(['value', 'answer']).execute()
    const isAgain = again.some(({ value, answer }) => value === 'Ada Lovelace' && answer === null)
    expect(isAgain).toBe(!declined)
  }
})

test('a press that is taken back, a taste that is turned off and one that is forgotten propose nothing', async () => {
  await using reader = await openReader()
  const { db, sayMore, waiting, tastesAt, mail, pages } = reader
  const tastes = tastesAt(0)
  await sayMore()
  await tastes.takeBack(mail, PAPERS[0] ?? '')
  expect(await waiting()).toBeNull()
  expect(await db.selectFrom('taste_proposals').selectAll().execute()).toEqual([])
  await sayMore()
  expect(await waiting()).not.toBeNull()
  await tastes.turnOff(pages)
  expect(await waiting()).toBeNull()
  await tastes.turnOn(pages)
  expect(await waiting()).not.toBeNull()
  // Chosen in the settings meanwhile.
  const subscriptions = createSubscriptions({ ...reader.ports, wake: wakeNobody, limits: NO_LIMITS })
  await subscriptions.changePreferences(pages, { ...LONDON_DAILY, authors: ['Ada Lovelace'] })
  expect(await waiting()).toBeNull()
  await subscriptions.changePreferences(pages, LONDON_DAILY)
  await tastes.removeTerm(pages, 'author:ada lovelace')
  const [other] = await db.selectFrom('taste_proposals').select('value').execute()
  expect(other?.value).not.toBe('Ada Lovelace')
  await tastes.reset(pages)
  expect(await waiting()).toBeNull()
})

test('a proposal is its reader’s alone, gives a clear answer when it is stale, and is gone with them', async () => {
  await using reader = await openReader()
  const { db, sayMore, waiting, proposalsAt, pages, mail } = reader
  await sayMore()
  const id = (await waiting()) ?? 0
  const proposals = proposalsAt(0)
  const grace = await subscribe(db, 'grace@example.org', LONDON_DAILY, NOW)
  for (const token of [deriveToken(KEYS, 'preferences', grace), mail, 'x']) {
    expect(await proposals.read(token, id)).toBeNull()
    expect(await proposals.accept(token, id)).toBeNull()
  }
  const names = Array.from({ length: 20 }, (_, n) => `Grace ${String.fromCharCode(65 + n)}. Hopper`)
  await db.updateTable('subscribers').set({ authors: names }).where('id', '=', reader.id).execute()
  expect(await proposals.accept(pages, id)).toMatchObject({ state: 'full' })
  await db
    .updateTable('subscribers')
    .set({ authors: ['ada lovelace'] })
    .where('id', '=', reader.id)
    .execute()
  expect(await proposals.accept(pages, id)).toMatchObject({ state: 'present' })
  await db.updateTable('subscribers').set({ state: 'unsubscribed', next_due_at: null }).execute()
  expect(await proposals.accept(pages, id)).toBe('not subscribed')
  await eraseFrom(db, reader.id)
  expect(await proposals.read(pages, id)).toBeNull()
  expect(await db.selectFrom('taste_proposals').selectAll().execute()).toEqual([])
})
