/** The link by which a digest proposes a setting. */
import { expect, it } from 'vitest'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/proposals/${TOKEN.preferences}/12`
const press = (url: string, body: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(body) })

it('opens a page that changes nothing; one button accepts, one declines for good, and each answer is undone', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  expect(page).toContain('<h1>Add “masked diffusion” as a keyword?</h1>')
  expect(page).toContain('You asked for more about masked diffusion five times.')
  expect(page).toContain('<button class="great">Add keyword</button>')
  expect(page).toContain('Don’t propose this again</button>')
  await fetch(site.url + PATH, { method: 'HEAD' })
  expect(site.changes).toEqual([])

  const accepted = await (await press(site.url + PATH)).text()
  expect(accepted).toContain('<h1>“masked diffusion” is one of your keywords</h1>')
  expect(accepted).toContain('name="undo" value="yes">Undo</button>')
  expect(await (await press(site.url + PATH, { undo: 'yes' })).text()).toContain('Add keyword</button>')
  expect(await (await press(site.url + PATH, { decline: 'yes' })).text()).toContain('We won’t propose this again.')
  expect(site.changes).toEqual([
    ['acceptProposal', TOKEN.preferences, 12],
    ['undoProposal', TOKEN.preferences, 12],
    ['declineProposal', TOKEN.preferences, 12],
  ])
})

it('says why it cannot be added, offers no button for it then, and tells programs the same', async () => {
  for (const [proposal, sentence] of [
    ['full', 'You have 20 keywords, and the limit is 20.'],
    ['present', 'It is in your settings already'],
    ['cannot', 'It can’t be added'],
  ] as const) {
    await using site = await openTestSite({ proposal })
    const page = await fetch(site.url + PATH)
    expect(page.status).toBe(200)
    const html = await page.text()
    expect(html).toContain(sentence)
    expect(html).not.toContain('class="great"')
  }
  await using site = await openTestSite()
  const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
  expect(await (await fetch(site.url + PATH, json)).json()).toEqual({
    status: 'accepted',
    kind: 'keyword',
    value: 'masked diffusion',
    label: 'masked diffusion',
    presses: 5,
  })
})

it('of another number, another reader or a dead token is not found, and whoever has left is told so', async () => {
  await using site = await openTestSite()
  for (const method of ['GET', 'POST'])
    for (const path of [
      `/proposals/${TOKEN.preferences}/13`,
      `/proposals/${TOKEN.preferences}/x`,
      `/proposals/${TOKEN.preferences}/${'9'.repeat(40)}`,
      `/proposals/${TOKEN.vote}/12`,
      '/proposals/x/12',
    ])
      expect((await fetch(site.url + path, { method })).status, path).toBe(404)
  const left = `${site.url}/proposals/${TOKEN.left}/12`
  expect(await (await fetch(left)).text()).toContain('This address gets no digests')
  expect((await press(left)).status).toBe(409)
})
