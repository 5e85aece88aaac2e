/** Voting by the links of real mails, over HTTP on Postgres: one vote a reader and paper, and nothing by opening a page. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { raiseEpoch } from '../../src/store/subscribers.ts'
import { dumpTables, type MailedSite, openMailedSite, READER } from '../support/fixtures/mailed-site.ts'
import { eraseFrom, KEYS } from '../support/fixtures/newsletter.ts'
import { paperLinksOf } from '../support/fixtures/paper-links.ts'
import { DUE } from '../support/fixtures/sending-newsletter.ts'

let mailed: MailedSite
beforeAll(async () => {
  mailed = await openMailedSite()
  await mailed.send()
}, 60_000)
afterAll(() => mailed?.[Symbol.asyncDispose]())

const { linkOf, press, another } = paperLinksOf('vote', () => mailed)
const votes = () => mailed.db.selectFrom('votes').selectAll().orderBy('at').execute()
const forget = () => mailed.db.deleteFrom('votes').execute()

test('a digest has a link to vote beside each paper, all with one token, and its page in the browser has none', async () => {
  const digest = mailed.mails.find(({ to, kind }) => to === READER && kind === 'digest')
  const links = digest?.links.filter((path) => path.startsWith('/vote/')) ?? []
  const delivery = await mailed.db.selectFrom('digests').select('entries').executeTakeFirstOrThrow()
  expect(delivery.entries.length).toBeGreaterThan(1)
  // The HTML has each.
  expect(links.length).toBeGreaterThan(1)
  expect(new Set(links).size).toBe(links.length)
  const token = deriveToken(KEYS, 'vote', digest?.subscriberId ?? '')
  expect(new Set(links.map((path) => path.split('/')[2]))).toEqual(new Set([token]))
  for (const path of new Set(links)) expect((await mailed.site.get(path)).text).toContain('Vote for this paper?')
  const page = await mailed.site.get(mailed.link(READER, 'digest', 'digests'))
  expect(page.status).toBe(200)
  expect(page.html).not.toContain(token)
  expect(page.html).not.toContain('/vote/')
})

test('opening the link changes nothing; one press votes, a second says that it counts, and a third takes it back', async () => {
  await forget()
  const { path, paper } = linkOf()
  const before = await dumpTables(mailed)
  const page = await mailed.site.get(path)
  await fetch(mailed.url + path, { method: 'HEAD' })
  expect(await dumpTables(mailed)).toEqual(before)
  const { title } = await mailed.db
    .selectFrom('paper_texts')
    .select('title')
    .where('paper_id', '=', paper)
    .executeTakeFirstOrThrow()
  expect(page.text).toContain(title)
  expect(page.html.match(/<button/g)).toHaveLength(1)

  expect((await mailed.site.post(path)).text).toContain('Your vote counts Adv')
  const again = await mailed.site.post(path)
  expect(again.text).toContain('Your vote counts already')
  expect(again.html).toContain('name="undo" value="yes">Take it back</button>')
  expect(again.text).not.toContain('here have voted for it')
  expect(await votes()).toMatchObject([{ paper_id: paper, at: DUE }])
  // The link looks the same as before: whoever was forwarded it learns nothing of its reader by opening it.
  expect((await mailed.site.get(path)).html).toBe(page.html)

  const other = await another('ben')
  expect(await press(other.path)).toEqual({ status: 200, said: { status: 'counts', votes: null } })
  expect((await mailed.site.get(`/papers/${paper}`)).text).not.toContain('here voted for it')
  const api = await fetch(`${mailed.url}/api/v1/papers/${paper}`)
  expect(await api.json()).toMatchObject({ votes: null })

  expect((await mailed.site.post(path, { undo: 'yes' })).text).toContain('Your vote is taken back')
  expect(await press(path, { undo: 'yes' })).toEqual({ status: 200, said: { status: 'none', votes: null } })
  expect((await votes()).map(({ subscriber_id }) => subscriber_id)).toEqual([other.id])
})

test('how many readers voted is told from the fifth on, as on every page', async () => {
  await forget()
  const { path, paper } = linkOf()
  const told: unknown[] = []
  for (const name of ['c', 'd', 'e', 'f']) told.push((await press((await another(`fifth-${name}`)).path)).said.votes)
  expect(told).toEqual([null, null, null, null])
  expect((await mailed.site.post(path)).text).toContain('5 readers here have voted for it.')
  expect((await mailed.site.get(`/papers/${paper}`)).text).toContain('5 readers here voted for it.')
})

test('fifty presses at once give one vote', async () => {
  await forget()
  const { path, paper } = linkOf()
  const answers = await Promise.all(Array.from({ length: 50 }, () => press(path)))
  expect(answers.filter(({ said }) => said.status === 'counts')).toHaveLength(1)
  expect(answers.filter(({ said }) => said.status === 'counted')).toHaveLength(49)
  for (const { status, said } of answers) expect([status, said.votes]).toEqual([200, null])
  expect((await votes()).map(({ paper_id }) => paper_id)).toEqual([paper])
})

test('presses and an erasure at once leave no vote of who was erased', async () => {
  await forget()
  const leaver = await another('eve')
  const presses = Array.from({ length: 10 }, () => press(leaver.path))
  await eraseFrom(mailed.db, leaver.id)
  for (const { status } of await Promise.all(presses)) expect([200, 404]).toContain(status)
  expect(await press(leaver.path)).toMatchObject({ status: 404 })
  expect(await votes()).toEqual([])
})

test('a hidden or unknown paper takes no vote and says so; one from long before the trend’s window does', async () => {
  await forget()
  const { token, paper } = linkOf()
  await mailed.db.updateTable('papers').set({ hidden_at: DUE }).where('id', '=', paper).execute()
  const ids = [
    paper,
    '2604.99999',
    'hep-ex%2F0307015',
    'a%00b',
    '%F0%9F%98%80',
    'x'.repeat(101),
    '..%2F..%2Fetc',
    "'%20or%201=1",
  ]
  for (const id of ids)
    for (const fields of [{}, { undo: 'yes' }]) {
      const page = await mailed.site.post(`/vote/${token}/${id}`, fields)
      expect([id, page.status, page.text]).toEqual([id, 404, expect.stringContaining('so it takes no votes')])
      expect((await mailed.site.get(`/vote/${token}/${id}`)).status).toBe(404)
    }
  await mailed.db.updateTable('papers').set({ hidden_at: null }).where('id', '=', paper).execute()
  await mailed.db
    .updateTable('papers')
    .set({ list_day: '2024-01-02', first_seen_at: new Date('2024-01-02T09:00:00Z') })
    .where('id', '=', paper)
    .execute()
  // With the version that a reader may have copied.
  expect(await press(`/vote/${token}/${paper}v2`)).toMatchObject({ status: 200, said: { status: 'counts' } })
  expect(await votes()).toMatchObject([{ paper_id: paper }])
})

test.each([
  ['active', 200],
  ['paused', 200],
  ['pending', 409],
  ['unsubscribed', 409],
  ['suppressed', 409],
] as const)('of a reader who is %s a vote is answered with %i', async (state, status) => {
  await forget()
  const reader = await another(state)
  await mailed.db
    .updateTable('subscribers')
    .set({
      state,
      paused_until: state === 'paused' ? '2026-05-01' : null,
      ...(status === 200 ? {} : { next_due_at: null }),
    })
    .where('id', '=', reader.id)
    .execute()
  expect((await press(reader.path)).status).toBe(status)
  expect((await press(reader.path, { undo: 'yes' })).status).toBe(status)
  expect((await mailed.site.get(reader.path)).status).toBe(200)
})

test('a link that was replaced, altered or is for something else is dead, and changes nothing', async () => {
  await forget()
  const reader = await another('replaced')
  expect((await press(reader.path)).said).toMatchObject({ status: 'counts' })
  await raiseEpoch(mailed.db, reader.id)
  const paper = linkOf().paper
  const before = await dumpTables(mailed)
  for (const token of [
    reader.token,
    `${reader.token.slice(0, 42)}_`,
    deriveToken(KEYS, 'preferences', reader.id, 1),
    'x',
  ])
    for (const fields of [{}, { undo: 'yes' }]) {
      const page = await mailed.site.post(`/vote/${token}/${paper}`, fields)
      expect([page.status, page.text]).toEqual([404, expect.stringContaining('This link no longer works')])
    }
  expect(await dumpTables(mailed)).toEqual(before)
})

test('the 201st vote within a day is not counted and says so; a day later it is', async () => {
  await forget()
  const reader = await another('keen')
  const { rows } = await sql<{ id: string }>`
    with p as (insert into papers (id, revision, source, list_day, first_seen_at, eligible_at)
        select '2101.' || lpad(n::text, 5, '0'), 1, source, list_day, first_seen_at, eligible_at
        from papers, generate_series(1, 200) n where id = ${linkOf().paper} returning id),
      t as (insert into paper_texts (paper_id, revision, title, abstract, authors, categories)
        select id, 1, 'A paper', '', '{}', '{}' from p)
    select id from p`.execute(mailed.db)
  const at = (seconds: number) => new Date(DUE.getTime() - seconds * 1000)
  await mailed.db
    .insertInto('votes')
    .values(rows.map(({ id }, n) => ({ paper_id: id, subscriber_id: reader.id, at: at(n) })))
    .execute()
  const refused = await mailed.site.post(reader.path)
  expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('This vote was not counted.')])
  await mailed.db
    .updateTable('votes')
    .set({ at: at(86_400) })
    .where('paper_id', '=', rows[0]?.id ?? '')
    .execute()
  expect(await press(reader.path)).toMatchObject({ status: 200, said: { status: 'counts' } })
})

/** What the site answers a browser that holds a cookie. */
const withCookie = (cookie: string | null, path: string, body?: Record<string, string>) =>
  fetch(mailed.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'text/html', ...(cookie === null ? {} : { cookie }) },
    ...(body === undefined ? {} : { body: new URLSearchParams(body) }),
    redirect: 'manual',
  })

