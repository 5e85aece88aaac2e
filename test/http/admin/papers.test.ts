/** Papers and curators on the admin pages. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { storeDay } from '../../support/fixtures/newsletter.ts'
import { storeCurators, storePapers } from '../../support/fixtures/operated-service.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

test('an operator finds a paper, hides it with a reason, and shows it again', async () => {
  await using site = await openAdminSite()
  await storeDay(site.db, '2026-04-14', ['robotics'])
  const { id } = await site.db.selectFrom('papers').select('id').orderBy('id').executeTakeFirstOrThrow()
  const browser = await site.signInAs('act')
  const found = await browser.get(`/admin/papers?q=${id}`)
  expect(found.text).toContain(`href="/admin/papers/${id}"`)
  const page = await browser.get(`/admin/papers/${id}`)
  expect(page.text).toContain('<h2 id="state">Shown to readers</h2>')
  expect(page.text).toMatch(/Robotics &amp; embodied AI<\/th><td class="figure">[01]\.\d\d<\/td><td>yes<\/td>/)
  const refused = await browser.post(`/admin/papers/${id}/hide`, { why: '' })
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('Say why: the record keeps it.')])
  const hidden = await browser.press(`/admin/papers/${id}/hide`, { why: 'Plagiarised <b>' })
  expect(hidden.text).toContain('The paper is hidden.')
  expect(hidden.text).toMatch(/Hidden by Operator act \d+ \(operator\) on .*: “Plagiarised &lt;b&gt;”/)
  expect((await browser.get('/admin/papers')).text).toContain('<b>hidden</b>')
  expect((await browser.press(`/admin/papers/${id}/show`)).text).toContain('The paper is shown again.')
  const acts = await site.db.selectFrom('audit_log').select(['action', 'by_whom', 'via']).orderBy('id').execute()
  expect(acts.slice(-2)).toEqual([
    { action: 'paper.hidden', by_whom: browser.name, via: 'admin' },
    { action: 'paper.shown', by_whom: browser.name, via: 'admin' },
  ])
})

test('somebody who may only look sees a paper without a button', async () => {
  await using site = await openAdminSite()
  await storeDay(site.db, '2026-04-14', ['robotics'])
  await storeCurators(site.db)
  const { id } = await site.db.selectFrom('papers').select('id').orderBy('id').executeTakeFirstOrThrow()
  const browser = await site.signInAs('look')
  for (const path of [`/admin/papers/${id}`, '/admin/curators'])
    expect([path, (await browser.get(path)).text.match(/<button[^>]*>[^<]*/g)]).toEqual([
      path,
      ['<button class="second">Sign out'],
    ])
})

test('an old arXiv id with a slash has its page', async () => {
  await using site = await openAdminSite()
  await storeDay(site.db, '2026-04-14', ['robotics'])
  const { id } = await site.db.selectFrom('papers').select('id').orderBy('id').executeTakeFirstOrThrow()
  await site.db.transaction().execute(async (trx) => {
    await sql`insert into papers (id, revision, source, list_day, first_seen_at, eligible_at)
      select 'cs/9901001', revision, source, list_day, first_seen_at, eligible_at from papers where id = ${id}`.execute(
      trx,
    )
    await sql`insert into paper_texts (paper_id, revision, title, abstract, authors, categories)
      select 'cs/9901001', revision, title, abstract, authors, categories from paper_texts where paper_id = ${id}`.execute(
      trx,
    )
  })
  const browser = await site.signInAs('act')
  expect((await browser.get('/admin/papers/cs%2F9901001')).status).toBe(200)
  expect((await browser.press('/admin/papers/cs%2F9901001/hide', { why: 'Old' })).text).toContain(
    'The paper is hidden.',
  )
})

test('curators are named and ended, their links renewed, and what they did is undone', async () => {
  await using site = await openAdminSite()
  await storePapers(site.db)
  await storeCurators(site.db)
  const browser = await site.signInAs('act')
  const page = await browser.get('/admin/curators')
  expect(page.text).toContain('Suggestions that wait (2)')
  expect(page.text).toContain('Former curators (1)')
  const refused = await browser.post('/admin/curators', { name: 'Emmy', address: 'grace@example.org' })
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('value="grace@example.org"')])
  const named = await browser.press('/admin/curators', { name: 'Emmy Noether', address: 'emmy@example.org' })
  expect(named.text).toContain('The link is on its way to Emmy Noether.')
  expect(site.wakes).toEqual(['letters'])
  const id = '00000000-0000-4000-8000-000000000001'
  expect((await browser.press(`/admin/curators/${id}/link`)).text).toContain('Older links are dead.')
  expect((await browser.press(`/admin/curators/${id}/end`)).text).toContain('Grace Hopper is no curator any more')
  expect((await browser.press(`/admin/curators/${id}/end`)).text).toContain('Nothing has changed')
  const [, undo = ''] = /action="(\/admin\/curators\/curations\/[^"]+\/undo)"/.exec(page.text) ?? []
  expect((await browser.press(undo)).text).toContain(`Undone by ${browser.name}`)
  const acts = await site.db
    .selectFrom('audit_log')
    .select('action')
    .where('by_whom', '=', browser.name)
    .orderBy('id')
    .execute()
  expect(acts.map(({ action }) => action)).toEqual([
    'curator.named',
    'curator.link-renewed',
    'curator.ended',
    'curation.undone',
  ])
})

test('what curators did is read on page by page', async () => {
  await using site = await openAdminSite()
  await storePapers(site.db)
  await storeCurators(site.db)
  await sql`insert into curations (curator_id, action, paper_id, list_day, at, undone_at, undone_by)
    select c.id, 'pin', '2604.00001', '2026-04-14', '2026-04-13'::timestamptz - n * interval '1 hour', '2026-04-14', c.id
    from generate_series(1, 60) n, (select id from curators where ended_at is null limit 1) c`.execute(site.db)
  const browser = await site.signInAs('look')
  const first = await browser.get('/admin/curators')
  const [, older = ''] = /href="(\/admin\/curators\?after=[^"]+)">Older/.exec(first.text) ?? []
  const second = await browser.get(older)
  expect([first, second].map(({ text }) => text.match(/ (?:pinned to|picked:|hid:)/g)?.length)).toEqual([50, 17])
  expect((await browser.get('/admin/curators?after=nonsense')).status).toBe(404)
})
