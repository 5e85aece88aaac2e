/** The page of what was set aside: who, why, and trying again. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { carriedOut, HOSTILE } from '../../support/fixtures/missed-edition.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../../support/fixtures/newsletter.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

const AT = new Date('2026-04-14T05:00:00Z')
const PATH = '/admin/set-aside'

const plain = (html: string) => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

/** A site where two subscribers and a sign-up are set aside for hostile reasons. */
const openSetAside = async () => {
  const site = await openAdminSite()
  await storeDay(site.db, '2026-04-13')
  const ids = [
    await subscribe(site.db, 'ada@example.org', LONDON_DAILY, AT),
    await subscribe(site.db, 'bob@example.org', LONDON_DAILY, AT),
  ]
  await sql`insert into set_aside_subscribers (subscriber_id, due_at, retry_at, reason)
    select id, next_due_at, next_due_at, ${HOSTILE.said} from subscribers`.execute(site.db)
  await sql`update set_aside_subscribers set due_at = '2026-04-14T06:00:00Z'`.execute(site.db)
  await sql`insert into sign_ups (kind, email, requested_at, attempts, set_aside_at, reason)
    values ('links', ${HOSTILE.address}, ${AT}, 3, now(), ${HOSTILE.said})`.execute(site.db)
  const acts = () =>
    site.db.selectFrom('audit_log').selectAll().where('action', '=', 'set-aside.retried').orderBy('id').execute()
  return { ...site, ids, acts, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
}

test('where nothing is set aside it says so', async () => {
  await using site = await openAdminSite()
  expect(plain((await (await site.signInAs('look')).get(PATH)).text)).toContain('Nothing is set aside.')
})

test('who is set aside and why is shown, whatever was written, and who may only look has no button', async () => {
  await using site = await openSetAside()
  const { text } = await (await site.signInAs('look')).get(PATH)
  expect(carriedOut(text)).toEqual([])
  expect(plain(text)).toContain('No digest could be made for 2')
  expect(text).toContain(`/admin/subscribers/${site.ids[0]}`)
  expect(text).toContain('&lt;script&gt;')
  expect(text).not.toContain('Try again')
})

test('one is tried again, then all; what is asked to try is woken, and it is on record', async () => {
  await using site = await openSetAside()
  const browser = await site.signInAs('act')
  await browser.get(PATH)
  const one = plain((await browser.press(`${PATH}/retry`, { which: site.ids[0] ?? '' })).text)
  expect(one).toContain('Trying again within a minute: 1 subscriber.')
  expect(site.wakes).toEqual(['tick'])
  const all = plain((await browser.press(`${PATH}/retry`, { which: 'all' })).text)
  expect(all).toContain('Trying again within a minute: 1 subscriber and 1 sign-up.')
  expect(all).toContain('Nothing is set aside.')
  expect(site.wakes).toEqual(['tick', 'tick', 'letters'])
  for (const which of ['all', 'x', '', '7'])
    expect(plain((await browser.press(`${PATH}/retry`, { which })).text)).toContain('That is not set aside any more.')
  expect(await site.acts()).toMatchObject([
    { subject: `subscriber:${site.ids[0]}`, detail: { subscribers: 1, signUps: 0 } },
    { subject: null, detail: { subscribers: 1, signUps: 1 } },
  ])
})
