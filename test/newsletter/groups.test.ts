/** Groups by their links: made by one, joined by whoever has the link, with the same answer for every address. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MOST_GROUPS } from '../../src/core/groups/group-limits.ts'
import { NO_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken } from '../../src/core/token.ts'
import { endGroup, readGroupList } from '../../src/newsletter/administration/groups.ts'
import { createGroups } from '../../src/newsletter/groups.ts'
import { answerSignUps } from '../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { readSubscriber } from '../../src/store/subscribers.ts'
import {
  BY_OPERATOR,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const LAB = { name: 'Vision Lab', topics: ['robotics'], weekday: '3', papers: '5' }

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
beforeAll(async () => {
  newsletter = await openNewsletter()
  await storeDay(newsletter.db, '2026-04-14', ['robotics', 'agents'])
})
afterAll(() => newsletter[Symbol.asyncDispose]())

const portsOf = () => ({ db: newsletter.db, keys: KEYS, now: () => NOW })
const subscriptions = () => createSubscriptions({ ...portsOf(), wake: wakeNobody, limits: NO_LIMITS })
const answer = () => answerSignUps({ db: newsletter.db, keys: KEYS, log: SILENT, limits: NO_LIMITS })
const tokenOf = (id: string) => deriveToken(KEYS, 'preferences', id)

/** Readers of their own, and a group that the first has made. */
const openLab = async (name: string) => {
  const { db } = newsletter
  const groups = createGroups(portsOf())
  const [ada = '', ben = ''] = [
    await subscribe(db, `ada@${name}.example`, LONDON_DAILY, NOW),
    await subscribe(db, `ben@${name}.example`, LONDON_DAILY, NOW),
  ]
  const made = await groups.make(tokenOf(ada), LAB)
  if (made === null || typeof made === 'string' || !('id' in made)) throw new Error('no group was made')
  const link = deriveToken(KEYS, 'group', made.id)
  return { groups, ada, ben, id: made.id, link, makes: tokenOf(ada), reads: tokenOf(ben) }
}

test('a group is made, joined by its link, and left; each sees what is theirs to see', async () => {
  const { groups, ada, ben, id, link, makes, reads } = await openLab('one')
  expect(await groups.readInvitation(link)).toEqual({
    id,
    name: 'Vision Lab',
    follows: [expect.any(String)],
    weekday: 3,
  })
  expect(await groups.join(reads, link)).toBe('joined')
  expect(await groups.join(reads, link)).toBe('joined before')
  expect(await groups.read(reads, id)).toEqual({
    group: expect.objectContaining({ members: 2, maker: false }),
    made: null,
  })
  const seen = await groups.read(makes, id)
  if (seen === null || typeof seen === 'string') throw new Error('the maker sees nothing')
  expect(seen.made?.members.map(({ id: member, email, maker }) => ({ member, email, maker }))).toEqual([
    { member: ada, email: 'a•••@one.example', maker: true },
    { member: ben, email: 'b•••@one.example', maker: false },
  ])
  for (const act of [
    () => groups.change(reads, id, LAB),
    () => groups.renewLink(reads, id),
    () => groups.remove(reads, id, ada),
    () => groups.handOver(reads, id, ben),
    () => groups.end(reads, id),
  ])
    expect(await act()).toBe('not yours')
  expect(await groups.leave(reads, id)).toBe('done')
  expect(await groups.leave(reads, id)).toBe('no group')
  expect(await groups.read(reads, id)).toBe('no group')
})

test('who has no subscription confirms one by email, joins by that, and follows the group alone', async () => {
  const { groups, id, link } = await openLab('two')
  const { db } = newsletter
  const asked = await groups.preferencesFor(link)
  if (asked === null) throw new Error('the link is dead')
  await subscriptions().requestMembership('eve@two.example', asked)
  await answer()
  const letter = await db.selectFrom('letters').selectAll().where('group_id', '=', id).executeTakeFirstOrThrow()
  expect(letter.kind).toBe('confirmation')
  const eve = await readSubscriber(db, { id: letter.subscriber_id ?? '' })
  expect(eve?.group_ids).toEqual([])
  expect(await subscriptions().confirm(deriveToken(KEYS, 'confirm', letter.id))).toBe('confirmed')
  expect(await readSubscriber(db, { id: letter.subscriber_id ?? '' })).toMatchObject({
    state: 'active',
    frequency: 'weekly',
    weekday: 3,
    topics: ['robotics'],
    group_ids: [id],
    only_groups: true,
  })
  // What they choose to follow later comes, too.
  const token = tokenOf(letter.subscriber_id ?? '')
  await subscriptions().followTopic(token, 'agents', true)
  expect((await groups.list(token)) as object).toMatchObject({ only: false })
})

