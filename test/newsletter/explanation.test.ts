/** Why a paper came to a reader or did not. */
import { describe, expect, test } from 'vitest'
import type { Listing } from '../../src/core/papers/paper.ts'
import type { Preferences } from '../../src/core/subscriber/preferences.ts'
import { deriveToken } from '../../src/core/token.ts'
import { createExplanations } from '../../src/newsletter/explanation.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { changePause, changePreferences } from '../../src/newsletter/subscription/preferences.ts'
import type { Database } from '../../src/store/database.ts'
import { judgeExplanations } from '../support/fixtures/judged-explanations.ts'
import { liveDays } from '../support/fixtures/lived-days.ts'
import {
  KEYS,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const START = new Date('2026-04-14T05:00:00Z')
const TOPICS = ['robotics', 'code', 'vlm', 'agents', 'data', 'rl-llm']
const EARLIER = ['2026-04-09', '2026-04-10', '2026-04-13']

const listing = (id: string, title: string, more: Partial<Listing['paper']> = {}, upvotes = 5): Listing => {
  const [first] = listingsOf('2026-04-14', ['code'], '2026-04-14T07:00:00Z')
  if (first === undefined) throw new Error('no paper to begin from')
  return {
    ...first,
    paper: { ...first.paper, id, title, abstract: 'Nothing to see.', authors: ['Ada Lovelace'], ...more },
    observation: { ...first.observation, upvotes },
  }
}

const openWeek = async (preferences: Partial<Preferences>) => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of EARLIER) await storeDay(db, day, TOPICS)
  const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, ...preferences }, START)
  const explanations = (now: Date) =>
    createExplanations({ db, keys: KEYS, now: () => now, reads: ['files of this site'] })
  const token = deriveToken(KEYS, 'preferences', id, 0)
  return {
    ...newsletter,
    id,
    token,
    explain: (paper: string, now: Date) => explanations(now).explain(token, paper),
  }
}

const publish = (db: Database, at: Date) => publishDue({ db, log: SILENT, wake: wakeNobody }, at)

describe('of days that were lived', () => {
  test('every paper sent is told as sent, every other has one reason, and the change that is offered brings it', async () => {
    await using week = await openWeek({
      topics: ['robotics', 'code', 'vlm', 'agents'],
      papers: 3,
      muted: ['benchmark'],
    })
    const { db, id } = week
    const days = ['2026-04-14', '2026-04-15']
    const listings = [
      ...days.flatMap((day) => listingsOf(day, TOPICS, `${day}T03:00:00Z`)),
      listing('2604.14990', 'A Benchmark of Robot Learning and Manipulation'),
    ]
    await liveDays(db, listings, { first: '2026-04-15', last: '2026-04-16', time: '06:00' })
    const judged = await judgeExplanations(db, id, new Date('2026-04-16T08:00:00Z'))
    expect(judged.faults).toEqual([])
    expect(judged.sent).toBeGreaterThanOrEqual(9)
    expect(judged.pressed).toBeGreaterThan(2)
    expect(judged.kinds).toEqual(expect.arrayContaining(['sent', 'muted', 'off-topic', 'below']))
  })
})

