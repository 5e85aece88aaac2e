/** The privacy page: the operator's own facts and numbers, linked from everywhere, and no tracking on any page. */
import { expect, test } from 'vitest'
import { confirmedWording, REQUESTED } from '../../src/core/subscriber/consent.ts'
import { openTestSite, PRIVACY, TOKEN } from '../support/servers/recording-site.ts'

const textOf = (html: string) => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
const get = async (url: string) => (await fetch(url)).text()

test('says who runs the service, where to write, and for how long each thing is kept by the settings', async () => {
  await using site = await openTestSite()
  const response = await fetch(`${site.url}/privacy`)
  expect([response.status, response.headers.get('x-robots-tag')]).toEqual([200, null])
  const text = textOf(await response.text())
  expect(text).toContain(`${PRIVACY.operator}, ${PRIVACY.postalAddress}.`)
  expect(text).toContain(PRIVACY.contact)
  for (const days of ['9 days', '31 days', '2 years', '61 days', '100 days to 131 days']) expect(text).toContain(days)
})

test('is linked from the foot of every page and from the form', async () => {
  await using site = await openTestSite()
  for (const path of ['/', '/about', '/links', '/check-inbox', '/nowhere', `/confirm/${TOKEN.confirm}`]) {
    const page = await get(site.url + path)
    expect(page.slice(page.indexOf('<footer')), path).toContain('href="/privacy"')
  }
  const home = await get(site.url)
  expect(home.slice(home.indexOf('<form'), home.indexOf('</form>'))).toContain('href="/privacy"')
})

test('what the record of consent holds as shown is on the form and on the page that confirms, word for word', async () => {
  await using site = await openTestSite()
  const refused = await fetch(`${site.url}/subscribe`, { method: 'POST', body: new URLSearchParams({ email: 'x' }) })
  for (const page of [await get(site.url), await refused.text()]) expect(textOf(page)).toContain(REQUESTED.text)
  expect(textOf(await get(`${site.url}/confirm/${TOKEN.confirm}`))).toContain(confirmedWording('Paper Round').text)
})

test('a sentence that readers agreed to is not changed under its old version', () => {
  const shown = [REQUESTED, confirmedWording('Paper Round')]
  expect(shown.map(({ version, hash }) => `${version} ${hash.toString('hex').slice(0, 16)}`)).toEqual([
    'subscribe-1 6525b86fad827e59',
    'confirm-2 edf4c647b61b5269',
  ])
})
