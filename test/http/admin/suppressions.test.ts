/** The pages of suppressions: who is not mailed and why, adding and lifting, one and many, all on record and in the log. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { storeInState } from '../../support/fixtures/every-state.ts'
import { carriedOut, HOSTILE } from '../../support/fixtures/missed-edition.ts'
import { type AdminTestSite, openAdminSite } from '../../support/servers/admin-site.ts'

const AT = new Date('2026-04-14T05:00:00Z')
const PATH = '/admin/suppressions'

const plain = (html: string) => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

const actsOf = ({ db }: AdminTestSite) =>
  db.selectFrom('audit_log').selectAll().where('action', 'like', 'suppression.%').orderBy('id').execute()

/** Suppresses addresses as a server's refusal of an edition does. */
const suppressFor = async ({ db }: AdminTestSite, edition: number, count: number) => {
  await sql`insert into editions (id, cutoff) overriding system value values (${edition}, now())`.execute(db)
  await sql`insert into suppressions (email, class, reason, code, diagnostic, source, edition_id)
    select 'reader' || n || '@example.com', case when n % 2 = 0 then 'hard' else 'soft' end, 'refused', '5.1.1', ${HOSTILE.said},
      'smtp', ${edition} from generate_series(1, ${count}) n`.execute(db)
}

const addressesOf = (html: string) =>
  [...html.matchAll(/<th scope="row">.*?<bdi[^>]*>([^<]*)<\/bdi>/g)].map(([, email]) => email)

test('where nothing is suppressed each page says so, and what is not suppressed cannot be lifted', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('act')
  expect(plain((await browser.get(PATH)).text)).toContain('No address is suppressed.')
  expect(plain((await browser.get(`${PATH}/changes`)).text)).toContain('Nothing was changed yet.')
  expect(plain((await browser.get(`${PATH}/of-edition?edition=7`)).text)).toContain('No address is suppressed because')
  expect((await browser.get(`${PATH}/of-edition?edition=x`)).status).toBe(404)
  for (const address of ['', 'nobody@example.org', 'x', '%'])
    expect([address, (await browser.get(`${PATH}/remove?${new URLSearchParams({ address })}`)).status]).toEqual([
      address,
      404,
    ])
  expect(plain((await browser.press(`${PATH}/remove`, { address: 'nobody@example.org', why: 'x' })).text)).toContain(
    'That address is not suppressed.',
  )
})

test('an address is added with a reason, found, and lifted; both changes are logged and on record, and no address is', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('act')
  await browser.get(PATH)
  for (const [fields, words] of [
    [{ address: 'no address', why: 'x' }, 'Enter an address with an @'],
    [{ address: 'grace@example.org', why: ' ' }, 'Say why'],
  ] as const) {
    const refused = await browser.post(PATH, fields)
    expect([refused.status, plain(refused.text)]).toEqual([422, expect.stringContaining(words)])
    expect(refused.text).toContain(`value="${fields.address}"`)
  }
  expect(plain((await browser.press(PATH, { address: 'Grace@Example.org', why: 'her lawyer wrote' })).text)).toContain(
    'grace@example.org is not mailed any more.',
  )
  expect(plain((await browser.press(PATH, { address: 'grace@example.org', why: 'again' })).text)).toContain(
    'was suppressed already',
  )
  for (const query of ['', '?q=GRACE', '?q=grace@example.org&class=operator'])
    expect(addressesOf((await browser.get(PATH + query)).text)).toEqual(['grace@example.org'])
  for (const query of ['?q=ada', '?class=hard', '?edition=3'])
    expect(plain((await browser.get(PATH + query)).text)).toContain('No address is suppressed like that.')
  expect(plain((await browser.get(`${PATH}/remove?address=grace@example.org`)).text)).toContain('her lawyer wrote')
  const lifted = plain((await browser.press(`${PATH}/remove`, { address: 'grace@example.org', why: 'a mistake' })).text)
  expect(lifted).toContain('grace@example.org may be mailed again.')
  const log = plain((await browser.get(`${PATH}/changes`)).text)
  expect(log).toMatch(/removed .*a mistake.*added .*her lawyer wrote/)
  const acts = await actsOf(site)
  expect(acts).toMatchObject([
    {
      action: 'suppression.added',
      subject: 'address:g•••@example.org',
      by_whom: browser.name,
      detail: { class: 'operator', why: 'her lawyer wrote' },
    },
    { action: 'suppression.removed', detail: { class: 'operator', why: 'a mistake' } },
  ])
  expect(JSON.stringify(acts)).not.toContain('grace@')
})

