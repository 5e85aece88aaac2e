/** What a change of settings would have done: the page and the answer for programs. */
import { expect, it } from 'vitest'
import { form, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/preferences/${TOKEN.preferences}/compare`
const CHOSEN = { topics: ['agents', 'robotics', 'vlm'], keywords: 'Lean 4', revision: 'revision' }

it('shows what the settings brought, and of a change what it would have brought beside it', async () => {
  await using site = await openTestSite()
  const own = await (await fetch(site.url + PATH)).text()
  expect(own).toContain('<h1>Your last 30 days</h1>')
  expect(own).toContain('This is of 3 days, 13 to 15 April 2026: we hold no papers from before.')
  expect(own).toContain('<tr><th scope="row">Papers</th><td>6</td></tr>')
  const change = await (await fetch(site.url + PATH, { method: 'POST', body: form(CHOSEN) })).text()
  expect(change).toContain('<tr><th scope="row">Papers</th><td>6</td><td>9</td></tr>')
  expect(change).toContain('<tr><th scope="row">Papers a day</th><td>2.0</td><td>3.0</td></tr>')
  expect(change).toContain('<tr><th scope="row">Keywords</th><td>none</td><td>Lean 4</td></tr>')
  expect(change).toContain('12 papers gained')
  expect(change).toContain('A paper about &lt;b&gt;agents&lt;/b&gt;')
  expect(change).toContain('And 11 more.')
  expect(change).toContain('No papers lost')
  expect(site.changes).toEqual([])
})

it('carries the change on to be saved, or back to the form', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH, { method: 'POST', body: form(CHOSEN) })).text()
  const fields = [...page.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [name, value],
  )
  const saved = await fetch(`${site.url}/preferences/${TOKEN.preferences}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
  })
  expect(await saved.text()).toContain('Settings saved.')
  expect(site.changes).toMatchObject([
    ['changePreferences', TOKEN.preferences, { topics: ['agents', 'robotics', 'vlm'], keywords: ['Lean 4'] }],
  ])
})

it('says so where the form has what is saved, where it has mistakes, and where the link is dead or its owner left', async () => {
  await using site = await openTestSite()
  const post = (body: Record<string, string | string[]>, token: string = TOKEN.preferences) =>
    fetch(`${site.url}/preferences/${token}/compare`, { method: 'POST', body: form(body) })
  const same = await (await post({ topics: ['agents', 'robotics'] })).text()
  expect(same).toContain('The form has the settings that are saved.')
  expect(same).not.toContain('gained')
  const wrong = await post({ topics: 'alchemy' })
  expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('id="topics-error"')])
  expect((await post(CHOSEN, TOKEN.unsubscribe)).status).toBe(404)
  expect((await post(CHOSEN, TOKEN.left)).status).toBe(409)
})

it('answers programs in JSON', async () => {
  await using site = await openTestSite()
  const json = { 'content-type': 'application/json' }
  const answer = await fetch(site.url + PATH, { method: 'POST', headers: json, body: JSON.stringify(CHOSEN) })
  expect(await answer.json()).toMatchObject({
    days: 3,
    stored: { papers: 6 },
    typed: { papers: 9 },
    gained: { count: 12 },
  })
})
