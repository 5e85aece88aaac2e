/** Assets, robots.txt and health. */
import { expect, it } from 'vitest'
import { openTestSite } from '../support/servers/recording-site.ts'

it('styles, script and icon are cached for a year under the URL that pages link, and revalidated under any other', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/`)).text()
  for (const file of ['site.css', 'zone.js', 'icon.svg']) {
    const [address = ''] = page.match(new RegExp(`/${file}\\?v=[A-Za-z0-9_-]+`)) ?? []
    const versioned = await fetch(site.url + address)
    expect(versioned.status).toBe(200)
    expect(versioned.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const plain = await fetch(`${site.url}/${file}`)
    expect(plain.headers.get('cache-control')).toBe('no-cache')
    expect(await plain.text()).toBe(await versioned.text())
    const etag = plain.headers.get('etag') ?? ''
    expect((await fetch(`${site.url}/${file}`, { headers: { 'if-none-match': etag } })).status).toBe(304)
  }
  expect((await fetch(`${site.url}/site.css`)).headers.get('content-type')).toBe('text/css; charset=utf-8')
})

it('the process is alive by itself, and ready when its database responds', async () => {
  await using site = await openTestSite()
  expect([(await fetch(`${site.url}/healthz`)).status, (await fetch(`${site.url}/readyz`)).status]).toEqual([200, 200])
  const away = async () => {
    throw new Error('connect ECONNREFUSED for ada.canary@example.org')
  }
  await using broken = await openTestSite({ ready: away })
  const answer = await fetch(`${broken.url}/readyz`)
  expect([answer.status, await answer.json()]).toEqual([503, { status: 'not ready' }])
  expect((await fetch(`${broken.url}/healthz`)).status).toBe(200)
  expect(broken.log.join()).toContain('ECONNREFUSED')
  expect(broken.log.join()).not.toContain('canary')
})

it('crawlers are kept from personal pages and from searches, and are told of the sitemap', async () => {
  await using site = await openTestSite()
  const robots = await (await fetch(`${site.url}/robots.txt`)).text()
  const personal =
    'account address announcements confirm curate digests feeds/own feeds/saved follow join legacy less more never preferences proposals save undo unsubscribe vote'.split(
      ' ',
    )
  const closed = [...personal.map((path) => `/${path}/`), '/search', '/vote?'].sort().map((path) => `Disallow: ${path}`)
  expect(robots).toBe(['User-agent: *', ...closed, 'Sitemap: http://round.example.org/sitemap.xml', ''].join('\n'))
})
