/** Every mail that the service sends: opening its links changes nothing in any table, and its headers are those of its kind. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LETTER_KINDS } from '../../src/adapters/templates/mail-templates.ts'
import { readUnsubscribeAddress } from '../../src/core/sending/list-headers.ts'
import { deriveToken } from '../../src/core/token.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import {
  ADA,
  BASE_URL,
  BOUNCE_DOMAIN,
  dumpTables,
  GRACE,
  type MailedSite,
  NEW_ADA,
  openMailedSite,
  READER,
  walkMails,
} from '../support/fixtures/mailed-site.ts'
import { KEYS } from '../support/fixtures/newsletter.ts'
import { thorough } from '../support/thoroughness.ts'

/** How often each link is opened, and how often again at each later point of the story. */
const [TIMES, AGAIN] = thorough ? [50, 5] : [1, 1]
/** Opens every link of every mail so far, as mail scanners do; the clients differ, for each has a budget of requests. */
const openAll = async (mailed: MailedSite): Promise<Map<string, Set<number>>> => {
  const answers = new Map<string, Set<number>>()
  const links = [...new Set(mailed.mails.flatMap(({ links }) => links))]
  let client = 0
  const open = async (path: string, method: string): Promise<void> => {
    const headers = { 'x-forwarded-for': `10.0.${(client >> 8) & 255}.${client++ & 255}` }
    const response = await fetch(mailed.url + path, { method, headers, redirect: 'manual' })
    await response.arrayBuffer()
    answers.set(path, (answers.get(path) ?? new Set()).add(response.status))
  }
  for (let time = 0; time < TIMES; time++) {
    const due = links.filter((path) => time < (opened.has(path) ? AGAIN : TIMES))
    for (const method of ['HEAD', 'GET']) await Promise.all(due.map((path) => open(path, method)))
  }
  for (const path of links) opened.add(path)
  return answers
}

let mailed: MailedSite
/** The links that were opened before. */
const opened = new Set<string>()
/** What each point of the story showed: the tables that opening changed, and what was answered. */
const points: { name: string; changed: string[]; answers: Map<string, Set<number>> }[] = []

const scan = async (name: string): Promise<void> => {
  const before = await dumpTables(mailed)
  expect(Object.keys(before)).toEqual(
    expect.arrayContaining(['public.subscribers', 'public.letters', 'public.sign_ups']),
  )
  const answers = await openAll(mailed)
  const after = await dumpTables(mailed)
  const changed = Object.keys(after).filter((table) => JSON.stringify(after[table]) !== JSON.stringify(before[table]))
  points.push({ name, changed, answers })
}

beforeAll(async () => {
  mailed = await openMailedSite()
  await walkMails(mailed, scan)
}, 600_000)
afterAll(() => mailed?.[Symbol.asyncDispose]())

test('the story has every kind of mail, a digest that offers a topic, and one that tells of changed settings', () => {
  const kinds = new Set(mailed.mails.map(({ kind }) => kind))
  expect([...kinds].sort()).toEqual([...LETTER_KINDS, 'welcome', 'digest', 'announcement'].sort())
  const pages = new Set(mailed.mails.flatMap(({ links }) => links.map((path) => path.split('/')[1])))
  const all = [
    'confirm',
    'never',
    'preferences',
    'unsubscribe',
    'digests',
    'follow',
    'account',
    'address',
    'undo',
    'vote',
    'save',
    'more',
    'less',
    'announcements',
  ]
  expect([...pages]).toEqual(expect.arrayContaining(all))
  const signs = ['Your week: ', 'Your papers: ', 'Welcome', 'Your settings were changed on', '#links']
  expect(signs.filter((sign) => !mailed.mails.some(({ text }) => text.includes(sign)))).toEqual([])
})

test('opening every link of every mail, by HEAD and GET, again and again, changes nothing in the database', () => {
  expect(points.map(({ name, changed }) => [name, changed])).toEqual(points.map(({ name }) => [name, []]))
  expect(points).toHaveLength(6)
})

