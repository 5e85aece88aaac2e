/** Every token of every purpose at every route that takes one: what is not meant for it is dead there, and changes nothing. */
import { expect, test } from 'vitest'
import { deriveToken, PURPOSES, type Purpose } from '../../src/core/token.ts'
import { insertGroup, insertMember } from '../../src/store/groups.ts'
import { dumpTables, type MailedSite, openMailedSite, walkMails } from '../support/fixtures/mailed-site.ts'
import { KEYS } from '../support/fixtures/newsletter.ts'
import { openTestSite } from '../support/servers/recording-site.ts'
import { thorough } from '../support/thoroughness.ts'

/** What the token of each purpose names: a subscriber, or a mail of one of these kinds. */
const NAMED: Record<Purpose, readonly string[]> = {
  confirm: ['confirmation'],
  preferences: ['subscriber'],
  unsubscribe: ['subscriber'],
  view: ['welcome', 'digest'],
  never: ['subscriber'],
  account: ['account', 'links'],
  address: ['new-address'],
  undo: ['address-changed'],
  feed: ['subscriber'],
  vote: ['subscriber'],
  curator: ['a curator'],
  announcements: ['subscriber'],
  group: ['a group'],
  saved: ['subscriber'],
}

/**
 * The purpose that each page of links is for, by the part of its path before the token; `null` of the links of a former
 * system, which no token of ours opens.
 */
const PURPOSE_OF: Record<string, Purpose | null> = {
  confirm: 'confirm',
  preferences: 'preferences',
  follow: 'preferences',
  proposals: 'preferences',
  unsubscribe: 'unsubscribe',
  legacy: null,
  digests: 'view',
  never: 'never',
  account: 'account',
  address: 'address',
  undo: 'undo',
  'feeds/own': 'feed',
  'feeds/saved': 'saved',
  vote: 'vote',
  save: 'vote',
  more: 'vote',
  less: 'vote',
  curate: 'curator',
  announcements: 'announcements',
  join: 'group',
}

/** Fields that bring every form past its own checks. */
const FILLED = {
  email: 'mallory@example.org',
  topics: 'robotics',
  until: '2026-05-15',
  sure: 'yes',
  frequency: 'daily',
  act: 'pick',
  name: 'Vision Lab',
  what: 'remove',
  only: 'yes',
  paper: '2604.11784',
  note: 'Worth reading',
}

/** All routes of the site with a token; HEAD is answered by what answers GET. */
const tokenRoutes = async () => {
  await using site = await openTestSite()
  return site.app.routeTable.flatMap(({ url, method }) =>
    url.includes(':token') && (thorough || method !== 'HEAD')
      ? [{ url, method: String(method), purpose: PURPOSE_OF[url.slice(1, url.indexOf('/:token'))] }]
      : [],
  )
}

const makeGroup = async ({ db }: MailedSite): Promise<void> => {
  const maker = await db.selectFrom('subscribers').select('id').where('state', '=', 'active').executeTakeFirstOrThrow()
  const at = new Date()
  const choices = { trending: true, topics: [], keywords: [], authors: [], muted: [], papers: null }
  const { id } = await insertGroup(db, { name: 'Vision Lab', weekday: 3, ...choices }, { makerId: maker.id, at })
  await insertMember(db, id, maker.id, at)
}

/** One id of each thing that a token may name. */
const everyId = async ({ db }: MailedSite): Promise<[kind: string, id: string][]> => {
  const letters = await db.selectFrom('letters').select(['kind', 'id']).orderBy('created_at').execute()
  const delivery = await db.selectFrom('deliveries').select('id').executeTakeFirstOrThrow()
  const active = await db.selectFrom('subscribers').select('id').where('state', '=', 'active').executeTakeFirstOrThrow()
  const group = await db.selectFrom('groups').select('id').executeTakeFirstOrThrow()
  const curator = await db.selectFrom('curators').select('id').executeTakeFirstOrThrow()
  return [
    ...new Map([...letters.map(({ kind, id }) => [kind, id] as const)]),
    ['digest', delivery.id],
    ['subscriber', active.id],
    ['a curator', curator.id],
    ['a group', group.id],
  ]
}

const AT_A_TIME = 4

/** Asks every route for everything that is not meant for it; the lines say what was answered otherwise than by a dead link. */
const swapAll = async (mailed: MailedSite, routes: Awaited<ReturnType<typeof tokenRoutes>>): Promise<string[]> => {
  const wrong: string[] = []
  const ids = await everyId(mailed)
  const groupId = ids.find(([named]) => named === 'a group')?.[1] ?? ''
  let client = 0
  const swap = async (url: string, method: string, [kind, id]: [string, string], one: Purpose): Promise<void> => {
    const path = url
      .replace(':token', deriveToken(KEYS, one, id))
      .replace(':topic', 'robotics')
      .replace(':paper', '2604.14000')
      .replace(':group', groupId)
      .replace(':invitation', deriveToken(KEYS, 'group', groupId))
    const response = await fetch(mailed.url + path, {
      method,
      redirect: 'manual',
      headers: { accept: 'application/json', 'x-forwarded-for': `10.1.${(client >> 8) & 255}.${client++ & 255}` },
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: new URLSearchParams(FILLED) }),
    })
    await response.arrayBuffer()
    // Asking again leads back to the link itself, which says that it is dead.
    const dead = url.endsWith('/again') ? response.headers.get('location') === path.replace('/again', '') : false
    if (!dead && response.status !== 404 && response.status !== 410)
      wrong.push(`${method} ${url} answered ${response.status} to a token to ${one} of a ${kind}`)
  }
  for (const { url, method, purpose } of routes)
    for (const id of ids) {
      const foreign = PURPOSES.filter((one) => one !== purpose || !NAMED[one].includes(id[0]))
      // No more at a time than libraries are taken: who comes then is told to come again, whatever the token.
      for (let from = 0; from < foreign.length; from += AT_A_TIME)
        await Promise.all(foreign.slice(from, from + AT_A_TIME).map((one) => swap(url, method, id, one)))
    }
  return wrong
}

test('a token opens the routes of its purpose alone, and elsewhere changes nothing', { timeout: 300_000 }, async () => {
  const routes = await tokenRoutes()
  expect(routes.filter(({ purpose }) => purpose === undefined)).toEqual([])
  expect(new Set(routes.flatMap(({ purpose }) => purpose ?? []))).toEqual(new Set(PURPOSES))
  await using mailed = await openMailedSite()
  const points: string[] = []
  await walkMails(mailed, async (point) => {
    points.push(point)
    // Every kind of mail has been sent by then.
    if (point !== 'the address is changed, and that may be undone') return
    await makeGroup(mailed)
    const before = await dumpTables(mailed)
    const kinds = new Set((await everyId(mailed)).map(([kind]) => kind))
    expect([...kinds]).toEqual(expect.arrayContaining(Object.values(NAMED).flat()))
    expect(await swapAll(mailed, routes)).toEqual([])
    expect(await dumpTables(mailed)).toEqual(before)
  })
  expect(points).toContain('the address is changed, and that may be undone')
})
