/** Readers who chose what trends, by itself or beside topics, and those who chose how many papers they get. */
import { describe, expect, test } from 'vitest'
import { subjectOf } from '../../../src/core/digest/headline.ts'
import { orderLineOf } from '../../../src/core/digest/reason.ts'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { createPreviews } from '../../../src/newsletter/publishing/preview.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import {
  issuesOf,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const WEEK = ['2026-04-03', '2026-04-06', '2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const START = new Date('2026-04-14T05:00:00Z')
const MORNING = new Date('2026-04-15T06:00:00Z')
const TRENDING: Preferences = { ...LONDON_DAILY, trending: true, topics: [] }

const plain = (text: string | undefined): string => (text ?? '').replaceAll('\u00a0', ' ')
const publish = (db: Database, at = MORNING) => publishDue({ db, log: SILENT, wake: wakeNobody }, at)

/** A week of made-up papers, 38 a day of as many topics, a subscriber with these preferences, and Tuesday’s papers. */
const digestOf = async (db: Database, preferences: Preferences) => {
  for (const day of WEEK) await storeDay(db, day)
  const id = await subscribe(db, 'ada@example.org', preferences, START)
  await storeDay(db, '2026-04-14', undefined, '2026-04-14T07:00:00Z')
  await publish(db)
  const [welcome, issue] = await issuesOf(db, id)
  if (welcome === undefined || issue === undefined) throw new Error('no digest')
  return { id, welcome, issue }
}

describe('what trends', () => {
  test('by itself is the most upvoted of the day, best first, each with its rank, and nothing comes twice', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const { id, welcome, issue } = await digestOf(db, TRENDING)
    expect(issue).toMatchObject({
      kind: 'daily',
      topics: ['Trending in all topics'],
      onlyTrending: true,
      trendingExtras: [],
    })
    expect(issue.cards).toHaveLength(10)
    for (const { id: paper, upvotes, reason } of issue.cards) {
      const day = `2026-04-${paper.slice(5, 7)}`
      const counts = listingsOf(day).map(({ observation }) => observation.upvotes ?? 0)
      const rank = 1 + counts.filter((count) => count > (upvotes ?? 0)).length
      const place = rank === 1 ? 'Most upvoted' : `${rank}${['', 'st', 'nd', 'rd'][rank] ?? 'th'} most upvoted`
      const listed = day === '2026-04-14' ? 'Tuesday 14 April' : 'Monday 13 April'
      expect(plain(reason).split(';')[0]).toBe(`${place} of the 38 papers listed on ${listed}`)
    }
    expect(subjectOf(issue, 'Paper Round')).toMatch(/^Trending papers: Advances in [^,]+, .+ and 8 more$/)
    expect([welcome.cards.length, welcome.trendingExtras]).toEqual([10, []])
    // Once more with what is left of these days, and then nothing: what has few upvotes does not trend.
    for (const day of ['2026-04-16', '2026-04-17', '2026-04-18']) await publish(db, new Date(`${day}T06:00:00Z`))
    const issues = await issuesOf(db, id)
    const sent = issues.flatMap(({ cards }) => cards)
    expect(new Set(sent.map((card) => card.id)).size).toBe(sent.length)
    expect(Math.min(...sent.map((card) => card.upvotes ?? 0))).toBeGreaterThan(20)
    expect(issues.at(-1)?.state).toBe('skipped')
  })

  test('beside a topic leaves it its best place and its reason, and fills what is left', async () => {
    await using newsletter = await openNewsletter()
    const { issue } = await digestOf(newsletter.db, { ...TRENDING, topics: ['robotics'] })
    expect(issue.topics).toEqual(['Trending in all topics', 'Robotics & embodied AI'])
    expect(issue.onlyTrending).toBeUndefined()
    expect(issue.cards).toHaveLength(10)
    const ofTopic = issue.cards.filter(({ reason }) => reason.startsWith('Robotics & embodied AI: '))
    expect(ofTopic).toHaveLength(1)
    for (const card of issue.cards)
      if (card !== ofTopic[0]) expect(plain(card.reason)).toMatch(/ost upvoted of the 38 papers listed/)
    const { issue: alone } = {
      issue: await createPreviews({ db: newsletter.db, now: () => MORNING }).readDigest(TRENDING),
    }
    expect(alone.cards.some(({ id }) => id === ofTopic[0]?.id)).toBe(false)
    expect(subjectOf(issue, 'Paper Round')).toMatch(/^Your papers: /)
  })

  test('a week of it is one list, beside a topic it is a group of its own', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of WEEK) await storeDay(db, day)
    const { readDigest } = createPreviews({ db, now: () => START })
    const alone = await readDigest({ ...TRENDING, frequency: 'weekly' })
    expect([alone.cards.length, alone.groups, alone.silent]).toEqual([15, [], []])
    expect(subjectOf(alone, 'Paper Round')).toMatch(/^Trending this week: /)
    const beside = await readDigest({ ...TRENDING, frequency: 'weekly', topics: ['robotics'] })
    expect(beside.groups.map(({ label }) => label).sort()).toEqual(['Robotics & embodied AI', 'Trending in all topics'])
  })

  test('is of several subjects where one has most of it', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of WEEK) await storeDay(db, day)
    const most = listingsOf('2026-04-14', ['robotics']).flatMap((listing) =>
      Array.from({ length: 12 }, (_, n) => ({
        ...listing,
        paper: {
          ...listing.paper,
          id: `2604.9900${n}`,
          title: `${listing.paper.title}, part ${'abcdefghijkl'[n]} of it`,
        },
        observation: { ...listing.observation, upvotes: 900 - n },
      })),
    )
    const differ = most.map((one, n) => ({
      ...one,
      paper: {
        ...one.paper,
        abstract: `${one.paper.abstract} ${`w${n}q `.repeat(2)}`,
        title: `Robot manipulation ${n}x${n}`,
      },
    }))
    await storeAll(db, 'file', [...differ, ...listingsOf('2026-04-14')])
    const { readDigest } = createPreviews({ db, now: () => MORNING })
    const { cards } = await readDigest(TRENDING)
    const ofRobots = cards.filter((card) => card.id.startsWith('2604.9900'))
    expect([cards.length, ofRobots.length]).toEqual([10, 3])
    expect(ofRobots.map((card) => card.upvotes)).toEqual([900, 899, 898])
  })

  test('where no source counts upvotes is what was listed last, and says no more', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of ['2026-04-13', '2026-04-14'])
      await storeAll(
        db,
        'file',
        listingsOf(day, undefined, `${day}T07:00:00Z`).map((listing) => ({
          ...listing,
          observation: { ...listing.observation, upvotes: null },
        })),
      )
    const issue = await createPreviews({ db, now: () => MORNING }).readDigest(TRENDING)
    expect(issue.cards).toHaveLength(10)
    for (const { reason } of issue.cards) expect(plain(reason)).toBe('Listed on Tuesday 14 April')
    expect(orderLineOf(issue)).toBe('The newest papers come first.')
  })
})

describe('a number of papers', () => {
  test.each([3, 5, 15] as const)('of %i is the most that a digest has, welcome and extras included', async (papers) => {
    await using newsletter = await openNewsletter()
    const { welcome, issue } = await digestOf(newsletter.db, { ...TRENDING, papers })
    expect([welcome.cards.length, issue.cards.length]).toEqual([papers, papers])
  })

  test('leaves no room for trending extras beyond it', async () => {
    await using newsletter = await openNewsletter()
    const { issue } = await digestOf(newsletter.db, { ...LONDON_DAILY, topics: ['robotics'], papers: 3 })
    expect([issue.cards.length, issue.trendingExtras.length]).toEqual([2, 1])
  })

  test('that is usual makes no cohort of its own, another does', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of WEEK) await storeDay(db, day)
    for (const [n, choice] of [{}, { papers: 10 as const }, { papers: 3 as const }, { trending: true }].entries())
      await subscribe(db, `r${n}@example.org`, { ...LONDON_DAILY, ...choice }, START)
    await storeDay(db, '2026-04-14', undefined, '2026-04-14T07:00:00Z')
    expect(await publish(db)).toMatchObject({ subscribers: 4, digests: 3 })
  })
})