test('each link opens a page while it works, the same each time, and none fails', () => {
  const statuses = (name: string) => points.find((point) => point.name.startsWith(name))?.answers ?? new Map()
  for (const { answers } of points)
    for (const [path, seen] of answers) {
      expect([path, [...seen]]).toEqual([path, [expect.any(Number)]])
      expect([200, 404, 410]).toContain([...seen][0])
    }
  for (const [path, seen] of statuses('a confirmation waits')) expect([path, [...seen]]).toEqual([path, [200]])
  for (const [point, path] of [
    ['readers have', mailed.link(ADA, 'account', 'account')],
    ['readers have', mailed.link(READER, 'digest', 'digests')],
    ['a new address', mailed.link(NEW_ADA, 'new-address', 'address')],
    ['the address', mailed.link(ADA, 'address-changed', 'undo')],
    ['a reader has', mailed.link(READER, 'digest', 'unsubscribe')],
  ] as const)
    expect([point, path, [...(statuses(point).get(path) ?? [])]]).toEqual([point, path, [200]])
})

test('no link of a reader who was erased works any more; once links are renewed, those that stop mail do, and no other', () => {
  const last = points.at(-1)?.answers ?? new Map<string, Set<number>>()
  const working = (to: string) => {
    const links = mailed.mails.flatMap((mail) => (mail.to === to ? mail.links : []))
    const withToken = links.filter((path) => /\/[\w-]{43}(?![\w-])/.test(path))
    expect(withToken.length).toBeGreaterThan(5)
    return [...new Set(withToken.filter((path) => last.get(path)?.has(200)).map((path) => path.split('/')[1]))].sort()
  }
  expect(working(GRACE)).toEqual([])
  // Her address was changed and that undone, which renews the links; the confirmation says that it was used.
  expect(working(ADA)).toEqual(['announcements', 'confirm', 'never', 'unsubscribe'])
})

describe.skipIf(!thorough || NEEDS_CHROMIUM !== '')(`in a browser${NEEDS_CHROMIUM}`, () => {
  test('opening every link with scripts changes nothing either', { timeout: 600_000 }, async () => {
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow()
    const before = await dumpTables(mailed)
    for (const path of new Set(mailed.mails.flatMap(({ links }) => links)))
      await window.page.goto(mailed.url + path, { waitUntil: 'networkidle' })
    expect(await dumpTables(mailed)).toEqual(before)
  })
})

test('a digest and a welcome offer one click and a mail of its reader’s own to unsubscribe, an announcement one click to stop these; no letter does', () => {
  for (const { kind, headers, subscriberId, to } of mailed.mails) {
    const list = [...headers.keys()].filter((name) => name.startsWith('list-') || name === 'feedback-id').sort()
    if (kind === 'announcement') {
      const stop = `${BASE_URL}/announcements/${deriveToken(KEYS, 'announcements', subscriberId)}`
      expect([to, headers.get('list-unsubscribe')]).toEqual([to, `<${stop}>`])
      expect(headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
      continue
    }
    if (kind !== 'digest' && kind !== 'welcome') {
      expect([kind, list]).toEqual([kind, []])
      continue
    }
    expect([kind, list]).toEqual([kind, ['feedback-id', 'list-id', 'list-unsubscribe', 'list-unsubscribe-post']])
    expect(headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
    const token = deriveToken(KEYS, 'unsubscribe', subscriberId)
    const [, link, address] =
      /^<([^<>]*)>, <mailto:(u-[a-z2-7]{52}@bounces\.example\.org)\?subject=unsubscribe>$/.exec(
        headers.get('list-unsubscribe') ?? '',
      ) ?? []
    expect([to, link]).toEqual([to, `${BASE_URL}/unsubscribe/${token}`])
    expect(readUnsubscribeAddress(address ?? '', BOUNCE_DOMAIN)).toBe(token)
  }
})