test('whoever was suppressed has their former state again', async () => {
  await using site = await openAdminSite()
  await storeInState(site.db, 'active', 'ada@example.org', AT)
  const browser = await site.signInAs('act')
  await browser.get(PATH)
  await browser.press(PATH, { address: 'ada@example.org', why: 'x' })
  const { id, state } = await site.db.selectFrom('subscribers').select(['id', 'state']).executeTakeFirstOrThrow()
  expect(state).toBe('suppressed')
  expect((await browser.get(PATH)).text).toContain(`/admin/subscribers/${id}`)
  const lifted = plain((await browser.press(`${PATH}/remove`, { address: 'ada@example.org', why: 'y' })).text)
  expect(lifted).toContain('The subscriber is active.')
  expect(await actsOf(site)).toMatchObject(Array(2).fill({ subject: `subscriber:${id}` }))
})

test('an erased address is found by the whole of it alone, and may be let in again', async () => {
  await using site = await openAdminSite()
  await storeInState(site.db, 'erased', 'ada@example.org', AT)
  const browser = await site.signInAs('act')
  const page = plain((await browser.get(PATH)).text)
  expect(page).toContain('1 were erased')
  expect(plain((await browser.get(`${PATH}?q=ada@example.org`)).text)).toContain(
    'ada@example.org : the address was erased',
  )
  expect(plain((await browser.get(`${PATH}?q=ada@example`)).text)).not.toContain('the address was erased')
  expect(
    plain((await browser.press(`${PATH}/remove`, { address: 'ada@example.org', why: 'a new list' })).text),
  ).toContain('may be mailed again')
  expect(await site.db.selectFrom('erased_addresses').select('class').execute()).toEqual([])
  expect(await actsOf(site)).toMatchObject([{ subject: 'address:a•••@example.org', detail: { class: 'erased' } }])
})

test('those that servers caused for an edition are undone together, after saying how many; others stay', async () => {
  await using site = await openAdminSite()
  await suppressFor(site, 7, 4)
  await sql`insert into suppressions (email, class, reason, source, edition_id) values ('angry@example.com', 'complaint', 'complained', 'mail', 7)`.execute(
    site.db,
  )
  const browser = await site.signInAs('act')
  expect((await browser.get(`${PATH}?edition=7`)).text).toContain(`${PATH}/of-edition?edition=7`)
  const asked = plain((await browser.get(`${PATH}/of-edition?edition=7`)).text)
  expect(asked).toContain('4 addresses may be mailed again')
  expect(asked).toContain('2 because the address does not exist')
  const unsaid = await browser.post(`${PATH}/of-edition`, { edition: '7' })
  expect([unsaid.status, plain(unsaid.text)]).toEqual([422, expect.stringContaining('Say why')])
  expect(await actsOf(site)).toEqual([])
  const done = await browser.press(`${PATH}/of-edition`, { edition: '7', why: 'our relay was broken' })
  expect(plain(done.text)).toContain('4 addresses may be mailed again.')
  expect(addressesOf(done.text)).toEqual(['angry@example.com'])
  expect(await actsOf(site)).toMatchObject(
    Array(4).fill({ action: 'suppression.removed', detail: { why: 'our relay was broken' } }),
  )
})

test('the list goes on page by page without a gap, and shows servers’ words harmless', async () => {
  await using site = await openAdminSite()
  await suppressFor(site, 7, 120)
  const browser = await site.signInAs('look')
  const found: (string | undefined)[] = []
  for (let path: string | null = PATH; path !== null; ) {
    const { text }: { text: string } = await browser.get(path)
    expect(carriedOut(text)).toEqual([])
    found.push(...addressesOf(text))
    path = /href="([^"]+)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? null
  }
  expect([found.length, new Set(found).size]).toEqual([120, 120])
})
