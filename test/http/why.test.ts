/** “Why not this one?”: the page and the answer for programs. */
import { expect, it } from 'vitest'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/preferences/${TOKEN.preferences}/why`
const asked = (paper: string) => `${PATH}?${new URLSearchParams({ paper })}`

it('asks for a paper and answers with the reason, the scores and the change that would have brought it', async () => {
  await using site = await openTestSite()
  const blank = await (await fetch(site.url + PATH)).text()
  expect(blank).toContain('<h1>Why not this one?</h1>')
  expect(blank).not.toContain('id="answer"')
  const page = await (await fetch(site.url + asked('2604.11784'))).text()
  expect(page).toContain('A paper about &lt;b&gt;agents&lt;/b&gt;</h2>')
  expect(page).toContain('It does not fit anything you follow well enough.')
  expect(page).toContain('This decided for your digest of Tuesday 14 April 2026.')
  expect(page).toContain(
    '<th scope="row">Robotics &amp; embodied AI <span class="hint">yours; too low</span></th><td>0.31</td>',
  )
  expect(page).toContain(`href="/digests/${TOKEN.view}"`)
  expect(page).toMatch(/<button class="second">Follow [^<]+<\/button>/)
  expect(site.changes).toEqual([])
})

it('shows the settings with the change, which is not saved', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + asked('2604.11784'))).text()
  const [, form = ''] = /<form action="[^"]*\/look"(.*?)<\/form>/s.exec(page) ?? []
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [name, value],
  )
  expect(fields).toEqual([
    ['revision', 'revision'],
    ['topics', 'agents'],
    ['topics', 'robotics'],
    ['topics', 'vlm'],
  ])
  const looked = await fetch(`${site.url}/preferences/${TOKEN.preferences}/look`, {
    method: 'POST',
    body: new URLSearchParams(fields),
  })
  expect(await looked.text()).toContain('Not saved yet.')
  expect(site.asked).toMatchObject([{ topics: ['agents', 'robotics', 'vlm'] }])
  expect(site.changes).toEqual([])
})

it('says what is wrong with what was typed, of a dead link that it is dead, and of one who left that they did', async () => {
  await using site = await openTestSite()
  const wrong = await fetch(site.url + asked('agents'))
  expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('id="paper-error"')])
  expect((await fetch(`${site.url}/preferences/${TOKEN.unsubscribe}/why`)).status).toBe(404)
  expect(await (await fetch(`${site.url}/preferences/${TOKEN.left}/why`)).text()).toContain(
    'This address gets no digests',
  )
})

it('answers programs in JSON', async () => {
  await using site = await openTestSite()
  const read = async (paper: string) => {
    const answer = await fetch(site.url + asked(paper), { headers: { accept: 'application/json' } })
    return [answer.status, await answer.json()]
  }
  expect(await read('2604.11784')).toMatchObject([
    200,
    {
      verdict: { kind: 'off-topic', exact: true },
      change: { kind: 'follow', topic: 'vlm' },
      digest: `/digests/${TOKEN.view}`,
    },
  ])
  expect(await read('2604.99999')).toMatchObject([200, { verdict: { kind: 'unseen' }, change: null }])
  expect(await read('agents')).toMatchObject([400, { errors: [{ field: 'paper' }] }])
})
