/** What an installation sets for itself, wherever a reader looks; that every page has its name is told by html-validity. */
import { describe, expect, test } from 'vitest'
import { UNBRANDED } from '../../src/core/branding/branding.ts'
import { checkOneClick } from '../../src/core/checkup/site.ts'
import { BRANDED, logoOf, MARK, WORDMARK } from '../support/fixtures/branded.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

const ESCAPED = 'Lab Letters &amp; Co &lt;x&gt;'
const BUILT_IN = /paper round/i

const openBranded = async (branding = BRANDED) => {
  const site = await openTestSite({ branding, contact: 'lab@example.org' })
  const get = (path: string) => fetch(site.url + path)
  return { ...site, get, read: async (path: string) => (await get(path)).text() }
}

test('feeds, the API’s document, the icon and the HTML for other sites have the name', async () => {
  await using site = await openBranded()
  const [atom, json, openapi, embed, home, icon] = await Promise.all(
    ['/feeds/all.atom', '/feeds/all.json', '/api/v1/openapi.json', '/embed?topics=agents', '/', '/icon.svg'].map(
      site.read,
    ),
  )
  expect(atom).toContain(`<title type="text">All papers · ${ESCAPED}</title>`)
  expect(atom).toContain(`<author><name>${ESCAPED}</name></author>`)
  expect(JSON.parse(json ?? '')).toMatchObject({
    title: `All papers · ${BRANDED.name}`,
    authors: [{ name: BRANDED.name }],
  })
  expect(JSON.parse(openapi ?? '').info.title).toBe(BRANDED.name)
  // The page shows HTML whose text is the name.
  expect(embed).toContain(ESCAPED.replaceAll('&', '&amp;'))
  expect(home).toContain(`<meta property="og:site_name" content="${ESCAPED}">`)
  expect(home).toContain(`<meta property="og:title" content="${ESCAPED}: trending papers in your inbox">`)
  expect(icon).toContain(`<title>${ESCAPED}</title>`)
  for (const text of [atom, json, openapi, embed, home, icon]) expect(text).not.toMatch(BUILT_IN)
})

test('doctor knows the page of a dead link by what it says, whatever the service is called', async () => {
  await using site = await openBranded()
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

describe('the logo', () => {
  test('stands before the name, is what a tab shows, and may be kept for ever at its address', async () => {
    await using site = await openBranded()
    const home = await site.read('/')
    const [, src = '', width, height] =
      /<img src="(\/logo\.svg\?v=[\w-]+)" width="(\d+)" height="(\d+)" alt=""> Lab/.exec(home) ?? []
    expect([width, height]).toEqual(['43', '36'])
    expect(home).toContain(`<link rel="icon" href="${src}" type="image/svg+xml">`)
    const answer = await site.get(src)
    expect(await answer.text()).toBe(MARK)
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    // Opened by itself it still does nothing.
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'; sandbox/,
    )
  })

  test('that is wide is taken for one that holds the name, which a screen reader then hears once', async () => {
    await using site = await openBranded({ ...BRANDED, logo: logoOf(WORDMARK) })
    const home = await site.read('/')
    const [brand = ''] = /<a class="brand"[\s\S]*?<\/a>/.exec(home) ?? []
    expect(brand).toContain(`width="180" height="36" alt="${ESCAPED}"`)
    expect(brand.split('Lab Letters')).toHaveLength(2)
    expect(home).toContain('<link rel="icon" href="/icon.svg')
  })

  test('is there for emails as a PNG; an email of before, with another address, gets the logo of today', async () => {
    await using site = await openBranded()
    for (const path of ['/email-logo.png', '/email-logo.png?v=of-last-year']) {
      const answer = await site.get(path)
      expect(answer.headers.get('content-type')).toBe('image/png')
      expect(answer.headers.get('cache-control')).toBe('no-cache')
      const png = Buffer.from(await answer.arrayBuffer())
      // Twice the 48 × 40 pixels that it takes.
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([96, 80])
    }
  })
})

test('every page links to the imprint and to the address to write to, and has the words of the foot', async () => {
  await using site = await openBranded()
  for (const path of ['/', '/privacy', '/imprint', '/nowhere', '/search?q=-']) {
    const page = await site.read(path)
    const [foot = ''] = /<footer[\s\S]*<\/footer>/.exec(page) ?? []
    expect(foot).toContain(
      '<a href="/imprint">Imprint</a> <a href="mailto:lab@example.org">Contact</a> <a href="/privacy">',
    )
    expect(foot).toContain('A service of the <a href="https://lab.example.org/">Lab of Letters</a>')
    expect(foot).toContain('R&amp;D &lt;1&gt;')
  }
  const imprint = await site.get('/imprint')
  expect(imprint.headers.get('x-robots-tag')).toBeNull()
  expect(await imprint.text()).toContain('<p>Court of registration: Example, HRB 1</p>')
  const privacy = await site.read('/privacy')
  expect(privacy).toContain('<h2>Our host</h2>')
  expect(privacy).toContain('<a href="/about">how papers are chosen</a>')
})

test('without any of it there is no imprint, no contact and no logo, and the name is the built-in one', async () => {
  await using site = await openTestSite({ branding: UNBRANDED })
  const home = await (await fetch(site.url)).text()
  expect(home).not.toMatch(/<img|imprint|mailto:/i)
  expect(home).toContain('Paper Round is open source.')
  for (const path of ['/imprint', '/logo.svg', '/email-logo.png'])
    expect((await fetch(site.url + path)).status).toBe(404)
})

test('the accent colours links, buttons and the mark of the stylesheet, in both schemes', async () => {
  await using site = await openBranded()
  await using plain = await openTestSite()
  const [own, builtIn] = await Promise.all([site.read('/site.css'), (await fetch(`${plain.url}/site.css`)).text()])
  const { light, dark } = BRANDED.accent ?? { light: null, dark: null }
  expect(own.match(/--act: #\w+/g)).toEqual([`--act: ${light?.act}`, `--act: ${dark?.act}`, '--act: #000'])
  expect(own.match(/--wash: #\w+/g)).toEqual([`--wash: ${light?.wash}`, `--wash: ${dark?.wash}`, '--wash: #fff'])
  expect(own).toContain('fill: var(--act);\n  stroke: var(--act);')
  // Nothing else differs.
  const lines = (css: string) => css.split('\n')
  const changed = lines(own).filter((line, at) => line !== lines(builtIn)[at])
  expect(changed).toHaveLength(6)
})
