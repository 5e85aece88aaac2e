/** The preferences page. */
import { expect, it } from 'vitest'
import { STANDARD } from '../../src/core/subscriber/preferences.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { EMAIL, form, openTestSite, STALE, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/preferences/${TOKEN.preferences}`
const CHOSEN = { topics: ['vlm'], frequency: 'weekly', hour: '21', weekday: '1', timezone: 'America/New_York' }

const post = (url: string, fields: Record<string, string | string[]>) =>
  fetch(url, { method: 'POST', body: form(fields) })

it('the page shows what is stored, and how to unsubscribe', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  expect(page).toContain(EMAIL)
  expect(page).toContain('on Thursday 16 April at 07:00 London time')
  expect(page).toContain('value="robotics" checked')
  expect(page).toContain('value="Europe/London" selected')
  expect(page).toContain(`href="/unsubscribe/${TOKEN.unsubscribe}"`)
  expect(page.match(/<script/g)).toHaveLength(1)
})

it('what trends and what is chosen stand first, and everything else is folded', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  const topics = [...page.matchAll(/name="topics" value="([^"]+)"/g)].map(([, slug]) => slug)
  expect(topics.slice(0, 3)).toEqual(['trending', 'agents', 'robotics'])
  expect(new Set(topics).size).toBe(topics.length)
  expect(topics).toHaveLength(DEFAULT_TOPICS.all.length + 1)
  expect(page.indexOf('<details')).toBeGreaterThan(page.indexOf('value="robotics" checked'))
  expect(page).not.toMatch(/<details[^>]* open/)
  expect(page).toContain('Daily at 07:00, London time; up to 10 papers')
})

it('an old page overwrites nothing newer: both are shown, and what was typed stays in the form', async () => {
  await using site = await openTestSite()
  const answer = await post(site.url + PATH, { ...CHOSEN, keywords: 'Lean 4', revision: STALE })
  const page = await answer.text()
  expect(answer.status).toBe(409)
  expect(page).toContain('Your settings were changed elsewhere since you opened this page. Nothing has been saved yet.')
  expect(page).toMatch(/<th scope="row">Topics<\/th><td>[^<]*Robotics[^<]*<\/td><td>[^<]*Vision[^<]*<\/td>/)
  expect(page).toContain('<th scope="row">Keywords</th><td>none</td><td>Lean 4</td>')
  expect(page).toContain('\nLean 4</textarea>')
  expect(page).toContain('value="vlm" checked')
  expect(page).toContain('name="revision" value="revision"')
  const json = { method: 'POST', body: JSON.stringify({ ...CHOSEN, revision: STALE }) }
  const problem = await fetch(site.url + PATH, { ...json, headers: { 'content-type': 'application/json' } })
  expect([problem.status, await problem.json()]).toEqual([409, expect.objectContaining({ title: 'Changed meanwhile' })])
  expect(site.changes).toEqual([])
  // A look at changes of an old page does not make it a new one.
  const looked = await (await post(`${site.url}${PATH}/look`, { ...CHOSEN, revision: STALE })).text()
  expect(looked).toContain(`name="revision" value="${STALE}"`)
})

it('a pause keeps what was changed in the form beside it, and saves none of it', async () => {
  await using site = await openTestSite()
  const sent = { ...CHOSEN, keywords: 'Lean 4', revision: 'revision' }
  const page = await (await post(`${site.url}${PATH}/pause`, { ...sent, until: '2026-05-15' })).text()
  expect(page).toContain('Digests paused. Your other changes are in the form, and not saved yet.')
  expect(page).toContain('\nLean 4</textarea>')
  expect(page).toContain('value="vlm" checked')
  const refused = await (await post(`${site.url}${PATH}/pause`, { ...sent, until: 'soon' })).text()
  expect(refused).toContain('id="until-error"')
  expect(refused).toContain('\nLean 4</textarea>')
  expect(site.changes).toEqual([['pause', TOKEN.preferences, '2026-05-15']])
})

it('a preview shows real papers and the day on which the next digest would come', async () => {
  await using site = await openTestSite()
  const page = await (await post(`${site.url}${PATH}/look`, CHOSEN)).text()
  expect(page).toContain('Your digest today, with these settings')
  expect(page).toContain('A paper about agents')
  expect(page).toContain('Your next digest would come on Saturday 18 April at 02:00 New York time.')
  expect(site.asked).toMatchObject([{ topics: ['vlm'], frequency: 'weekly' }])
  const json = { method: 'POST', body: form(CHOSEN), headers: { accept: 'application/json' } }
  expect(await (await fetch(`${site.url}${PATH}/look`, json)).json()).toEqual({
    status: 'not saved',
    change: 'From about 20 papers a week to 10, based on the last four weeks.',
    next: 'Your next digest would come on Saturday 18 April at 02:00 New York time.',
  })
  expect(site.asked).toHaveLength(1)
})

it('a change is saved and shown as saved', async () => {
  await using site = await openTestSite()
  const answer = await post(site.url + PATH, CHOSEN)
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('Settings saved.')])
  const stored = {
    ...STANDARD,
    topics: ['vlm'],
    frequency: 'weekly',
    hour: 21,
    weekday: 1,
    timeZone: 'America/New_York',
  }
  expect(site.changes).toEqual([['changePreferences', TOKEN.preferences, stored]])
})