test('who is subscribed gets a link to join by email, and is in no group before they press it', async () => {
  const { groups, ben, id, link } = await openLab('three')
  const { db } = newsletter
  const asked = await groups.preferencesFor(link)
  if (asked === null) throw new Error('the link is dead')
  await db.deleteFrom('letter_limits').execute()
  await subscriptions().requestMembership('ben@three.example', asked)
  await answer()
  const letter = await db.selectFrom('letters').selectAll().where('group_id', '=', id).executeTakeFirstOrThrow()
  expect(letter).toMatchObject({ kind: 'already-subscribed', subscriber_id: ben })
  expect((await readSubscriber(db, { id: ben }))?.group_ids).toEqual([])
})

test('a renewed link is dead, and so is that of a group that has ended; a confirmation under way subscribes all the same', async () => {
  const { groups, id, link, makes, reads } = await openLab('four')
  const { db } = newsletter
  const asked = await groups.preferencesFor(link)
  if (asked === null) throw new Error('the link is dead')
  await subscriptions().requestMembership('eve@four.example', asked)
  await answer()
  expect(await groups.renewLink(makes, id)).toBe('done')
  expect(await groups.readInvitation(link)).toBeNull()
  expect(await groups.join(reads, link)).toBe('no group')
  expect(await groups.end(makes, id)).toBe('done')
  expect(await groups.readInvitation(deriveToken(KEYS, 'group', id, 1))).toBeNull()
  const letter = await db.selectFrom('letters').selectAll().where('group_id', '=', id).executeTakeFirstOrThrow()
  expect(await subscriptions().confirm(deriveToken(KEYS, 'confirm', letter.id))).toBe('confirmed')
  expect(await readSubscriber(db, { id: letter.subscriber_id ?? '' })).toMatchObject({
    group_ids: [],
    only_groups: false,
  })
})

test('the maker hands a group over and is a member still, and removes who is to leave', async () => {
  const { groups, ada, ben, id, link, makes, reads } = await openLab('five')
  expect(await groups.handOver(makes, id, ben)).toBe('no member')
  await groups.join(reads, link)
  expect(await groups.handOver(makes, id, ben)).toBe('done')
  expect(await groups.end(makes, id)).toBe('not yours')
  expect(await groups.remove(reads, id, ben)).toBe('no member')
  expect(await groups.remove(reads, id, ada)).toBe('done')
  expect(await groups.remove(reads, id, ada)).toBe('no member')
  expect(await groups.list(makes)).toMatchObject({ groups: [] })
})

test('a reader is in as many groups as they may, however many join at the same moment', async () => {
  const { groups, link, reads } = await openLab('six')
  const { db } = newsletter
  const links = [link]
  for (let n = 0; n < MOST_GROUPS; n++) links.push((await openLab(`six-${n}`)).link)
  const outcomes = await Promise.all(links.map((one) => groups.join(reads, one)))
  expect(outcomes.filter((one) => one === 'joined')).toHaveLength(MOST_GROUPS)
  expect(outcomes.filter((one) => one === 'too many')).toHaveLength(1)
  expect((await readSubscriber(db, { email: 'ben@six.example' }))?.group_ids).toHaveLength(MOST_GROUPS)
})

test('three groups are made within a day, and wrong names and topics are refused together', async () => {
  const { groups, makes } = await openLab('seven')
  const wrong = await groups.make(makes, { name: 'See evil.example', topics: ['alchemy'] })
  expect(wrong).toMatchObject({ errors: [{ field: 'name' }, { field: 'topics' }] })
  for (const name of ['Second', 'Third'])
    expect(await groups.make(makes, { ...LAB, name })).toMatchObject({ id: expect.any(String) })
  expect(await groups.make(makes, { ...LAB, name: 'Fourth' })).toBe('too many')
})

test('nobody who has left makes or joins a group', async () => {
  const { groups, ben, link, reads } = await openLab('eight')
  await subscriptions().unsubscribe(deriveToken(KEYS, 'unsubscribe', ben))
  expect(await groups.join(reads, link)).toBe('not subscribed')
  expect(await groups.make(reads, LAB)).toBe('not subscribed')
  expect(await groups.list(tokenOf('0a0b0c0d-0000-4000-8000-000000000001'))).toBeNull()
})

test('an operator sees how many are in a group and not who, and ends it on record', async () => {
  const { id, link, groups, reads } = await openLab('nine')
  const { db } = newsletter
  await groups.join(reads, link)
  const listed = (await readGroupList(db)).groups.find((group) => group.id === id)
  expect(listed).toEqual({ id, name: 'Vision Lab', members: 2, madeAt: NOW })
  expect(await endGroup(portsOf(), BY_OPERATOR, id)).toEqual({ name: 'Vision Lab' })
  expect(await endGroup(portsOf(), BY_OPERATOR, id)).toBeNull()
  expect(await groups.list(reads)).toMatchObject({ groups: [] })
  const acts = await db.selectFrom('audit_log').selectAll().where('action', '=', 'group.ended').execute()
  expect(acts).toMatchObject([{ by_whom: BY_OPERATOR.byWhom, subject: `group:${id}`, detail: { name: 'Vision Lab' } }])
})
