/** What readers steer by: custom terms, muted words, trending extras, and a preview before subscribing; and near-duplicates. */
import { describe, expect, test } from 'vitest'
import type { Listing } from '../../../src/core/papers/paper.ts'
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
const TUESDAY = '2026-04-14'

const plain = (text: string | undefined): string => (text ?? '').replaceAll('\u00a0', ' ')

/** A listing of Tuesday, seen at 07:00 UTC. */
const listing = (id: string, title: string, more: Partial<Listing['paper']> = {}, upvotes = 5): Listing => {
  const [first] = listingsOf(TUESDAY, ['code'], '2026-04-14T07:00:00Z')
  if (first === undefined) throw new Error('no paper to begin from')
  return {
    ...first,
    paper: { ...first.paper, id, title, abstract: 'Nothing to see.', authors: ['Ada Lovelace'], ...more },
    observation: { ...first.observation, upvotes },
  }
}

const publish = (db: Database, at = MORNING) => publishDue({ db, log: SILENT, wake: wakeNobody }, at)

/** A week of made-up papers, a subscriber with these preferences, and Tuesday’s papers; returns the digest of Wednesday. */
const digestOf = async (db: Database, preferences: Partial<Preferences>, tuesday: Listing[]) => {
  for (const day of WEEK) await storeDay(db, day)
  const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, ...preferences }, START)
  await storeAll(db, 'file', tuesday)
  await publish(db)
  const issue = (await issuesOf(db, id))[1]
  if (issue === undefined) throw new Error('no digest')
  return { id, issue }
}

describe('custom terms', () => {
  test('bring papers that no topic has, with the words and where they stand as the reason', async () => {
    await using newsletter = await openNewsletter()
    const { issue } = await digestOf(
      newsletter.db,
      { topics: [], keywords: ['sheet music'], authors: ['Grace Hopper'] },
      [
        listing('2604.14901', 'Learning to read {S}heet-Music'),
        listing('2604.14902', 'Quiet Things', { abstract: 'Among others, sheet music.' }),
        listing('2604.14903', 'Compiling', { authors: ['Ada Lovelace', 'Grace M. Hopper'] }),
        listing('2604.14904', 'Music on a sheet'),
      ],
    )
    expect(issue.topics).toEqual(['“sheet music”', 'Grace Hopper'])
    expect(issue.cards.map((card) => [card.id, plain(card.reason)])).toEqual([
      ['2604.14901', 'Keyword: “Sheet-Music” in the title'],
      ['2604.14903', 'By Grace M. Hopper'],
      ['2604.14902', 'Keyword: “sheet music” in the abstract'],
    ])
  })

  test('that are muted keep a paper away, also from trending extras', async () => {
    await using newsletter = await openNewsletter()
    const { issue } = await digestOf(newsletter.db, { topics: [], keywords: ['Lean 4'], muted: ['survey'] }, [
      listing('2604.14901', 'Lean 4: a Survey'),
      listing('2604.14902', 'Proofs in Lean 4'),
      listing('2604.14903', 'Surveys of Everything', {}, 5000),
    ])
    expect(issue.cards.map((card) => card.id)).toEqual(['2604.14902'])
    expect(issue.trendingExtras.map((card) => card.title).join()).not.toMatch(/survey/i)
  })

  test('make a cohort of their own, shared by those who wrote the same in another spelling', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, TUESDAY]) await storeDay(db, day)
    const choices: Partial<Preferences>[] = [
      {},
      {},
      { keywords: ['report'] },
      { keywords: ['Reports'] },
      { muted: ['report'] },
      { whenEmpty: 'send' },
      { authors: ['Ada Lovelace'] },
      { authors: ['Lovelace, Ada'] },
    ]
    for (const [n, choice] of choices.entries())
      await subscribe(db, `r${n}@example.org`, { ...LONDON_DAILY, ...choice }, START)
    expect(await publish(db)).toMatchObject({ subscribers: 8, digests: 5 })
  })
})

test('a weekly digest is grouped by topic, keywords among them, the topic of the best paper first', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of WEEK) await storeDay(db, day)
  await storeAll(db, 'file', [listing('2604.14901', 'Reading Sheet Music', {}, 900)])
  const preferences = { ...LONDON_DAILY, frequency: 'weekly' as const, keywords: ['sheet music', 'protein'] }
  const issue = await createPreviews({ db, now: () => MORNING }).readDigest(preferences)
  expect(issue.groups.map(({ label }) => label)).toEqual([
    '“sheet music”',
    'Diffusion language models',
    'Robotics & embodied AI',
  ])
  expect(issue.silent).toEqual(['“protein”'])
  expect(issue.groups.reduce((sum, { papers }) => sum + papers, 0)).toBe(issue.cards.length)
  let from = 0
  for (const { papers } of issue.groups) {
    // The heading names the topic, and the reasons under it do not again.
    for (const { reason } of issue.cards.slice(from, from + papers))
      expect(plain(reason)).toMatch(/^“[^”]+” (?:and|in) /)
    from += papers
  }
  const daily = await createPreviews({ db, now: () => MORNING }).readDigest({ ...preferences, frequency: 'daily' })
  expect(daily.groups).toEqual([])
})

