/** Votes of readers and picks of curators in digests, as they were at the cut-off of the edition. */
import { describe, expect, test } from 'vitest'
import { orderLineOf } from '../../../src/core/digest/reason.ts'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import { loadCandidatePool } from '../../../src/newsletter/publishing/candidate-pool.ts'
import { composeDigest } from '../../../src/newsletter/publishing/digest.ts'
import { readUnstoredIssue } from '../../../src/newsletter/publishing/issue.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import { addCuration, addCurator, addVotes } from '../../support/fixtures/endorsements.ts'
import {
  issuesOf,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const WEEK = ['2026-04-10', '2026-04-13']
const START = new Date('2026-04-14T05:00:00Z')
/** When the edition of Wednesday is cut off. */
const MORNING = new Date('2026-04-15T06:00:00Z')
const BEFORE = new Date('2026-04-14T20:00:00Z')
const AFTER = new Date('2026-04-15T06:00:01Z')
const TRENDING: Preferences = { ...LONDON_DAILY, trending: true, topics: [] }
const TOPICAL: Preferences = { ...LONDON_DAILY, topics: ['robotics', 'code', 'vlm', 'agents'] }

const plain = (text: string | undefined): string => (text ?? '').replaceAll('\u00a0', ' ')
const publish = (db: Database, at = MORNING) => publishDue({ db, log: SILENT, wake: wakeNobody }, at)

/** A week of made-up papers and a subscriber, and then Tuesday’s papers. */
const openWeek = async (preferences: Preferences) => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of WEEK) await storeDay(db, day)
  const id = await subscribe(db, 'ada@example.org', preferences, START)
  await storeDay(db, '2026-04-14', undefined, '2026-04-14T07:00:00Z')
  return {
    db,
    /** The digest of Wednesday, as it is stored. */
    readIssue: async () => {
      const issue = (await issuesOf(db, id))[1]
      if (issue === undefined) throw new Error('no digest')
      return issue
    },
    [Symbol.asyncDispose]: () => newsletter[Symbol.asyncDispose](),
  }
}

/** What a digest of Wednesday would be. */
const composeWednesday = async (db: Database, preferences: Preferences, cutoff = MORNING) => {
  const since = new Date('2026-04-13T20:00:00Z')
  const pool = await loadCandidatePool(db, cutoff, { since })
  const request = {
    kind: 'daily' as const,
    profile: preferences,
    localDate: '2026-04-15',
    since,
    recentlySent: [],
    note: null,
    news: [],
  }
  return readUnstoredIssue(db, composeDigest(pool, request, null, []))
}

/** The least upvoted paper of Tuesday. */
const leastOf = async (db: Database): Promise<string> => {
  const rows = await db
    .selectFrom('papers')
    .innerJoin('observations', 'observations.paper_id', 'papers.id')
    .select(['papers.id', 'observations.upvotes'])
    .where('papers.list_day', '=', '2026-04-14')
    .orderBy('observations.upvotes')
    .orderBy('papers.id')
    .execute()
  return rows[0]?.id ?? ''
}

describe('a pick', () => {
  test('is shown to readers of what trends with the curator and why, however few upvotes there are', async () => {
    await using week = await openWeek(TRENDING)
    const id = await leastOf(week.db)
    const without = await composeWednesday(week.db, TRENDING)
    expect(without.cards.map((card) => card.id)).not.toContain(id)
    expect(without.endorsed).toBeUndefined()
    const curator = await addCurator(week.db, 'Ada Lovelace')
    await addCuration(week.db, { curator, action: 'pick', paper: id, note: 'Read “this” first', at: BEFORE })
    await publish(week.db)
    const issue = await week.readIssue()
    const card = issue.cards.find((one) => one.id === id)
    expect(plain(card?.reason)).toMatch(/; picked by Ada Lovelace: “Read ‘this’ first”$/)
    expect(issue.cards).toHaveLength(10)
    expect(issue.endorsed).toBe(true)
  })

  test('that came after the cut-off or was undone before it is absent, and one undone later stays', async () => {
    await using week = await openWeek(TRENDING)
    const { db } = week
    const id = await leastOf(db)
    const curator = await addCurator(db, 'Ada Lovelace')
    const before = await composeWednesday(db, TRENDING)
    const pick = { curator, action: 'pick' as const, paper: id, note: 'Why' }
    const late = await addCuration(db, { ...pick, at: AFTER })
    expect(await composeWednesday(db, TRENDING)).toEqual(before)
    await db.deleteFrom('curations').where('id', '=', late).execute()
    await addCuration(db, { ...pick, at: BEFORE, undoneAt: new Date('2026-04-15T05:00:00Z') })
    expect(await composeWednesday(db, TRENDING)).toEqual(before)
    await db.deleteFrom('curations').execute()
    const stays = await addCuration(db, { ...pick, at: BEFORE, undoneAt: AFTER })
    await publish(db)
    const published = await week.readIssue()
    expect(published.cards.map((card) => card.id)).toContain(id)
    // What was sent is frozen: neither the curator's end nor the loss of the row changes it.
    await db.deleteFrom('curations').where('id', '=', stays).execute()
    await db.updateTable('curators').set({ name: 'Nobody' }).execute()
    expect(await week.readIssue()).toEqual(published)
  })

  test('brings a paper to nobody whose topics it does not fit, and lifts it where it does', async () => {
    await using week = await openWeek(TOPICAL)
    const { db } = week
    const before = await composeWednesday(db, TOPICAL)
    const last = before.cards.at(-1)?.id ?? ''
    const curator = await addCurator(db, 'Ada Lovelace')
    const misfit = (await db.selectFrom('papers').select('id').where('list_day', '=', '2026-04-14').execute())
      .map(({ id }) => id)
      .find((id) => ![...before.cards, ...(before.also ?? []), ...before.trendingExtras].some((card) => card.id === id))
    for (const paper of [last, misfit ?? ''])
      await addCuration(db, { curator, action: 'pick', paper, note: 'Why', at: BEFORE })
    const after = await composeWednesday(db, TOPICAL)
    const all = [...after.cards, ...(after.also ?? []), ...after.trendingExtras].map(({ id }) => id)
    expect(all).not.toContain(misfit)
    const placeIn = ({ cards }: typeof after) => cards.findIndex(({ id }) => id === last)
    expect(placeIn(after)).toBeLessThan(placeIn(before))
    expect(plain(after.cards[placeIn(after)]?.reason)).toContain('picked by Ada Lovelace: “Why”')
  })
})