describe('one paper', () => {
  const EARLIER_THAT_DAY = new Date('2026-04-15T05:00:00Z')
  const MORNING = new Date('2026-04-15T06:00:00Z')
  test('is not seen, hidden, or withdrawn', async () => {
    await using week = await openWeek({})
    const { db } = week
    expect(await week.explain('2604.77777', START)).toMatchObject({
      verdict: { kind: 'unseen', reads: ['files of this site'] },
      paper: { title: null },
    })
    expect(await week.explain('agents', START)).toBe('no-paper')
    await storeAll(db, 'file', [
      listing('2604.14901', 'Robot Learning'),
      listing('2604.14902', 'Robot Learning of Another Kind'),
    ])
    await db.updateTable('papers').set({ hidden_at: MORNING }).where('id', '=', '2604.14901').execute()
    await db
      .insertInto('paper_news')
      .values({ paper_id: '2604.14902', kind: 'withdrawn', version: null, seen_at: MORNING })
      .execute()
    expect(await week.explain('https://arxiv.org/abs/2604.14901v2', MORNING)).toMatchObject({
      verdict: { kind: 'hidden', on: '2026-04-15' },
      paper: { title: null },
    })
    expect(await week.explain('2604.14902', MORNING)).toMatchObject({ verdict: { kind: 'withdrawn' } })
  })

  test('of nothing followed comes by the keyword that is offered', async () => {
    await using week = await openWeek({ topics: ['robotics'] })
    const { db, id, token } = week
    await storeAll(db, 'file', [
      listing('2604.14903', 'On Quiet Things', { authors: ['Grace Hopper', 'Emmy Noether'] }, 0),
    ])
    const explained = await week.explain('2604.14903', MORNING)
    expect(explained).toMatchObject({
      verdict: { kind: 'off-topic', on: null, exact: true },
      press: { kind: 'author', name: 'Grace Hopper' },
    })
    const own = { ...LONDON_DAILY, topics: ['robotics'], authors: ['Grace Hopper'] }
    await changePreferences({ db, keys: KEYS, now: () => EARLIER_THAT_DAY }, token, own)
    expect(await week.explain('2604.14903', EARLIER_THAT_DAY)).toMatchObject({ verdict: { kind: 'next' } })
    await publish(db, MORNING)
    const after = await week.explain('2604.14903', new Date('2026-04-15T09:00:00Z'))
    expect(after).toMatchObject({ verdict: { kind: 'sent', on: '2026-04-15', as: 'paper', arrival: 'on its way' } })
    const mail = await db
      .selectFrom('deliveries')
      .select('id')
      .where('subscriber_id', '=', id)
      .executeTakeFirstOrThrow()
    expect(after).toMatchObject({ viewToken: deriveToken(KEYS, 'view', mail.id, 0) })
  })

  test('that says the same as one sent before is told as its twin', async () => {
    await using week = await openWeek({ topics: ['robotics'] })
    const { db } = week
    const title = 'Robot Learning from Demonstrations of Hands in Kitchens'
    await storeAll(db, 'file', [listing('2604.14904', title)])
    await publish(db, MORNING)
    const [again] = [listing('2604.14905', `${title} Revisited`)].map((one) => ({
      ...one,
      listDay: '2026-04-15',
      observation: { ...one.observation, at: new Date('2026-04-15T07:00:00Z') },
    }))
    if (again !== undefined) await storeAll(db, 'file', [again])
    expect(await week.explain('2604.14905', new Date('2026-04-15T09:00:00Z'))).toMatchObject({
      verdict: { kind: 'twin', on: null, other: { id: '2604.14904' } },
      press: null,
    })
  })

  test('is old news to a new reader, and waits for one who pauses', async () => {
    await using week = await openWeek({ topics: ['robotics'] })
    const { db, token } = week
    // A welcome has seven list days.
    for (const day of ['2026-04-02', '2026-04-03', '2026-04-07', '2026-04-08']) await storeDay(db, day, ['data'])
    await storeAll(db, 'file', [
      {
        ...listing('2603.10001', 'Robot Learning of Old'),
        listDay: '2026-03-10',
        observation: { ...listing('x', 'x').observation, at: new Date('2026-03-10T09:00:00Z') },
      },
    ])
    expect(await week.explain('2603.10001', START)).toMatchObject({
      verdict: { kind: 'before', listDay: '2026-03-10', first: '2026-04-14' },
    })
    await changePause({ db, keys: KEYS, now: () => MORNING }, token, '2026-05-01')
    await storeAll(db, 'file', [listing('2604.14906', 'Robot Learning of New')])
    expect(await week.explain('2604.14906', MORNING)).toMatchObject({
      verdict: { kind: 'paused', until: '2026-05-01' },
    })
  })

  test('that was left out by settings that were changed since is told so', async () => {
    await using week = await openWeek({ topics: ['robotics'] })
    const { db, token } = week
    const [paper] = listingsOf('2026-04-14', ['code'], '2026-04-14T07:00:00Z')
    if (paper === undefined) throw new Error('no paper')
    await storeAll(db, 'file', [paper])
    await publish(db, MORNING)
    await publish(db, new Date('2026-04-16T06:00:00Z'))
    await publish(db, new Date('2026-04-17T06:00:00Z'))
    const later = new Date('2026-04-18T12:00:00Z')
    expect(await week.explain(paper.paper.id, later)).toMatchObject({
      verdict: { kind: 'off-topic', on: '2026-04-17', exact: true },
      press: { kind: 'follow', topic: 'code' },
    })
    await changePreferences({ db, keys: KEYS, now: () => later }, token, {
      ...LONDON_DAILY,
      topics: ['robotics', 'code'],
    })
    expect(await week.explain(paper.paper.id, later)).toMatchObject({
      verdict: { kind: 'changed', on: '2026-04-17' },
      press: null,
    })
  })
})
