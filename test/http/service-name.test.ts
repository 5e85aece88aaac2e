/** A name of one's own: it stands wherever a reader looks, escaped, and the built-in one nowhere (pages: see html-validity). */
import { expect, test } from 'vitest'
import { checkOneClick } from '../../src/core/checkup/site.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

const NAME = 'Lab Letters & Co <x>'
const ESCAPED = 'Lab Letters &amp; Co &lt;x&gt;'
const BUILT_IN = /paper round/i

test('feeds, the API’s document, the icon and the HTML for other sites have it', async () => {
  await using site = await openTestSite({ serviceName: NAME })
  const read = async (path: string) => (await fetch(site.url + path)).text()
  const [atom, json, openapi, embed, home] = await Promise.all([
    read('/feeds/all.atom'),
    read('/feeds/all.json'),
    read('/api/v1/openapi.json'),
    read('/embed?topics=agents'),
    read('/'),
  ])
  expect(atom).toContain(`<title type="text">All papers · ${ESCAPED}</title>`)
  expect(atom).toContain(`<author><name>${ESCAPED}</name></author>`)
  expect(JSON.parse(json)).toMatchObject({ title: `All papers · ${NAME}`, authors: [{ name: NAME }] })
  expect(JSON.parse(openapi).info.title).toBe(NAME)
  // The page shows HTML whose text is the name.
  expect(embed).toContain(ESCAPED.replaceAll('&', '&amp;'))
  expect(home).toContain(`<meta property="og:site_name" content="${ESCAPED}">`)
  expect(home).toContain(`<meta property="og:title" content="${ESCAPED}: trending papers in your inbox">`)
  const icon = await read(/href="(\/icon\.svg\?v=[^"]+)"/.exec(home)?.[1] ?? '')
  expect(icon).toContain(`<title>${ESCAPED}</title>`)
  for (const text of [atom, json, openapi, embed, home, icon]) expect(text).not.toMatch(BUILT_IN)
})

test('doctor knows the page of a dead link by what it says, whatever the service is called', async () => {
  await using site = await openTestSite({ serviceName: NAME })
  const answer = await fetch(`${site.url}/unsubscribe/${'A'.repeat(43)}`, {
    method: 'POST',
    body: 'List-Unsubscribe=One-Click',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const response = {
    failed: null,
    status: answer.status,
    headers: {},
    body: await answer.text(),
    certificateUntil: null,
  }
  expect(checkOneClick(response)).toMatchObject({ status: 'ok', found: 'a POST with an unknown token is answered 404' })
})