test('a browser is remembered where its reader asks for it, votes on the site by one press, and is forgotten', async () => {
  await forget()
  const { path, token, paper } = linkOf()
  for (const fields of [{}, { undo: 'yes' }])
    expect((await withCookie(null, path, fields)).headers.get('set-cookie')).toBeNull()
  const remembered = await withCookie(null, path, { remember: 'yes' })
  expect(remembered.headers.get('set-cookie')).toBe(
    `vote=${token}; Max-Age=31536000; Path=/vote; HttpOnly; Secure; SameSite=Lax`,
  )
  expect(await remembered.text()).toContain('Forget this browser</button>')
  // Being remembered is no vote.
  expect(await votes()).toEqual([])

  const cookie = `theme=dark; vote=${token}`
  const before = await dumpTables(mailed)
  const page = await (await withCookie(cookie, `/vote?paper=${paper}`)).text()
  expect(await dumpTables(mailed)).toEqual(before)
  expect(page).toContain(`<form action="${path}" method="post" class="field"><button class="great">Vote</button>`)
  expect((await withCookie(cookie, path, {})).status).toBe(200)
  expect(await votes()).toHaveLength(1)

  const forgotten = await withCookie(cookie, '/vote/forget', {})
  expect(forgotten.headers.get('set-cookie')).toBe('vote=; Max-Age=0; Path=/vote; HttpOnly; Secure; SameSite=Lax')
})

