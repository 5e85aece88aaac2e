/** Every mail that the service sends: opening its links changes nothing in any table, and its headers are those of its kind. */
import { sql } from 'kysely'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileMessage } from '../../src/adapters/smtp/message.ts'
import { createMailTemplates, LETTER_KINDS } from '../../src/adapters/templates/mail-templates.ts'
import { readUnsubscribeAddress } from '../../src/core/sending/list-headers.ts'
import { NO_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken } from '../../src/core/token.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { createComposer } from '../../src/newsletter/sending/mail.ts'
import { answerSignUps } from '../../src/newsletter/subscription/sign-up.ts'
import { readConfig } from '../../workers/config/config.ts'
import { openApi } from '../../workers/roles/api.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { openSite } from '../support/browser/http-client.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../support/fixtures/sending-newsletter.ts'
import { thorough } from '../support/thoroughness.ts'

const BASE_URL = 'https://round.example.org'
const BOUNCE_DOMAIN = 'bounces.example.org'
/** How often each link is opened, and how often again at each later point of the story. */
const [TIMES, AGAIN] = thorough ? [50, 5] : [1, 1]
const [ADA, NEW_ADA, GRACE, READER] = ['ada@example.com', 'ada@example.net', 'grace@example.org', 'reader0@example.org']
const FRIDAY = new Date('2026-04-17T06:00:00Z')

interface Mail {
  to: string
  /** `digest` of a delivery, the kind of a letter. */
  kind: string
  subscriberId: string
  headers: Map<string, string>
  /** Paths of the links to the site, of both parts and of the header, with their anchors. */
  links: string[]
  /** Subject and text. */
  text: string
}

