/** The pages of editions: what each came to, who missed it, and sending again, pausing and canceling it, all on record. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import { newDeliveryId } from '../../../src/store/outbox/delivery-id.ts'
import { carriedOut, HOSTILE, oweMissedEdition } from '../../support/fixtures/missed-edition.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

const openMissed = async () => {
  const site = await openAdminSite()
  const edition = await oweMissedEdition(site.db)
  return {
    ...site,
    ...edition,
    path: `/admin/editions/${edition.id}`,
    acts: () =>
      site.db.selectFrom('audit_log').selectAll().where('action', 'like', 'edition.%').orderBy('id').execute(),
    states: async () =>
      Object.fromEntries(
        (await site.db.selectFrom('deliveries').select(['subscriber_id', 'state']).execute()).map((one) => [
          one.subscriber_id,
          one.state,
        ]),
      ),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

const plain = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/\s+/g, ' ')

test('without an edition the list says so, and a number that none has is not found', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('look')
  expect(plain((await browser.get('/admin/editions')).text)).toContain('No edition has been published yet.')
  for (const path of [
    '7',
    '0',
    '-1',
    'seven',
    '99999999999999999999',
    '7/missed',
    '7/resend',
    '7/cancel',
    '1e3/missed',
  ]) {
    const answer = await browser.get(`/admin/editions/${path}`)
    expect([path, answer.status]).toEqual([path, 404])
    expect(plain(answer.text)).toMatch(/page not found|no such edition/i)
  }
})

test('an edition is listed and shown with its equation in numbers and in words, and says whether it adds up', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('look')
  const equation = '10 = 5 sent + 2 failed + 1 skipped + 1 pending + 1 unknown'
  expect(plain((await browser.get('/admin/editions')).text)).toContain(equation)
  const page = plain((await browser.get(site.path)).text)
  expect(page).toContain(equation)
  expect(page).toContain(
    '10 digests were due. 5 were taken by a mail server, 2 were refused for good, 1 was skipped, 1 waits, 1 may or may not have arrived.',
  )
  expect(page).toContain('It adds up so far.')
  expect(page).toContain('2 failed refused for good, or given up refused at rcpt 550 5.1.1')
  expect(page).toContain('4 did not get it.')
  // Who may only look is offered nothing to press.
  expect(page).not.toContain('Send it to them')
  await site.db.updateTable('editions').set({ due: 12 }).execute()
  expect(plain((await browser.get(site.path)).text)).toContain('It does not add up. 2 deliveries are missing.')
})

test('what servers said and who missed it is shown in their words, whatever these are', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('look')
  for (const path of [site.path, `${site.path}/missed`]) {
    const { text } = await browser.get(path)
    expect(carriedOut(text)).toEqual([])
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  }
  const missed = await browser.get(`${site.path}/missed`)
  expect(missed.text).toContain(`/admin/subscribers/${site.reader(7)}`)
  expect(missed.text).toContain('&lt;img src=x onerror=alert(1)&gt;')
  expect(missed.text.match(/<tr>/g)).toHaveLength(5)
})

test('who missed it is narrowed by state and reason, and shown in pages without a gap', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('look')
  const rowsOf = async (query: string) => {
    const { text } = await browser.get(`${site.path}/missed?${query}`)
    return [...text.matchAll(/href="\/admin\/subscribers\/([0-9a-f-]{36})"/g)].map(([, id]) => id)
  }
  expect(await rowsOf('state=unknown')).toEqual([site.reader(9)])
  expect((await rowsOf('state=failed&reason=550+5.1.1')).sort()).toEqual([site.reader(6), site.reader(7)].sort())
  expect(await rowsOf('state=failed&reason=mailbox+full')).toEqual([])
  // A percent sign is one, and no pattern.
  expect(await rowsOf('reason=%25')).toEqual([])
  await site.db.updateTable('deliveries').set({ state: 'failed' }).execute()
  await oweMore(site.db, 60)
  const found: (string | undefined)[] = []
  for (let path: string | null = `${site.path}/missed?state=failed`; path !== null; ) {
    const { text }: { text: string } = await browser.get(path)
    found.push(...[...text.matchAll(/href="\/admin\/subscribers\/([0-9a-f-]{36})"/g)].map(([, id]) => id))
    path = /href="([^"]+)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? null
  }
  expect(found).toHaveLength(70)
  expect(new Set(found).size).toBe(70)
})

test('sending it again says first whom it concerns, then puts them in the queue, wakes the mailers, and is on record', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('act')
  expect((await browser.get(site.path)).text).toContain(`${site.path}/resend`)
  const asked = plain((await browser.get(`${site.path}/resend`)).text)
  expect(asked).toContain('It goes to 3 readers again (2 failed and 1 unknown).')
  expect(asked).toContain('1 reader may get a second copy, with the same Message-ID')
  expect(await site.acts()).toEqual([])
  const done = await browser.press(`${site.path}/resend`, { state: 'failed,unknown' })
  expect(plain(done.text)).toContain('Sending it again to 3 readers.')
  expect(site.wakes).toEqual(['deliveries'])
  const states = await site.states()
  expect([6, 7, 9, 8, 1].map((n) => states[site.reader(n)])).toEqual(['queued', 'queued', 'queued', 'skipped', 'sent'])
  expect(await site.acts()).toMatchObject([
    {
      action: 'edition.resent',
      subject: `edition:${site.id}`,
      by_whom: browser.name,
      via: 'admin',
      detail: { failed: 2, unknown: 1 },
    },
  ])
  // Pressed again there is nobody left, nothing is woken, and nothing goes on record.
  expect(plain((await browser.press(`${site.path}/resend`, { state: 'failed,unknown' })).text)).toContain(
    'Nothing was put back',
  )
  expect(site.wakes).toHaveLength(1)
  expect(await site.acts()).toHaveLength(1)
})

test('it is sent again to one reader alone from the list, and who was skipped may be sent it, too', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('act')
  await browser.get(site.path)
  expect(plain((await browser.get(`${site.path}/resend?state=skipped`)).text)).toContain(
    '1 of them gets no digests now: they are skipped.',
  )
  const done = await browser.press(`${site.path}/resend`, { state: 'failed', subscriber: site.reader(6) })
  expect(plain(done.text)).toContain('Sending it again to 1 reader.')
  const states = await site.states()
  expect([6, 7].map((n) => states[site.reader(n)])).toEqual(['queued', 'failed'])
  expect(await site.acts()).toMatchObject([{ detail: { failed: 1, subscriber: site.reader(6) } }])
})

test('an edition is paused and resumed, each on record with the reason; what cannot be done is said in words', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('act')
  await browser.get(site.path)
  const refused = await browser.post(`${site.path}/resume`)
  expect([refused.status, plain(refused.text)]).toEqual([
    409,
    expect.stringContaining(`Edition ${site.id} is not paused.`),
  ])
  const paused = plain((await browser.press(`${site.path}/pause`, { why: 'A <b>wrong</b> title' })).text)
  expect(paused).toContain(`by ${browser.name} : A <b>wrong</b> title`)
  expect(plain((await browser.get(`${site.path}/resend`)).text)).toContain('nothing is sent until it is resumed')
  expect(plain((await browser.press(`${site.path}/resume`)).text)).toContain(`Edition ${site.id} goes on.`)
  expect(site.wakes).toEqual(['deliveries'])
  expect(await site.acts()).toMatchObject([
    { action: 'edition.paused', detail: { why: 'A <b>wrong</b> title' } },
    { action: 'edition.resumed' },
  ])
  await site.db
    .updateTable('editions')
    .set({ completed_at: new Date(), totals: '[]' as never })
    .execute()
  expect((await browser.post(`${site.path}/pause`)).status).toBe(409)
})

test('canceling says what it does, asks why, and then does it', async () => {
  await using site = await openMissed()
  const browser = await site.signInAs('act')
  const asked = plain((await browser.get(`${site.path}/cancel`)).text)
  expect(asked).toContain('1 delivery is called off.')
  expect(asked).toContain('it cannot be resumed, or sent again')
  const unsaid = await browser.post(`${site.path}/cancel`, { why: ' ' })
  expect([unsaid.status, plain(unsaid.text)]).toEqual([422, expect.stringContaining('Say why')])
  expect(await site.acts()).toEqual([])
  const done = plain((await browser.press(`${site.path}/cancel`, { why: 'The wrong papers' })).text)
  expect(done).toContain(`Edition ${site.id} is canceled: 1 delivery called off.`)
  expect((await site.states())[site.reader(10)]).toBe('canceled')
  expect(await site.acts()).toMatchObject([{ action: 'edition.canceled', detail: { why: 'The wrong papers' } }])
  expect(done).not.toContain('Send it to them')
  expect((await browser.post(`${site.path}/resend`, { state: 'failed' })).status).toBe(409)
})

/** Further readers of the newest edition, refused like the others. */
const oweMore = async (db: Database, count: number) => {
  await sql`
    with s as (insert into subscribers (email, state, topics, frequency, hour, weekday, time_zone, requested_at, next_due_at)
      select 'more' || n || '@example.com', 'active', '{robotics}', 'daily', 7, 6, 'UTC', now(), now()
      from generate_series(1, ${count}) n returning id)
    insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id, state, code, said)
    select d.local_date, ${newDeliveryId(sql`s.id`, sql`d.local_date`)}, s.id, d.edition_id, d.digest_id, 'failed', 550, ${HOSTILE.said}
    from s, (select * from deliveries limit 1) d`.execute(db)
}
