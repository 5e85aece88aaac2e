/** The pages of subscribers: finding one, what was sent and what the server said, and what an operator does for them. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { storeInState } from '../../support/fixtures/every-state.ts'
import { carriedOut, HOSTILE, oweMissedEdition } from '../../support/fixtures/missed-edition.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../../support/fixtures/newsletter.ts'
import { type AdminTestSite, openAdminSite } from '../../support/servers/admin-site.ts'

const AT = new Date('2026-04-14T05:00:00Z')
const ADA = 'ada@example.org'
const NOBODY = '00000000-0000-4000-8000-000000000000'

const plain = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/\s+/g, ' ')

/** A site with Ada, who signed up, confirmed, and is owed a welcome. */
const openAda = async () => {
  const site = await openAdminSite()
  await storeDay(site.db, '2026-04-13')
  const id = await subscribe(site.db, ADA, LONDON_DAILY, AT)
  return { ...site, id, path: `/admin/subscribers/${id}`, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
}

const actsOf = ({ db }: Pick<AdminTestSite, 'db'>) =>
  db.selectFrom('audit_log').selectAll().where('action', 'like', 's%').orderBy('id').execute()

test('without subscribers the list says so, and an id that nobody has is not found', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('own')
  expect(plain((await browser.get('/admin/subscribers')).text)).toContain('There are no subscribers yet.')
  expect(plain((await browser.get('/admin/subscribers?q=ada')).text)).toContain('Nobody is like that.')
  for (const id of ['1', 'ada@example.org', NOBODY]) {
    for (const path of [id, `${id}/mails/${NOBODY}`, `${id}/mails/x`])
      expect([path, (await browser.get(`/admin/subscribers/${path}`)).status]).toEqual([path, 404])
    for (const act of ['suppress', 'export', 'erase'])
      expect([act, (await browser.post(`/admin/subscribers/${id}/${act}`, {})).status]).toEqual([act, 404])
  }
})

test('a subscriber is found by address, part of it, id, Message-ID, state and topic', async () => {
  await using site = await openAda()
  for (const state of ['pending', 'unsubscribed', 'suppressed', 'erased'] as const)
    await storeInState(site.db, state, `${state}@example.net`, AT)
  const letter = await site.db
    .selectFrom('letters')
    .select('id')
    .where('subscriber_id', '=', site.id)
    .executeTakeFirstOrThrow()
  const browser = await site.signInAs('look')
  const found = async (query: Record<string, string>) => {
    const { text } = await browser.get(`/admin/subscribers?${new URLSearchParams(query)}`)
    return [...text.matchAll(/<bdi>([^<]*)<\/bdi><\/a>\s*<\/th>/g)].map(([, email]) => email)
  }
  for (const q of [' Ada@Example.org ', 'ada@', 'EXAMPLE.ORG', site.id, letter.id, `<${letter.id}@example.net>`])
    expect([q, await found({ q })]).toEqual([q, [ADA]])
  expect(await found({ q: 'a%a@' })).toEqual([])
  expect(await found({ state: 'pending' })).toEqual(['pending@example.net'])
  expect(await found({ q: 'example.net', state: 'suppressed' })).toEqual(['suppressed@example.net'])
  expect(await found({ topic: 'robotics', state: 'active' })).toEqual([ADA])
  expect(await found({ topic: 'agents' })).toEqual([])
  expect(await found({ q: 'nobody' })).toEqual([])
  const all = plain((await browser.get('/admin/subscribers')).text)
  expect(all).toContain('5 in all: 1 active , 0 paused , 1 pending , 1 unsubscribed , 1 suppressed , 1 erased')
  expect(plain((await browser.get('/admin/subscribers?q=erased@example.net')).text)).toContain(
    'This address was erased on',
  )
})

test('the list goes on page by page, without a gap', async () => {
  await using site = await openAdminSite()
  await sql`insert into subscribers (email, state, topics, frequency, hour, weekday, time_zone, requested_at)
    select 'reader' || n || '@example.org', 'unsubscribed', '{robotics}', 'daily', 7, 6, 'UTC', ${AT} from generate_series(1, 120) n`.execute(
    site.db,
  )
  const browser = await site.signInAs('look')
  const found = new Set<string>()
  let pages = 0
  for (let path: string | null = '/admin/subscribers?q=reader'; path !== null; pages++) {
    const { text }: { text: string } = await browser.get(path)
    for (const [, id] of text.matchAll(/subscribers\/([0-9a-f-]{36})"/g)) found.add(id ?? '')
    path = /href="([^"]+)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? null
  }
  expect([found.size, pages]).toEqual([120, 3])
})

