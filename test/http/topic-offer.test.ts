/** The link by which a digest offers a topic. */
import { expect, it } from 'vitest'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/follow/${TOKEN.preferences}/recsys`

it('opens a page with one button and changes nothing; the button follows the topic, and another undoes that', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  expect(page).toContain('<h1>Follow Recommender systems &amp; ads?</h1>')
  expect(page.match(/<button/g)).toHaveLength(1)
  expect(page).toContain('Was this forwarded to you? <a href="/#email">Have your own</a>')
  await fetch(site.url + PATH, { method: 'HEAD' })
  expect(site.changes).toEqual([])

  const followed = await (await fetch(site.url + PATH, { method: 'POST' })).text()
  expect(followed).toContain('<h1>You follow Recommender systems &amp; ads</h1>')
  expect(followed).toContain('name="undo" value="yes">Undo</button>')
  const undone = await fetch(site.url + PATH, { method: 'POST', body: new URLSearchParams({ undo: 'yes' }) })
  expect(await undone.text()).toContain('You don’t follow Recommender systems &amp; ads any more')
  expect(site.changes).toEqual([
    ['followTopic', TOKEN.preferences, 'recsys', true],
    ['followTopic', TOKEN.preferences, 'recsys', false],
  ])
})

it('shows a topic that is followed as such, and offers to stop', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/follow/${TOKEN.preferences}/robotics`)).text()
  expect(page).toContain('<h1>You follow Robotics &amp; embodied AI</h1>')
  expect(page).toContain('Stop following</button>')
})

it('of an unknown topic or a dead token is not found, and whoever has left is told so', async () => {
  await using site = await openTestSite()
  for (const method of ['GET', 'POST'])
    for (const path of [
      `/follow/${TOKEN.preferences}/nothing`,
      `/follow/${TOKEN.unsubscribe}/recsys`,
      '/follow/x/recsys',
    ])
      expect((await fetch(site.url + path, { method })).status).toBe(404)
  expect(await (await fetch(`${site.url}/follow/${TOKEN.left}/recsys`)).text()).toContain('You’re not subscribed')
  expect(site.changes).toEqual([])
})
