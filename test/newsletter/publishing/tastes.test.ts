/** Digests of readers with a taste: in an order of their own, with the reason, and nobody else's is touched. */
import { expect, test } from 'vitest'
import { orderLineOf } from '../../../src/core/digest/reason.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { createTastes } from '../../../src/newsletter/tastes.ts'
import type { Database } from '../../../src/store/database.ts'
import {
  eraseFrom,
  issuesOf,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-13T10:00:00Z')
const TOPICS = ['diffusion-lm', 'robotics', 'agents', 'evaluation', 'speech-audio']
const FEW = { ...LONDON_DAILY, topics: TOPICS, papers: 3 as const }

const DAYS = ['2026-04-08', '2026-04-09', '2026-04-10', '2026-04-11', '2026-04-12', '2026-04-13']

/** Stores a week, and has a reader ask for more like the papers of one topic, and less like those of another. */
const pressAll = async (db: Database, ids: readonly string[], { more, less }: { more: string; less: string }) => {
  const tastes = createTastes({ db, keys: KEYS, now: () => NOW })
  for (const id of ids)
    for (const day of DAYS)
      for (const [direction, paper] of [
        ['more', more],
        ['less', less],
      ] as const)
        await tastes.press(deriveToken(KEYS, 'vote', id), `2604.${day.slice(-2)}${paper.slice(-3)}`, direction)
}

const publish = (db: Database, at: string) => publishDue({ db, log: SILENT, wake: wakeNobody }, new Date(at))

const digestOf = async (db: Database, id: string, localDate: string) => {
  const issue = (await issuesOf(db, id)).find((one) => one.localDate === localDate && one.kind === 'daily')
  if (issue === undefined) throw new Error(`no digest on ${localDate}`)
  return issue
}

/** The papers of the day before with the fewest and the most upvotes; those of its topics stand alike the next day. */
const extremesOf = async (db: Database) => {
  const papers = await db
    .selectFrom('papers as p')
    .innerJoin('observations as o', 'o.paper_id', 'p.id')
    .select(['p.id', 'o.upvotes'])
    .where('p.list_day', '=', '2026-04-13')
    .orderBy('o.upvotes')
    .execute()
  return { more: papers[0]?.id ?? '', less: papers.at(-1)?.id ?? '' }
}

test('a taste orders the digest of its reader and says so, the same cohort has its own, and nothing comes twice', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of DAYS) await storeDay(db, day, TOPICS)
  const preferences = { ...LONDON_DAILY, topics: TOPICS }
  const [ada, ben, eve] = [
    await subscribe(db, 'ada@example.org', preferences, NOW),
    await subscribe(db, 'ben@example.org', preferences, NOW),
    await subscribe(db, 'eve@example.org', preferences, NOW),
  ]
  await pressAll(db, [ada, eve], await extremesOf(db))
  await storeDay(db, '2026-04-14', TOPICS)
  const published = await publish(db, '2026-04-15T07:00:00Z')
  expect(published).toMatchObject({ subscribers: 3, owed: 3, digests: 2 })
  const [own, plain, same] = [
    await digestOf(db, ada, '2026-04-15'),
    await digestOf(db, ben, '2026-04-15'),
    await digestOf(db, eve, '2026-04-15'),
  ]
  // Who wants the same gets the same digest, with the same papers of each topic in another order.
  expect(same).toEqual(own)
  expect(own.entries.map(({ paperId }) => paperId).sort()).toEqual(plain.entries.map(({ paperId }) => paperId).sort())
  expect(own.entries.map(({ paperId }) => paperId)).not.toEqual(plain.entries.map(({ paperId }) => paperId))
  // What is said to be liked stands in the paper.
  expect(own.byTaste).toBe(true)
  expect(orderLineOf(own)).toBe(
    'Ranked by how well each paper fits what you follow, by its upvotes and by what you seem to like.',
  )
  expect(own.cards.map(({ reason }) => reason).join('\n')).toContain('you seem to like')
  expect(plain.byTaste).toBeUndefined()
  expect(orderLineOf(plain)).not.toContain('like')
  expect(plain.cards.map(({ reason }) => reason).join('\n')).not.toContain('you seem to like')
  // The next day brings new papers alone.
  await storeDay(db, '2026-04-15', TOPICS)
  await publish(db, '2026-04-16T07:00:00Z')
  const next = await digestOf(db, ada, '2026-04-16')
  const sent = new Set(
    (await issuesOf(db, ada)).slice(0, -1).flatMap(({ entries }) => entries.map((one) => one.paperId)),
  )
  expect(next.entries.length).toBeGreaterThan(0)
  expect(next.entries.filter(({ paperId }) => sent.has(paperId))).toEqual([])
})

test('a taste that changes nothing shares the digest of its cohort, and so does one that is off', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13', ['robotics'])
  const preferences = { ...LONDON_DAILY, topics: ['robotics'] }
  const [ada, ben] = [
    await subscribe(db, 'ada@example.org', preferences, NOW),
    await subscribe(db, 'ben@example.org', preferences, NOW),
  ]
  const eve = await subscribe(db, 'eve@example.org', FEW, NOW)
  await subscribe(db, 'fay@example.org', FEW, NOW)
  const tastes = createTastes({ db, keys: KEYS, now: () => NOW })
  await tastes.press(deriveToken(KEYS, 'vote', ada), '2604.13023', 'less')
  await tastes.press(deriveToken(KEYS, 'vote', eve), '2604.13023', 'more')
  await tastes.turnOff(deriveToken(KEYS, 'preferences', eve))
  await storeDay(db, '2026-04-14', TOPICS)
  expect(await publish(db, '2026-04-15T07:00:00Z')).toMatchObject({ subscribers: 4, owed: 4, digests: 2 })
  const rows = await db.selectFrom('subscribers').select('last_digest_id').where('id', 'in', [ada, ben]).execute()
  expect(new Set(rows.map((row) => row.last_digest_id)).size).toBe(1)
})

test('the digest that a taste ordered goes with its reader, where nobody else has it', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of DAYS) await storeDay(db, day, TOPICS)
  const preferences = { ...LONDON_DAILY, topics: TOPICS }
  const ada = await subscribe(db, 'ada@example.org', preferences, NOW)
  await subscribe(db, 'ben@example.org', preferences, NOW)
  await pressAll(db, [ada], await extremesOf(db))
  await storeDay(db, '2026-04-14', TOPICS)
  await publish(db, '2026-04-15T07:00:00Z')
  const byTaste = () => db.selectFrom('digests').select('id').where('by_taste', '=', true).execute()
  expect(await byTaste()).toHaveLength(1)
  await eraseFrom(db, ada)
  expect(await byTaste()).toEqual([])
})
