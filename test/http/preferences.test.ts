import { expect, it } from 'vitest'
import { EMAIL, form, openTestSite, TOKEN } from '../support/site.ts'

const PATH = `/preferences/${TOKEN.preferences}`
const CHOSEN = { topics: ['vlm'], frequency: 'weekly', hour: '21', weekday: '1', timezone: 'America/New_York' }

const post = (url: string, fields: Record<string, string | string[]>) =>
  fetch(url, { method: 'POST', body: form(fields) })

it('the page shows what is stored, and the way out', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  expect(page).toContain(EMAIL)
  expect(page).toContain('Thursday, 16 April at 07:00 in London')
  expect(page).toContain('value="robotics" checked')
  expect(page).toContain('value="Europe/London" selected')
  expect(page).toContain(`href="/unsubscribe/${TOKEN.unsubscribe}"`)
  expect(page).not.toContain('<script')
})

it('a change is saved and shown as saved', async () => {
  await using site = await openTestSite()
  const answer = await post(site.url + PATH, CHOSEN)
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('Your preferences are saved.')])
  const stored = { topics: ['vlm'], frequency: 'weekly', hour: 21, weekday: 1, timeZone: 'America/New_York' }
  expect(site.changes).toEqual([['changePreferences', TOKEN.preferences, stored]])
})

it('a change with mistakes saves nothing and says what is wrong beside each field', async () => {
  await using site = await openTestSite()
  const answer = await post(site.url + PATH, { ...CHOSEN, topics: [], weekday: '8' })
  const page = await answer.text()
  expect(answer.status).toBe(400)
  expect(page).toContain('id="topics-error">Choose at least one topic.')
  expect(page).toContain('id="weekday-error">Choose a weekday')
  expect(page).toContain('value="21" selected')
  expect(site.changes).toEqual([])
})

it('JSON is answered in JSON', async () => {
  await using site = await openTestSite()
  const send = (body: object) =>
    fetch(site.url + PATH, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  expect(await (await send(CHOSEN)).json()).toEqual({ status: 'saved' })
  expect(await (await send({})).json()).toMatchObject({ status: 400, errors: [{ field: 'topics' }, {}, {}] })
})

it('a pause runs to a date, can be ended, and is refused in words', async () => {
  await using site = await openTestSite()
  const paused = await post(`${site.url}${PATH}/pause`, { until: '2026-05-15' })
  expect(await paused.text()).toContain('Paused until Friday, 15 May 2026')
  const ended = await post(`${site.url}${PATH}/pause`, { end: 'yes' })
  expect(await ended.text()).toContain('The pause is over.')
  expect(site.changes).toEqual([
    ['pause', TOKEN.preferences, '2026-05-15'],
    ['pause', TOKEN.preferences, null],
  ])
  for (const until of ['2026-04-15', '2028-01-01', 'soon', '']) {
    const refused = await post(`${site.url}${PATH}/pause`, { until })
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('id="until-error"')])
  }
  expect(site.changes).toHaveLength(2)
})

it('somebody who left is told so, and nothing is changed for them', async () => {
  await using site = await openTestSite()
  const page = await fetch(`${site.url}/preferences/${TOKEN.left}`)
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('You are not subscribed.')])
  expect((await post(`${site.url}/preferences/${TOKEN.left}`, CHOSEN)).status).toBe(409)
  expect((await post(`${site.url}/preferences/${TOKEN.left}/pause`, { until: '2026-05-15' })).status).toBe(409)
  expect(site.changes).toEqual([])
})
