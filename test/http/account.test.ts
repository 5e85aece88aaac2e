/** The account's pages: the address in clear by a fresh link alone, and one act each. */
import { expect, it } from 'vitest'
import { EMAIL, form, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/account/${TOKEN.account}`

it('asking for a link to the account gets the same answer always, and leads nowhere by a dead link', async () => {
  await using site = await openTestSite()
  const press = (token: string) =>
    fetch(`${site.url}/preferences/${token}/account`, { method: 'POST', redirect: 'manual' })
  const asked = await press(TOKEN.preferences)
  expect([asked.status, asked.headers.get('location')]).toEqual([303, '/account/sent'])
  expect((await press(TOKEN.left)).headers.get('location')).toBe('/account/sent')
  expect((await press(TOKEN.account)).status).toBe(404)
  expect(site.changes).toEqual([TOKEN.preferences, TOKEN.left, TOKEN.account].map((token) => ['requestLink', token]))
  expect(await (await fetch(`${site.url}/account/sent`)).text()).toContain('Check your inbox')
})

it('the account shows the address, and does nothing until something is pressed', async () => {
  await using site = await openTestSite()
  const answer = await fetch(site.url + PATH)
  const page = await answer.text()
  expect(answer.status).toBe(200)
  expect(page).toContain(EMAIL)
  expect(page).not.toContain('<script')
  expect(site.changes).toEqual([])
  const renewed = await (await fetch(`${site.url}${PATH}/renew`, { method: 'POST' })).text()
  expect(renewed).toContain('Your links are renewed')
  expect(site.changes).toEqual([['renewLinks', TOKEN.account]])
})

it('a link that was used says so, and offers a new one', async () => {
  await using site = await openTestSite()
  for (const [path, method] of [
    [`/account/${TOKEN.usedAccount}`, 'GET'],
    [`/account/${TOKEN.usedAccount}/renew`, 'POST'],
  ] as const) {
    const answer = await fetch(site.url + path, { method })
    const page = await answer.text()
    expect([answer.status, page]).toEqual([404, expect.stringContaining('It has been used, or has expired.')])
    expect(page).toContain('action="/links"')
  }
  expect(await (await fetch(`${site.url}/account/cut`)).text()).not.toContain('It has been used')
})

it('the data is shown as a page with a file, and as JSON', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}${PATH}/data`, { method: 'POST' })).text()
  expect(page).toContain('1 digest')
  expect(page).not.toContain('</pre><b>')
  const [, base64 = ''] = /href="data:application\/json;base64,([^"]+)" download=/.exec(page) ?? []
  const json = await fetch(`${site.url}${PATH}/data`, { method: 'POST', headers: { accept: 'application/json' } })
  const data = await json.json()
  expect(data).toMatchObject({ subscriber: { email: EMAIL }, digests: [{ date: '2026-04-15' }] })
  expect(JSON.parse(Buffer.from(base64, 'base64').toString())).toEqual(data)
  expect(site.changes).toEqual([
    ['takeData', TOKEN.account],
    ['takeData', TOKEN.account],
  ])
})

it('everything is deleted by two presses, and by none alone', async () => {
  await using site = await openTestSite()
  const press = (body: Record<string, string>) =>
    fetch(`${site.url}${PATH}/erase`, { method: 'POST', body: form(body) })
  const unsure = await press({})
  expect([unsure.status, await unsure.text()]).toEqual([400, expect.stringContaining('Nothing has been deleted.')])
  expect(site.changes).toEqual([])
  expect(await (await press({ sure: 'yes' })).text()).toContain('Your data is deleted')
  expect(site.changes).toEqual([['erase', TOKEN.account]])
})

it('another address is asked for by one press, a mistyped one is refused, and the answer tells nothing', async () => {
  await using site = await openTestSite()
  const press = (email: string) =>
    fetch(`${site.url}${PATH}/address`, { method: 'POST', body: form({ email }), redirect: 'manual' })
  const refused = await press('ada@')
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('id="email-error"')])
  expect(site.changes).toEqual([])
  const asked = await press('countess@example.net')
  expect([asked.status, asked.headers.get('location')]).toEqual([303, '/account/address-sent'])
  expect(site.changes).toEqual([['changeAddress', TOKEN.account, 'countess@example.net']])
})

it('the new address confirms by a press, and the old one undoes by a press; no page shows either in clear', async () => {
  await using site = await openTestSite()
  const open = async (path: string, method = 'GET') => (await fetch(site.url + path, { method })).text()
  const asked = await open(`/address/${TOKEN.address}`)
  expect(asked).toContain('<button class="great">Confirm</button>')
  expect(asked).toContain('By confirming you ask Paper Round')
  expect(await open(`/undo/${TOKEN.undo}`)).toContain('<button class="great">Undo</button>')
  expect(site.changes).toEqual([])
  const moved = await open(`/address/${TOKEN.address}`, 'POST')
  expect(moved).toContain('<h1>Address changed</h1>')
  const undone = await open(`/undo/${TOKEN.undo}`, 'POST')
  expect(undone).toContain('<h1>Undone</h1>')
  expect(asked + moved + undone).not.toContain(EMAIL)
  expect(site.changes).toEqual([
    ['confirmAddressChange', TOKEN.address],
    ['undoAddressChange', TOKEN.undo],
  ])
  expect(await open(`/undo/${TOKEN.usedAccount}`)).toContain('It has been used, or has expired.')
})

it('somebody who unsubscribed can ask for a link to their account, too', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/preferences/${TOKEN.left}`)).text()
  expect(page).toContain('You’re not subscribed')
  expect(page).toContain(`action="/preferences/${TOKEN.left}/account"`)
})
