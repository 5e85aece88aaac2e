/** The list of a group in the digests of its members: one for all, on the group's day, led by what they saved, and once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestJsonOf } from '../../../src/core/digest/digest-json.ts'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { createGroups } from '../../../src/newsletter/groups.ts'
import { loadCandidatePool } from '../../../src/newsletter/publishing/candidate-pool.ts'
import { createGroupLists } from '../../../src/newsletter/publishing/group-lists.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { storeOnlyGroups } from '../../../src/store/groups.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const JOINED = new Date('2026-04-10T10:00:00Z')
const at = (day: number): Date => new Date(`2026-04-${day}T06:30:00Z`)
const [TUESDAY, WEDNESDAY, THURSDAY, SATURDAY] = [at(14), at(15), at(16), at(18)]
const WEEKLY = { ...LONDON_DAILY, frequency: 'weekly' as const, weekday: 6 }

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
const readers: Record<string, string> = {}
let lab = ''

const publish = (at = new Date(0)) => publishDue({ db: newsletter.db, log: SILENT, wake: wakeNobody }, at)
const save = (name: string, paperId: string, at: Date) =>
  newsletter.db
    .insertInto('saved_papers')
    .values({ subscriber_id: readers[name] ?? '', paper_id: paperId, at, digest_date: null })
    .execute()
/** The digest of a reader of a date, and what of it their groups brought. */
const digestOf = async (name: string, date: string) => {
  const issue = (await issuesOf(newsletter.db, readers[name] ?? '')).find(
    ({ localDate, kind }) => localDate === date && kind !== 'welcome',
  )
  return {
    issue,
    sections: issue?.sections?.map(({ name: label, cards }) => ({ label, ids: cards.map(({ id }) => id) })),
  }
}
const agentsOf = async (): Promise<string[]> => {
  const rows = await newsletter.db
    .selectFrom('paper_topics as t')
    .innerJoin('papers as p', 'p.id', 't.paper_id')
    .select('t.paper_id')
    .where('t.topic', '=', 'agents')
    .where('p.list_day', '<=', '2026-04-14')
    .orderBy('t.paper_id')
    .execute()
  return rows.map((row) => row.paper_id)
}

beforeAll(async () => {
  newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-09', '2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15'])
    await storeDay(db, day, ['robotics', 'agents', 'diffusion-lm'])
  for (const [name, preferences] of [
    ['ada', LONDON_DAILY],
    ['ben', WEEKLY],
    ['eve', { ...WEEKLY, topics: ['agents'], weekday: 3 }],
    ['zoe', LONDON_DAILY],
  ] satisfies [string, Preferences][])
    readers[name] = await subscribe(db, `${name}@example.org`, preferences, JOINED)
  const groups = createGroups({ db, keys: KEYS, now: () => JOINED })
  const token = (name: string) => deriveToken(KEYS, 'preferences', readers[name] ?? '')
  const made = await groups.make(token('ada'), {
    name: 'Vision Lab',
    topics: ['agents'],
    keywords: [],
    authors: [],
    muted: [],
    weekday: '3',
    papers: '5',
  })
  if (made === null || typeof made === 'string' || !('id' in made)) throw new Error('no group was made')
  lab = made.id
  for (const name of ['ben', 'eve']) await groups.join(token(name), deriveToken(KEYS, 'group', lab))
  await storeOnlyGroups(db, readers.eve ?? '', true)
})
afterAll(() => newsletter[Symbol.asyncDispose]())

