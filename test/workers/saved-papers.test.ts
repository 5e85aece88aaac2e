/** Saving papers by the links of digests, over HTTP on Postgres: each once, and nothing by opening a page. */
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { raiseEpoch } from '../../src/store/subscribers.ts'
import { dumpTables, type MailedSite, openMailedSite } from '../support/fixtures/mailed-site.ts'
import { eraseFrom, KEYS } from '../support/fixtures/newsletter.ts'
import { paperLinksOf } from '../support/fixtures/paper-links.ts'
import { DUE } from '../support/fixtures/sending-newsletter.ts'

let mailed: MailedSite
beforeAll(async () => {
  mailed = await openMailedSite()
  await mailed.send()
}, 60_000)
afterAll(() => mailed?.[Symbol.asyncDispose]())

const { linkOf, press, another } = paperLinksOf('save', () => mailed)
const saved = () => mailed.db.selectFrom('saved_papers').selectAll().orderBy('at').execute()
const forget = () => mailed.db.deleteFrom('saved_papers').execute()

/** Papers of the list beside those of the digest, by id. */
const addPapers = async (count: number): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    with p as (insert into papers (id, revision, source, list_day, first_seen_at, eligible_at)
        select '2101.' || lpad(n::text, 5, '0'), 1, source, list_day, first_seen_at, eligible_at
        from papers, generate_series(1, ${count}::int) n where id = ${linkOf().paper} on conflict do nothing returning id),
      t as (insert into paper_texts (paper_id, revision, title, abstract, authors, categories)
        select id, 1, 'A paper', '', '{}', '{}' from p),
      o as (insert into observations (paper_id, observed_at, hour_known) select id, ${DUE}, true from p)
    select id from p`.execute(mailed.db)
  return rows.map(({ id }) => id)
}

test('opening the link changes nothing; a press saves the paper with the day of its digest, once, and it can be taken back', async () => {
  const { path, paper } = linkOf()
  const before = await dumpTables(mailed)
  const page = await mailed.site.get(path)
  await fetch(mailed.url + path, { method: 'HEAD' })
  expect(await dumpTables(mailed)).toEqual(before)
  expect(page.text).toContain('Save this paper?')
  expect(page.html.match(/<button/g)).toHaveLength(1)

  expect((await mailed.site.post(path)).text).toContain('Saved')
  expect((await mailed.site.post(path)).text).toContain('Already in your reading list')
  const { local_date: date } = await mailed.db.selectFrom('deliveries').select('local_date').executeTakeFirstOrThrow()
  expect(await saved()).toMatchObject([{ paper_id: paper, at: DUE, read_at: null, digest_date: date }])
  // Whoever was forwarded the link learns nothing of its reader by opening it.
  expect((await mailed.site.get(path)).html).toBe(page.html)

  expect((await mailed.site.post(path, { undo: 'yes' })).text).toContain('Removed from your reading list')
  expect(await press(path, { undo: 'yes' })).toEqual({ status: 200, said: { status: 'none' } })
  expect(await saved()).toEqual([])
})

test('fifty presses at once save a paper once, and nobody else sees it', async () => {
  const { path, paper } = linkOf()
  const pages = ['/', `/papers/${paper}`, `/api/v1/papers/${paper}`]
  const before = await Promise.all(pages.map(async (page) => (await fetch(mailed.url + page)).text()))
  const answers = await Promise.all(Array.from({ length: 50 }, () => press(path)))
  expect(answers.map(({ said }) => said.status).sort()).toEqual([...Array.from({ length: 49 }, () => 'kept'), 'saved'])
  expect(await saved()).toHaveLength(1)
  expect(await Promise.all(pages.map(async (page) => (await fetch(mailed.url + page)).text()))).toEqual(before)
})

test('a browser that is remembered for voting saves on the site, from the page of a paper', async () => {
  await forget()
  const { path, token, paper } = linkOf()
  const html = await (await fetch(`${mailed.url}/papers/${paper}`)).text()
  const href = /<a href="([^"]*)"[^>]*>Vote or save<\/a>/.exec(html)?.[1] ?? ''
  const page = await fetch(mailed.url + href, { headers: { accept: 'text/html', cookie: `vote=${token}` } })
  expect(await page.text()).toContain(`<a href="${path}" rel="nofollow">Save</a>`)
  expect((await mailed.site.post(path)).text).toContain('Saved')
  expect(await saved()).toMatchObject([{ paper_id: paper }])
})

test('presses and an erasure at once leave nothing of who was erased', async () => {
  await forget()
  const leaver = await another('eve')
  const presses = Array.from({ length: 10 }, () => press(leaver.path))
  await eraseFrom(mailed.db, leaver.id)
  for (const { status } of await Promise.all(presses)) expect([200, 404]).toContain(status)
  expect(await press(leaver.path)).toMatchObject({ status: 404 })
  expect(await saved()).toEqual([])
})

test('a hidden or unknown paper is not saved, nor one of who has left, and a link that was replaced is dead', async () => {
  await forget()
  const { token, paper } = linkOf()
  await mailed.db.updateTable('papers').set({ hidden_at: DUE }).where('id', '=', paper).execute()
  for (const id of [paper, '2604.99999', 'a%00b', 'x'.repeat(101), "'%20or%201=1"])
    for (const fields of [{}, { undo: 'yes' }]) {
      const page = await mailed.site.post(`/save/${token}/${id}`, fields)
      expect([id, page.status, page.text]).toEqual([id, 404, expect.stringContaining('so it can’t be saved')])
    }
  await mailed.db.updateTable('papers').set({ hidden_at: null }).where('id', '=', paper).execute()

  const reader = await another('left')
  await mailed.db
    .updateTable('subscribers')
    .set({ state: 'unsubscribed', next_due_at: null })
    .where('id', '=', reader.id)
    .execute()
  expect((await press(reader.path)).status).toBe(409)
  expect((await mailed.site.get(reader.path)).status).toBe(200)
  await raiseEpoch(mailed.db, reader.id)
  for (const dead of [reader.token, deriveToken(KEYS, 'preferences', reader.id, 1), 'x'])
    expect((await mailed.site.post(`/save/${dead}/${paper}`)).status).toBe(404)
  expect(await saved()).toEqual([])
})

test('the 201st paper within a day and the 10,001st of a list are not saved, and say so', async () => {
  await forget()
  const reader = await another('keen')
  const papers = await addPapers(10_000)
  const save = (count: number, at: Date) =>
    sql`
    insert into saved_papers (subscriber_id, paper_id, at) select ${reader.id}, id, ${at}
    from unnest(${papers.slice(0, count)}::text[]) id on conflict do nothing`.execute(mailed.db)
  await save(200, DUE)
  const refused = await mailed.site.post(reader.path)
  expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('This one was not saved.')])
  // What is there already stays so.
  expect(await press(`/save/${reader.token}/${papers[0]}`)).toMatchObject({ status: 200, said: { status: 'kept' } })
  await forget()
  await save(10_000, new Date(DUE.getTime() - 86_400_000))
  const full = await mailed.site.post(reader.path)
  expect([full.status, full.text]).toEqual([409, expect.stringContaining('Your reading list is full')])
  await press(`/save/${reader.token}/${papers[0]}`, { undo: 'yes' })
  expect(await press(reader.path)).toMatchObject({ status: 200, said: { status: 'saved' } })
  await forget()
})