test('one page answers what was sent, when, and what the server said', async () => {
  await using site = await openAda()
  await sql`update letters set state = 'sent', sent_at = '2026-04-14T05:01:00Z', attempted_at = '2026-04-14T05:01:00Z', code = 250,
    said = '250 2.0.0 Ok: queued as 4XyZ' where kind = 'welcome'`.execute(site.db)
  const browser = await site.signInAs('look')
  const { text } = await browser.get(site.path)
  const page = plain(text)
  const welcome = await site.db
    .selectFrom('letters')
    .select('id')
    .where('kind', '=', 'welcome')
    .executeTakeFirstOrThrow()
  for (const words of [
    'Welcome digest: sent taken by a mail server',
    'Server said 250 2.0.0 Ok: queued as 4XyZ',
    'Tue 14 Apr 2026, 05:01 UTC',
    'Asked to subscribe',
    'Confirmed',
    'daily, at 07:00 London time',
  ])
    expect(page).toContain(words)
  expect(text).toContain(`&lt;${welcome.id}@`)
  const mail = plain((await browser.get(`${site.path}/mails/${welcome.id}`)).text)
  expect(mail).toContain('Server said 250 2.0.0 Ok: queued as 4XyZ')
  // The digest as it was sent: its papers, and none of the reader’s links.
  expect(mail).toContain('Advances in diffusion language model, report 2604.13010')
  expect((await browser.get(`${site.path}/mails/${welcome.id}`)).text).not.toMatch(/unsubscribe\/|preferences\//)
  // A mail of somebody else is none of theirs.
  const other = await subscribe(site.db, 'bob@example.org', LONDON_DAILY, AT)
  expect((await browser.get(`/admin/subscribers/${other}/mails/${welcome.id}`)).status).toBe(404)
  // Looking is no act; it stands in the log, by ids alone.
  expect(await actsOf(site)).toEqual([])
  expect(site.log.join()).toContain(`"subscriber":"${site.id}"`)
  expect(site.log.join()).not.toContain(ADA)
})

test('what others wrote is shown as they wrote it, and does nothing', async () => {
  await using site = await openAdminSite()
  const { reader } = await oweMissedEdition(site.db)
  await sql`insert into mail_feedback (mail_id, kind, stream, subscriber_id, class, code, diagnostic, source)
    select id, 'bounce', 'deliveries', subscriber_id, 'hard', '5.1.1', ${HOSTILE.said}, 'mail' from deliveries
    where subscriber_id = ${reader(7)}`.execute(site.db)
  const browser = await site.signInAs('own')
  for (const path of [
    '/admin/subscribers',
    `/admin/subscribers?${new URLSearchParams({ q: HOSTILE.said })}`,
    `/admin/subscribers/${reader(7)}`,
  ]) {
    const { text, status } = await browser.get(path)
    expect([path, status, carriedOut(text)]).toEqual([path, 200, []])
  }
  expect((await browser.get(`/admin/subscribers/${reader(7)}`)).text).toContain('&lt;img src=x onerror=alert(1)&gt;')
})

test('fresh links are owed at once, at most three times a day, and on record', async () => {
  await using site = await openAda()
  const browser = await site.signInAs('act')
  await browser.get(site.path)
  const press = async () => {
    const page = plain((await browser.press(`${site.path}/links`)).text)
    await site.db.updateTable('letters').set({ state: 'sent' }).execute()
    return page
  }
  for (let n = 0; n < 3; n++) expect(await press()).toContain('Fresh links are on their way.')
  expect(await press()).toContain('they had three such emails in the last 24 hours')
  expect(await site.db.selectFrom('letters').select('kind').where('kind', '=', 'links').execute()).toHaveLength(3)
  expect(site.wakes).toEqual(['letters', 'letters', 'letters'])
  expect(await actsOf(site)).toMatchObject(
    Array(3).fill({ action: 'subscriber.links-sent', subject: `subscriber:${site.id}`, by_whom: browser.name }),
  )
  expect(plain((await browser.get(site.path)).text)).toContain('Operator: subscriber links sent')
})

test('who has not confirmed gets the confirmation again, which confirms what they asked for', async () => {
  await using site = await openAdminSite()
  await storeInState(site.db, 'pending', ADA, AT)
  await site.db.updateTable('letters').set({ state: 'failed' }).execute()
  const { id } = await site.db.selectFrom('subscribers').select('id').executeTakeFirstOrThrow()
  const browser = await site.signInAs('act')
  await browser.get(`/admin/subscribers/${id}`)
  expect(plain((await browser.press(`/admin/subscribers/${id}/links`)).text)).toContain(
    'The confirmation is on its way again.',
  )
  const letters = await site.db
    .selectFrom('letters')
    .select(['kind', 'state', 'preferences'])
    .orderBy('created_at')
    .execute()
  expect(letters).toMatchObject([
    { state: 'failed' },
    { kind: 'confirmation', state: 'queued', preferences: { topics: LONDON_DAILY.topics } },
  ])
  const consent = await site.db.selectFrom('consent_records').select(['event', 'source']).orderBy('id').execute()
  expect(consent.at(-1)).toEqual({ event: 'requested', source: 'operator' })
})

test('a subscriber is unsubscribed, and suppressed with a reason, and nothing is offered that cannot be done', async () => {
  await using site = await openAda()
  const browser = await site.signInAs('act')
  await browser.get(site.path)
  const left = plain((await browser.press(`${site.path}/unsubscribe`)).text)
  expect(left).toContain('They are unsubscribed, and may subscribe again.')
  expect(left).not.toContain('Unsubscribe them')
  expect(plain((await browser.press(`${site.path}/unsubscribe`)).text)).toContain('their state does not allow it')
  const unsaid = await browser.post(`${site.path}/suppress`, {})
  expect([unsaid.status, plain(unsaid.text)]).toEqual([422, expect.stringContaining('Say why')])
  const suppressed = plain((await browser.press(`${site.path}/suppress`, { why: 'asked by letter' })).text)
  expect(suppressed).toContain('Nothing is mailed to this address since')
  expect(suppressed).toContain('asked by letter')
  expect(await actsOf(site)).toMatchObject([
    { action: 'subscriber.unsubscribed' },
    {
      action: 'suppression.added',
      subject: `subscriber:${site.id}`,
      detail: { class: 'operator', why: 'asked by letter' },
    },
  ])
  expect(plain((await browser.press(`${site.path}/links`)).text)).toContain('their state does not allow it')
})

test('all that is held is downloaded as JSON, and that it was is on record', async () => {
  await using site = await openAda()
  const browser = await site.signInAs('act')
  await browser.get(site.path)
  const answer = await browser.post(`${site.path}/export`)
  expect(answer.headers['content-disposition']).toBe(`attachment; filename="subscriber-${site.id}.json"`)
  expect(JSON.parse(answer.text)).toMatchObject({ subscriber: { email: ADA, state: 'active' } })
  expect(await actsOf(site)).toMatchObject([
    { action: 'subscriber.exported', subject: `subscriber:${site.id}`, detail: {} },
  ])
})

test('only the role own erases, and only who types the address; the record keeps no address', async () => {
  await using site = await openAda()
  const act = await site.signInAs('act')
  expect((await act.get(site.path)).text).not.toContain('/erase')
  expect((await act.post(`${site.path}/erase`, { address: ADA })).status).toBe(403)
  const own = await site.signInAs('own')
  await own.get(site.path)
  const wrong = await own.post(`${site.path}/erase`, { address: 'ada@example.com' })
  expect([wrong.status, plain(wrong.text)]).toEqual([422, expect.stringContaining('type the address as it stands')])
  expect(plain((await own.press(`${site.path}/erase`, { address: 'ADA@example.org' })).text)).toContain('Erased.')
  expect(await site.db.selectFrom('subscribers').select(['state', 'email']).execute()).toEqual([
    { state: 'erased', email: null },
  ])
  const acts = await actsOf(site)
  expect(acts).toMatchObject([{ action: 'subscriber.erased', by_whom: own.name }])
  expect(JSON.stringify(acts)).not.toContain('ada@')
  const page = plain((await own.get(site.path)).text)
  expect(page).toContain('An erased subscriber')
  expect(page).not.toContain('Send fresh links')
})