const pathsIn = (text: string): string[] =>
  [...text.matchAll(/https:\/\/round\.example\.org(\/[^\s"'<>]*)/g)].map(([, path = '']) => path)

/** The site as the role `api` runs it, alone: nothing else writes, so whatever is written was written for a visitor. */
const openMailed = async () => {
  const newsletter = await openSendingNewsletter(1)
  const { db, ports, sink } = newsletter
  for (const day of ['2026-04-14', '2026-04-15', '2026-04-16']) await storeDay(db, day)
  let now = DUE
  const api = await openApi({
    config: readConfig({
      PORT: '0',
      BASE_URL,
      TRUST_PROXY: '127.0.0.0/8',
      SIGN_UPS_PER_HOUR: 'client=1000,domain=1000',
    }),
    db,
    keys: KEYS,
    now: () => now,
    log: SILENT,
    mailboxUrl: null,
    wake: wakeNobody,
    requireSpace: async () => undefined,
    operations: {
      ready: async () => undefined,
      editions: { list: async () => [], readAccount: async () => null },
      metrics: { contentType: 'text/plain', read: async () => '' },
    },
  })
  const templates = await createMailTemplates({ baseUrl: BASE_URL, postalAddress: null })
  ports.compose = createComposer({
    db,
    keys: KEYS,
    baseUrl: BASE_URL,
    mailFrom: { name: 'Paper Round', address: 'round@example.net' },
    lettersFrom: { name: 'Paper Round', address: 'letters@example.net' },
    bounceDomain: BOUNCE_DOMAIN,
    renderDigest: templates.renderDigest,
    renderLetter: templates.renderLetter,
    compileMessage,
  })
  const readMail = async ({ to, raw }: { to: string; raw: string }): Promise<Mail> => {
    const parsed = await PostalMime.parse(Buffer.from(raw, 'latin1'))
    const headers = new Map(parsed.headers.map(({ key, value }) => [key, value]))
    const id = /^<(.*)@/.exec(headers.get('message-id') ?? '')?.[1] ?? ''
    const letter = await db.selectFrom('letters').selectAll().where('id', '=', id).executeTakeFirst()
    const delivery = await db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst()
    return {
      to,
      kind: letter?.kind ?? 'digest',
      subscriberId: (letter ?? delivery)?.subscriber_id ?? '',
      headers,
      links: [parsed.html ?? '', parsed.text ?? '', headers.get('list-unsubscribe') ?? ''].flatMap(pathsIn),
      text: `${parsed.subject}\n${parsed.text}`,
    }
  }
  const mails: Mail[] = []
  /** Answers who signed up, and sends what is owed. */
  const send = async (): Promise<void> => {
    const before = sink.messages.length
    await db.deleteFrom('letter_limits').execute()
    await answerSignUps({ db, keys: KEYS, log: SILENT, limits: NO_LIMITS })
    await drain(ports, 'letters', OPTIONS)
    await drain(ports, 'deliveries', OPTIONS)
    for (const message of sink.messages.slice(before)) mails.push(await readMail(message))
  }
  return {
    db,
    url: api.url,
    site: openSite(api.url),
    mails,
    /** The links that were opened before. */
    opened: new Set<string>(),
    send,
    publish: async (at: Date) => {
      now = at
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at)
    },
    /** The first link to a page of the newest mail of a kind to an address. */
    link(to: string, kind: string, page: string): string {
      const found = mails.findLast((mail) => mail.to === to && mail.kind === kind)?.links
      return found?.find((path) => path.startsWith(`/${page}/`)) ?? `no ${page} in ${kind} to ${to}`
    },
    async [Symbol.asyncDispose]() {
      await api.close()
      await newsletter[Symbol.asyncDispose]()
    },
  }
}
type Mailed = Awaited<ReturnType<typeof openMailed>>

/** Every row of every table, where each stands and which transaction wrote it, and every sequence. */
const dump = async ({ db }: Mailed): Promise<Record<string, unknown>> => {
  const { rows } = await sql<{ name: string; schema: string }>`
    select c.relname as name, n.nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1, 2`.execute(
    db,
  )
  const held: Record<string, unknown> = {}
  for (const { name, schema } of rows) {
    const table = await sql`select ctid::text, xmin::text, t::text as row from ${sql.table(`${schema}.${name}`)} t
      order by t.ctid`.execute(db)
    held[`${schema}.${name}`] = table.rows
  }
  held.sequences = (
    await sql`select schemaname, sequencename, last_value from pg_sequences order by 1, 2`.execute(db)
  ).rows
  return held
}

/** Opens every link of every mail so far, as mail scanners do; the clients differ, for each has a budget of requests. */
const openAll = async (mailed: Mailed): Promise<Map<string, Set<number>>> => {
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
    const due = links.filter((path) => time < (mailed.opened.has(path) ? AGAIN : TIMES))
    for (const method of ['HEAD', 'GET']) await Promise.all(due.map((path) => open(path, method)))
  }
  for (const path of links) mailed.opened.add(path)
  return answers
}

let mailed: Mailed
/** What each point of the story showed: the tables that opening changed, and what was answered. */
const points: { name: string; changed: string[]; answers: Map<string, Set<number>> }[] = []

const scan = async (name: string): Promise<void> => {
  const before = await dump(mailed)
  expect(Object.keys(before)).toEqual(
    expect.arrayContaining(['public.subscribers', 'public.letters', 'public.sign_ups']),
  )
  const answers = await openAll(mailed)
  const after = await dump(mailed)
  const changed = Object.keys(after).filter((table) => JSON.stringify(after[table]) !== JSON.stringify(before[table]))
  points.push({ name, changed, answers })
}

/** Brings every mail about that there is, and opens all links at each point at which they do something else. */
beforeAll(async () => {
  mailed = await openMailed()
  const { db, site, send, publish, link } = mailed
  await send()
  await site.post('/subscribe', { email: ADA, timezone: 'Europe/London' })
  await send()
  await scan('a confirmation waits')
  await site.post(link(ADA, 'confirmation', 'confirm'))
  await subscribe(db, GRACE, { ...LONDON_DAILY, frequency: 'weekly', weekday: 5 }, DUE)
  await send()
  await site.post('/links', { email: ADA })
  await site.post('/subscribe', { email: GRACE, topics: ['robotics'], frequency: 'daily', timezone: 'UTC' })
  await site.post(`${link(READER, 'digest', 'preferences').replace('#links', '')}/pause`, { until: '2026-05-01' })
  await site.post(`${link(READER, 'digest', 'preferences').replace('#links', '')}/pause`, { end: 'yes' })
  await send()
  await publish(FRIDAY)
  await send()
  await site.post(`${link(ADA, 'welcome', 'preferences')}/account`)
  await send()
  await scan('readers have had every digest, and an account link')
  await site.post(`${link(ADA, 'account', 'account')}/address`, { email: NEW_ADA })
  await send()
  await scan('a new address is to be confirmed')
  await site.post(link(NEW_ADA, 'new-address', 'address'))
  await send()
  await scan('the address is changed, and that may be undone')
  await site.post(link(READER, 'digest', 'unsubscribe'))
  await scan('a reader has unsubscribed, and may undo it')
  await site.post(link(ADA, 'address-changed', 'undo'))
  await eraseFrom(db, mailed.mails.find(({ to }) => to === GRACE)?.subscriberId ?? '')
  await scan('links have been used, renewed and erased')
}, 600_000)
afterAll(() => mailed?.[Symbol.asyncDispose]())

test('the story has every kind of mail, a digest that offers a topic, and one that tells of changed settings', () => {
  const kinds = new Set(mailed.mails.map(({ kind }) => kind))
  expect([...kinds].sort()).toEqual([...LETTER_KINDS, 'welcome', 'digest'].sort())
  const pages = new Set(mailed.mails.flatMap(({ links }) => links.map((path) => path.split('/')[1])))
  const all = ['confirm', 'never', 'preferences', 'unsubscribe', 'digests', 'follow', 'account', 'address', 'undo']
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

describe.skipIf(!thorough || NEEDS_CHROMIUM !== '')(`in a browser${NEEDS_CHROMIUM}`, () => {
  test('opening every link with scripts changes nothing either', { timeout: 600_000 }, async () => {
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow()
    const before = await dump(mailed)
    for (const path of new Set(mailed.mails.flatMap(({ links }) => links)))
      await window.page.goto(mailed.url + path, { waitUntil: 'networkidle' })
    expect(await dump(mailed)).toEqual(before)
  })
})

test('a digest and a welcome offer one click and a mail of its reader’s own to unsubscribe; no letter does', () => {
  for (const { kind, headers, subscriberId, to } of mailed.mails) {
    const list = [...headers.keys()].filter((name) => name.startsWith('list-') || name === 'feedback-id').sort()
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