describe('a pin', () => {
  test('to the newest list day comes first for readers of what trends, and for others is a pick', async () => {
    await using week = await openWeek(TRENDING)
    const { db } = week
    const id = await leastOf(db)
    const curator = await addCurator(db, 'Grace Hopper')
    await addCuration(db, { curator, action: 'pin', paper: id, note: null, at: BEFORE, listDay: '2026-04-14' })
    await publish(db)
    const issue = await week.readIssue()
    expect(issue.cards[0]).toMatchObject({ id, pinned: true })
    expect(plain(issue.cards[0]?.reason)).toMatch(/pinned by Grace Hopper$/)
    expect(orderLineOf(issue)).toMatch(/^What a curator pinned comes first\. Ranked by upvotes/)
    const weekly = await composeWednesday(db, { ...TRENDING, frequency: 'weekly' })
    expect(weekly.cards[0]?.id).toBe(id)
    const topical = await composeWednesday(db, { ...TOPICAL, topics: [await topicOf(db, id)] })
    const card = topical.cards.find((one) => one.id === id)
    expect(card?.pinned).toBeUndefined()
    expect(plain(card?.reason)).toMatch(/picked by Grace Hopper$/)
  })
})

const topicOf = async (db: Database, paper: string): Promise<string> => {
  const row = await db
    .selectFrom('paper_topics')
    .select('topic')
    .where('paper_id', '=', paper)
    .orderBy('score', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.topic ?? ''
}

describe('votes', () => {
  test('by the cut-off lift a paper and are told from five readers on, later ones are not there', async () => {
    await using week = await openWeek(TOPICAL)
    const { db } = week
    const before = await composeWednesday(db, TOPICAL)
    const last = before.cards.at(-1)?.id ?? ''
    await addVotes(db, last, 4, BEFORE)
    await addVotes(db, last, 50, AFTER)
    const four = await composeWednesday(db, TOPICAL)
    expect(four.cards.find(({ id }) => id === last)?.reason).not.toContain('reader')
    await addVotes(db, last, 3, MORNING)
    await publish(db)
    const issue = await week.readIssue()
    const place = issue.cards.findIndex(({ id }) => id === last)
    expect(place).toBeGreaterThanOrEqual(0)
    expect(place).toBeLessThan(before.cards.length - 1)
    expect(plain(issue.cards[place]?.reason)).toMatch(/; 7 readers here voted for it$/)
    // A vote taken back, or a reader erased, changes nothing of what was sent.
    await db.deleteFrom('votes').execute()
    expect(await week.readIssue()).toEqual(issue)
  })

  test('for a paper below the middle bring it nobody else, nor before all others', async () => {
    await using week = await openWeek(TRENDING)
    const { db } = week
    const id = await leastOf(db)
    await addVotes(db, id, 60, BEFORE)
    const issue = await composeWednesday(db, TRENDING)
    expect(issue.cards.map((card) => card.id)).not.toContain(id)
  })

  test('are the same for an edition that is finished later', async () => {
    await using week = await openWeek(TOPICAL)
    const { db } = week
    const before = await composeWednesday(db, TOPICAL)
    const last = before.cards.at(-1)?.id ?? ''
    await addVotes(db, last, 7, BEFORE)
    await db.insertInto('editions').values({ cutoff: MORNING, published_at: null }).execute()
    await addVotes(db, before.cards[0]?.id ?? '', 30, AFTER)
    await publish(db, new Date('2026-04-15T20:00:00Z'))
    const { cards } = await week.readIssue()
    const told = cards.filter(({ reason }) => reason.includes('voted'))
    expect(told.map(({ id, reason }) => [id, plain(reason).split('; ').at(-1)])).toEqual([
      [last, '7 readers here voted for it'],
    ])
  })
})

test('what is hidden is absent, whoever picked, pinned or voted for it', async () => {
  await using week = await openWeek(TRENDING)
  const { db } = week
  const id = await leastOf(db)
  const curator = await addCurator(db, 'Ada Lovelace')
  await addCuration(db, { curator, action: 'pick', paper: id, note: 'Why', at: BEFORE })
  await addCuration(db, { curator, action: 'pin', paper: id, note: null, at: BEFORE, listDay: '2026-04-14' })
  await addVotes(db, id, 9, BEFORE)
  await db.updateTable('papers').set({ hidden_at: BEFORE }).where('id', '=', id).execute()
  const issue = await composeWednesday(db, TRENDING)
  expect([...issue.cards, ...(issue.also ?? [])].map((card) => card.id)).not.toContain(id)
  expect(issue.endorsed).toBeUndefined()
})