test('members get one list on the group’s day, led by what most saved, and nobody else does', async () => {
  const { db } = newsletter
  const [first = '', second = '', third = ''] = (await agentsOf()).reverse()
  await save('ada', second, TUESDAY)
  await save('ben', second, TUESDAY)
  await save('ben', first, TUESDAY)
  // Who is in no group ranks nothing in it.
  await save('zoe', third, TUESDAY)
  await publish(TUESDAY)
  expect((await digestOf('ada', '2026-04-14')).sections).toBeUndefined()
  // A publisher was killed between the list and the first digest with it; what is saved meanwhile changes nothing any more.
  const find = createGroupLists(db, WEDNESDAY, (since) => loadCandidatePool(db, WEDNESDAY, { since }))
  const [frozen] = await find([lab], { localDate: '2026-04-15', previous: '2026-04-14', comesBetween: false })
  await save('ada', third, TUESDAY)
  await save('eve', third, TUESDAY)
  await publish(WEDNESDAY)
  const { issue, sections } = await digestOf('ada', '2026-04-15')
  expect(sections).toEqual([{ label: 'Vision Lab', ids: expect.any(Array) }])
  const ids = sections?.[0]?.ids ?? []
  expect(ids).toHaveLength(5)
  expect(ids.slice(0, 2)).toEqual([second, first])
  expect(ids).toEqual(frozen?.entries.map(({ paperId }) => paperId))
  const cards = issue?.sections?.[0]?.cards ?? []
  expect(cards[0]?.reason).toMatch(/^Saved by.2 in Vision Lab; /)
  expect(cards[1]?.reason).toMatch(/^Saved in Vision Lab(?:; |$)/)
  // What one gets of one's own topics is in no section, and the other way about.
  const own = issue?.entries.filter(({ group }) => group === undefined).map(({ paperId }) => paperId) ?? []
  expect(own.length).toBeGreaterThan(0)
  expect(own.filter((id) => ids.includes(id))).toEqual([])
  expect((await digestOf('zoe', '2026-04-15')).issue?.sections).toBeUndefined()

  // Only what the group brings, for whoever follows it alone.
  const eves = await digestOf('eve', '2026-04-15')
  expect(eves.sections).toEqual(sections)
  expect(eves.issue?.cards).toEqual([])
  expect(eves.issue?.trendingExtras).toEqual([])

  // What is saved later changes no list that stands; a weekly reader gets the same with their own digest.
  await save('ada', ids[4] ?? '', THURSDAY)
  await publish(THURSDAY)
  expect((await digestOf('ada', '2026-04-16')).sections).toBeUndefined()
  await publish(SATURDAY)
  const bens = await digestOf('ben', '2026-04-18')
  expect(bens.sections).toEqual(sections)
  expect(await db.selectFrom('group_lists').select(['local_date']).execute()).toEqual([{ local_date: '2026-04-15' }])
  if (bens.issue === undefined) throw new Error('no digest')
  const json = digestJsonOf(bens.issue).papers.filter(({ section }) => section === 'group')
  expect(json.map(({ id }) => id)).toEqual(ids)
  expect(json[0]).toMatchObject({ group: 'Vision Lab' })
})

test('a paper of a list counts as sent, and one that was sent before stands there in short', async () => {
  const { db } = newsletter
  await storeDay(db, '2026-04-20', ['agents', 'robotics'])
  await storeDay(db, '2026-04-21', ['agents', 'robotics'])
  const listed = (await digestOf('ada', '2026-04-15')).sections?.[0]?.ids ?? []
  await publish(new Date('2026-04-21T06:30:00Z'))
  const sent = (await digestOf('ada', '2026-04-21')).issue?.entries.map(({ paperId }) => paperId) ?? []
  const [saved = ''] = sent
  for (const name of ['ada', 'ben']) await save(name, saved, new Date('2026-04-21T12:00:00Z'))
  await publish(new Date('2026-04-22T06:30:00Z'))
  const { issue, sections } = await digestOf('ada', '2026-04-22')
  const ids = sections?.[0]?.ids ?? []
  expect(ids[0]).toBe(saved)
  expect(ids.filter((id) => listed.includes(id))).toEqual([])
  const [card] = issue?.sections?.[0]?.cards ?? []
  expect(card).toMatchObject({
    again: true,
    reason: expect.stringMatching(/^Saved by.2 in Vision Lab; sent to you before$/),
  })
  const { recently_sent } = await db
    .selectFrom('digests')
    .innerJoin('subscribers', 'subscribers.last_digest_id', 'digests.id')
    .select('recently_sent')
    .where('subscribers.id', '=', readers.ada ?? '')
    .executeTakeFirstOrThrow()
  expect(Object.keys(recently_sent)).toEqual(expect.arrayContaining(ids))
  // For who was not sent it before it stands in full.
  const eves = await digestOf('eve', '2026-04-22')
  expect(eves.sections?.[0]?.ids).toEqual(ids)
  expect(eves.issue?.sections?.[0]?.cards[0]?.again).toBeUndefined()
})

test('a paused member gets nothing, and a group that has ended brings nothing more', async () => {
  const { db } = newsletter
  const groups = createGroups({ db, keys: KEYS, now: () => JOINED })
  await groups.end(deriveToken(KEYS, 'preferences', readers.ada ?? ''), lab)
  await storeDay(db, '2026-04-28', ['agents', 'robotics'])
  await publish(new Date('2026-04-29T06:30:00Z'))
  expect((await digestOf('ada', '2026-04-29')).sections).toBeUndefined()
  expect((await digestOf('ada', '2026-04-29')).issue?.cards.length).toBeGreaterThan(0)
  // Who followed the group alone has what they confirmed: its topics.
  expect((await digestOf('eve', '2026-04-29')).issue?.cards.length).toBeGreaterThan(0)
})