it('a change with mistakes saves nothing and shows the error beside each field', async () => {
  await using site = await openTestSite()
  const answer = await post(site.url + PATH, { ...CHOSEN, topics: [], weekday: '8' })
  const page = await answer.text()
  expect(answer.status).toBe(400)
  expect(page).toContain('id="topics-error">Choose trending papers or at least one topic, or add a keyword or author.')
  expect(page).toContain('id="weekday-error">Choose a weekday')
  expect(page).toContain('value="21" selected')
  expect(site.changes).toEqual([])
})

it('a request in JSON gets JSON', async () => {
  await using site = await openTestSite()
  const send = (body: object) =>
    fetch(site.url + PATH, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  expect(await (await send(CHOSEN)).json()).toEqual({ status: 'saved' })
  expect(await (await send({})).json()).toMatchObject({ status: 400, errors: [{ field: 'topics' }] })
})

it('own terms and the setting for empty digests are shown, saved, and confirmed with what they change', async () => {
  await using site = await openTestSite()
  const before = await (await fetch(site.url + PATH)).text()
  expect(before).toContain('About 20 papers a week match, based on the last four weeks.')
  expect(before).toMatch(/value="skip" checked/)
  const own = { keywords: 'sheet music\r\nLean 4\r\n', authors: 'Grace Hopper', muted: 'survey', when_empty: 'send' }
  const page = await (await post(site.url + PATH, { ...CHOSEN, ...own })).text()
  expect(page).toContain('Settings saved. From about 20 papers a week to 40, based on the last four weeks.')
  expect(page).toContain('\nLean 4\nsheet music</textarea>')
  expect(page).toMatch(/value="send" checked/)
  expect(site.changes).toMatchObject([
    [
      'changePreferences',
      TOKEN.preferences,
      { keywords: ['Lean 4', 'sheet music'], authors: ['Grace Hopper'], muted: ['survey'], whenEmpty: 'send' },
    ],
  ])
})

it('what a change would do is shown without being saved, with the form as it was typed', async () => {
  await using site = await openTestSite()
  const answer = await post(`${site.url}${PATH}/look`, { ...CHOSEN, keywords: 'Lean 4' })
  const page = await answer.text()
  expect(answer.status).toBe(200)
  expect(page).toContain('Not saved yet. About 20 papers a week match, as before')
  expect(page).toContain('\nLean 4</textarea>')
  expect(page).toContain('value="vlm" checked')
  expect(page).not.toContain('value="robotics" checked')
  expect((await post(`${site.url}${PATH}/look`, { ...CHOSEN, topics: [] })).status).toBe(400)
  expect((await post(`${site.url}/preferences/${TOKEN.left}/look`, CHOSEN)).status).toBe(409)
  expect((await post(`${site.url}/preferences/cut/look`, CHOSEN)).status).toBe(404)
  expect(site.changes).toEqual([])
})

it('before any papers are held their number is not shown', async () => {
  await using site = await openTestSite({ held: false })
  expect(await (await fetch(site.url + PATH)).text()).not.toContain('papers a week')
  expect(await (await post(site.url + PATH, CHOSEN)).text()).toContain('Settings saved.</p>')
})

it('one entry too many is refused beside its field, and nothing typed is lost', async () => {
  await using site = await openTestSite()
  const authors = Array.from({ length: 21 }, (_, n) => `Grace Hopper ${n}`).join('\n')
  const answer = await post(site.url + PATH, { ...CHOSEN, authors, muted: 'survey' })
  const page = await answer.text()
  expect(answer.status).toBe(400)
  expect(page).toContain('id="authors-error">You have 21 authors, and the limit is 20. Remove 1.')
  expect(page).toContain('aria-describedby="authors-error authors-hint" aria-invalid="true"')
  expect(page).toContain(`${authors}</textarea>`)
  expect(page).toContain('survey</textarea>')
  expect(site.changes).toEqual([])
})

it('a pause runs to a date, can be ended, and is refused with a sentence', async () => {
  await using site = await openTestSite()
  const paused = await post(`${site.url}${PATH}/pause`, { until: '2026-05-15' })
  expect(await paused.text()).toContain('Paused until Friday 15 May 2026')
  const ended = await post(`${site.url}${PATH}/pause`, { end: 'yes' })
  expect(await ended.text()).toContain('Digests resumed.')
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

it('somebody who unsubscribed is shown that, and nothing is changed for them', async () => {
  await using site = await openTestSite()
  const page = await fetch(`${site.url}/preferences/${TOKEN.left}`)
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('You’re not subscribed')])
  expect((await post(`${site.url}/preferences/${TOKEN.left}`, CHOSEN)).status).toBe(409)
  expect((await post(`${site.url}/preferences/${TOKEN.left}/pause`, { until: '2026-05-15' })).status).toBe(409)
  expect(site.changes).toEqual([])
})

it('a followed name that stands for several authors is warned of, with how many papers a week it brings', async () => {
  await using site = await openTestSite()
  const warning =
    '“J. Wang” matches 3 authors, such as Jie Wang and Jun Wang: about 3 papers a week. To follow just one of them, write the first name in full.'
  const looked = await (await post(`${site.url}${PATH}/look`, { ...CHOSEN, authors: 'J. Wang' })).text()
  expect(looked).toContain(warning)
  expect(await (await post(`${site.url}${PATH}/look`, { ...CHOSEN, authors: 'Jie Wang' })).text()).not.toContain(
    'matches 3',
  )
  expect(await (await fetch(`${site.url}/preview?topics=vlm&authors=J.%20Wang`)).text()).toContain(warning)
})
