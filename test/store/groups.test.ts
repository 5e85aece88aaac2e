/** Whatever ends a membership, what follows from it holds: the row of the subscriber, the maker, and the end of an empty group. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { STANDARD } from '../../src/core/subscriber/preferences.ts'
import {
  deleteGroup,
  deleteLeftMembers,
  deleteMember,
  type GroupChoices,
  insertGroup,
  insertMember,
  readGroup,
  readMembers,
  storeOnlyGroups,
} from '../../src/store/groups.ts'
import { moveSubscription } from '../../src/store/moved-subscriptions.ts'
import { activate, makePending, readSubscriber } from '../../src/store/subscribers.ts'
import { eraseFrom, openNewsletter } from '../support/fixtures/newsletter.ts'

const AT = new Date('2026-04-14T10:00:00Z')
const minute = (n: number) => new Date(AT.getTime() + n * 60_000)
const LAB: GroupChoices = {
  name: 'Vision Lab',
  trending: false,
  topics: ['robotics'],
  keywords: [],
  authors: [],
  muted: [],
  papers: 5,
  weekday: 3,
}

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
let ada = ''
let ben = ''
let lab = ''

beforeAll(async () => {
  newsletter = await openNewsletter()
})
afterAll(() => newsletter[Symbol.asyncDispose]())

let names = 0
const addReader = async (): Promise<string> => {
  const preferences = { ...STANDARD, topics: ['robotics'] }
  const { id } = await makePending(newsletter.db, `reader${names++}@example.org`, preferences, AT)
  await activate(newsletter.db, id, AT, { at: minute(600), localDate: '2026-04-14' })
  return id
}
const subscriber = async (id: string) => {
  const row = await readSubscriber(newsletter.db, { id })
  return { groups: row?.group_ids, only: row?.only_groups }
}

beforeEach(async () => {
  const { db } = newsletter
  ada = await addReader()
  ben = await addReader()
  lab = (await insertGroup(db, LAB, { makerId: ada, at: AT })).id
  await insertMember(db, lab, ada, AT)
  await insertMember(db, lab, ben, minute(1))
})

test('who joins has the group in their row, and who leaves has it no more', async () => {
  const { db } = newsletter
  expect(await insertMember(db, lab, ben, minute(2))).toBe(false)
  await storeOnlyGroups(db, ben, true)
  expect(await subscriber(ben)).toEqual({ groups: [lab], only: true })
  expect(await deleteMember(db, lab, ben)).toBe(true)
  expect(await deleteMember(db, lab, ben)).toBe(false)
  // Without a group there is something of their own again.
  expect(await subscriber(ben)).toEqual({ groups: [], only: false })
  await storeOnlyGroups(db, ben, true)
  expect((await subscriber(ben)).only).toBe(false)
})

test('when its maker leaves or is erased the group is the longest member’s, and the last to leave ends it', async () => {
  const { db } = newsletter
  const eve = await addReader()
  await insertMember(db, lab, eve, minute(2))
  await eraseFrom(db, ada)
  expect((await readGroup(db, lab))?.maker_id).toBe(ben)
  await deleteMember(db, lab, ben)
  expect((await readGroup(db, lab))?.maker_id).toBe(eve)
  await deleteMember(db, lab, eve)
  expect(await readGroup(db, lab)).toBeUndefined()
  expect(await deleteGroup(db, lab)).toBe(false)
})

test('a group that is ended leaves nobody in it', async () => {
  const { db } = newsletter
  expect(await deleteGroup(db, lab)).toBe(true)
  expect(await readGroup(db, lab)).toBeUndefined()
  expect([await subscriber(ada), await subscriber(ben)]).toEqual([
    { groups: [], only: false },
    { groups: [], only: false },
  ])
})

test('a subscription that moves to another address takes its groups along, and is their maker there', async () => {
  const { db } = newsletter
  await storeOnlyGroups(db, ada, true)
  const to = await makePending(db, `moved${names++}@example.org`, { ...STANDARD, trending: true, topics: [] }, AT)
  const from = await readSubscriber(db, { id: ada })
  if (from === undefined) throw new Error('nobody moves')
  await moveSubscription(db, from, to.id, AT)
  expect(await subscriber(to.id)).toEqual({ groups: [lab], only: true })
  expect(await subscriber(ada)).toEqual({ groups: [], only: false })
  expect((await readGroup(db, lab))?.maker_id).toBe(to.id)
  expect((await readMembers(db, lab)).map((member) => member.subscriberId).sort()).toEqual([ben, to.id].sort())
})

test('who unsubscribed before an instant is a member no more, and who has just left is for as long as they may undo it', async () => {
  const { db } = newsletter
  const leave = (id: string, at: Date) =>
    db
      .updateTable('subscribers')
      .set({ state: 'unsubscribed', next_due_at: null, left_at: at })
      .where('id', '=', id)
      .execute()
  await leave(ada, AT)
  await leave(ben, minute(30))
  const options = { limit: 10, dryRun: true }
  expect(await deleteLeftMembers(db, minute(10), options)).toBe(1)
  expect(await deleteLeftMembers(db, minute(10), { ...options, dryRun: false })).toBe(1)
  expect((await readMembers(db, lab)).map((member) => member.subscriberId)).toEqual([ben])
})