describe('papers that say nearly the same', () => {
  test('take one place, and neither comes again', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const { id, issue } = await digestOf(db, { topics: [], keywords: ['Lean 4'] }, [
      listing('2604.14901', 'Proving Things at Scale with Lean 4', {}, 9),
      listing('2604.14902', 'Proving Things at Scale with Lean 4, Revisited', {}, 5),
    ])
    expect(issue.cards.map((card) => [card.id, card.seeAlso])).toEqual([
      [
        '2604.14901',
        [{ title: 'Proving Things at Scale with Lean 4, Revisited', url: 'https://arxiv.org/abs/2604.14902' }],
      ],
    ])
    await publish(db, new Date('2026-04-16T06:00:00Z'))
    expect((await issuesOf(db, id))[2]?.cards).toEqual([])
  })
})

describe('trending extras', () => {
  const tuesday = [
    listing('2604.14901', 'Something Else', {}, 900),
    listing('2604.14902', 'Something Different', {}, 800),
    listing('2604.14903', 'Another Matter', {}, 700),
    listing('2604.14904', 'The Fourth', {}, 600),
    listing('2604.14905', 'Hardly Read', {}, 1),
  ]
  const own = listing('2604.14906', 'Proofs in Lean 4', {}, 3)
  const keywords = ['Lean 4']

  test('stand in a section of their own when there are few papers, at most three, by trend alone', async () => {
    await using newsletter = await openNewsletter()
    const { issue } = await digestOf(newsletter.db, { topics: [], keywords }, [...tuesday, own])
    expect(issue.cards.map((card) => card.id)).toEqual(['2604.14906'])
    expect(issue.trendingExtras.map((card) => card.id)).toEqual(['2604.14901', '2604.14902', '2604.14903'])
    expect(plain(issue.trendingExtras[0]?.reason)).toMatch(/^Top 1% of the month’s papers$/)
    expect(issue.note).toBeNull()
  })

  test('are left out when there are enough papers', async () => {
    await using newsletter = await openNewsletter()
    const enough = [1, 2, 3, 4, 5].map((n) => listing(`2604.1480${n}`, `Number ${n * 111} in Lean 4`))
    const { issue } = await digestOf(newsletter.db, { topics: [], keywords }, [...tuesday, ...enough])
    expect([issue.cards.length, issue.trendingExtras.length]).toEqual([5, 0])
  })

  test('come alone on an empty day for those who chose so, and do not come again', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const { id, issue } = await digestOf(db, { topics: [], keywords, whenEmpty: 'send' }, tuesday)
    expect([issue.state, issue.cards, issue.trendingExtras.length]).toEqual(['queued', [], 3])
    expect(issue.note).toBeNull()
    await publish(db, new Date('2026-04-16T06:00:00Z'))
    const next = (await issuesOf(db, id))[2]
    const again = next?.trendingExtras.filter((card) => issue.trendingExtras.some((sent) => sent.id === card.id))
    expect([next?.trendingExtras[0]?.id, again]).toEqual(['2604.14904', []])
  })

  test('do not come on an empty day for the others, whom the next digest tells', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const { id, issue } = await digestOf(db, { topics: [], keywords }, tuesday)
    expect([issue.state, issue.entries]).toEqual(['skipped', []])
    await storeAll(db, 'file', [own])
    await publish(db, new Date('2026-04-16T06:00:00Z'))
    expect((await issuesOf(db, id))[2]?.note).toBe(
      'No digest on Wednesday 15 April: no new papers matched what you follow.',
    )
  })
})

describe('a preview before subscribing', () => {
  test('shows the same digest that a new subscriber would get, and stores nothing', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, TUESDAY]) await storeDay(db, day)
    const previews = createPreviews({ db, now: () => MORNING })
    const preview = await previews.readDigest(LONDON_DAILY)
    expect(preview.cards.length).toBeGreaterThan(2)
    expect(preview.localDate).toBe('2026-04-15')
    expect(await db.selectFrom('digests').select('id').execute()).toEqual([])
    const weekly = await previews.readDigest({ ...LONDON_DAILY, frequency: 'weekly' })
    expect(weekly.cards.length).toBeGreaterThan(preview.cards.length)
  })

  test('counts the papers of a week by the weeks that are held', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const previews = createPreviews({ db, now: () => START })
    expect(await previews.readVolume(LONDON_DAILY)).toBeNull()
    for (const day of WEEK) await storeDay(db, day, ['robotics', 'code'])
    const later = createPreviews({ db, now: () => START })
    const volume = await later.readVolume({ ...LONDON_DAILY, topics: ['robotics'] })
    expect(volume?.papers).toBe(7)
    expect(volume?.weeks).toBeCloseTo(11.2 / 7, 1)
    expect((await later.readVolume({ ...LONDON_DAILY, topics: ['robotics'], muted: ['advances'] }))?.papers).toBe(0)
    expect((await later.readVolume({ ...LONDON_DAILY, topics: [], keywords: ['advance'] }))?.papers).toBe(14)
  })
})