test('the cookie gives no right by itself, ends with the links, and changes no page but that for voting', async () => {
  await forget()
  const { paper } = linkOf()
  const reader = await another('cookie')
  const cookie = `vote=${reader.token}`
  const asked = await (await withCookie(cookie, `/vote?paper=${paper}`)).text()
  expect(asked).toContain(reader.token)
  // The forms of the site without the token in their address, as another site's page would have to send them.
  for (const [path, status] of [
    ['/vote', 400],
    [`/vote/x/${paper}`, 404],
    ['/vote/forget', 200],
  ] as const)
    expect([path, (await withCookie(cookie, path, { paper })).status]).toEqual([path, status])
  expect(await votes()).toEqual([])
  const foreign = { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const pressed = await fetch(mailed.url + reader.path, {
    method: 'POST',
    headers: foreign,
    body: new URLSearchParams(),
  })
  expect(pressed.status).toBe(403)
  expect(await votes()).toEqual([])

  for (const path of ['/', `/papers/${paper}`, '/papers/2026-04-14', '/topics/robotics', '/about', '/privacy']) {
    const [plain, held] = await Promise.all([withCookie(null, path), withCookie(cookie, path)])
    expect([path, held.headers.get('etag'), await held.text()]).toEqual([
      path,
      plain.headers.get('etag'),
      await plain.text(),
    ])
  }
  await raiseEpoch(mailed.db, reader.id)
  for (const dead of [cookie, 'vote=', 'vote=x', 'vote', '=', 'vote=%00', `vote="${reader.token}"`]) {
    const page = await withCookie(dead, `/vote?paper=${paper}`)
    expect([dead, page.status, await page.text()]).toEqual([dead, 200, expect.stringContaining('Email me the link')])
  }
})

test('from the site a link to vote goes to subscribers alone, once a day, and the answer is the same for all', async () => {
  await forget()
  const { paper } = linkOf()
  const reader = await another('asks')
  await mailed.db.deleteFrom('letters').execute()
  const lettersNow = () =>
    mailed.db.selectFrom('letters').select(['kind', 'subscriber_id', 'paper_id']).orderBy('created_at').execute()
  const answers = new Set<string>()
  for (const email of ['asks@example.org', 'nobody@example.org', 'asks@example.org', 'ASKS@example.org']) {
    const page = await mailed.site.post('/vote', { email, paper })
    answers.add(`${page.status} ${page.text.replaceAll(email, 'THE ADDRESS')}`)
    await mailed.send()
  }
  expect([...answers]).toEqual([
    expect.stringMatching(/^200 .*THE ADDRESS is subscribed, an email with your link to vote/),
  ])
  // `send` lets a day pass, as far as limits are concerned: the letters went one a day.
  expect(await lettersNow()).toEqual(
    Array.from({ length: 3 }, () => ({ kind: 'vote', subscriber_id: reader.id, paper_id: paper })),
  )
  const link = mailed.link('asks@example.org', 'vote', 'vote')
  expect(link).toBe(reader.path)
  expect((await mailed.site.post(link)).text).toContain('Your vote counts')

  await mailed.site.post('/vote', { email: 'asks@example.org', paper })
  await mailed.site.post('/vote', { email: 'asks@example.org', paper: '2604.14001' })
  await mailed.send()
  expect(await lettersNow()).toHaveLength(4)
  for (const [fields, status, words] of [
    [{ email: 'asks@', paper }, 400, 'Email me the link'],
    [{ email: 'asks@example.org', paper: '2604.99999' }, 404, 'No such paper'],
    [{ email: 'asks@example.org' }, 404, 'No such paper'],
    [{ email: '', paper }, 400, 'Email me the link'],
  ] as const) {
    const page = await mailed.site.post('/vote', { ...fields })
    expect([fields, page.status, page.text]).toEqual([fields, status, expect.stringContaining(words)])
  }
  for (const query of [
    '',
    '?paper=',
    '?paper=a&paper=b',
    `?paper=${'x'.repeat(10_000)}`,
    '?paper=%00',
    '?paper=%E4%BD%A0',
  ])
    expect([query, (await mailed.site.get(`/vote${query}`)).status]).toEqual([query, 404])
})
