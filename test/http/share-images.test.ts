/** What a page tells other sites of itself, and the picture that it names. */
import { describe, expect, it, test } from 'vitest'
import { keepImages } from '../../src/http/share-images.ts'
import { card, openTestSite, type TestSite } from '../support/servers/recording-site.ts'

const BASE = 'https://round.example.org'
const metaOf = (page: string): Map<string, string> =>
  new Map(
    [...page.matchAll(/<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">/g)].map(
      ([, name = '', content = '']) => [name, content],
    ),
  )
const metaAt = async (site: TestSite, path: string) => metaOf(await (await fetch(site.url + path)).text())

describe('a page that is shared', () => {
  it.each([
    ['/', 'Paper Round: trending papers in your inbox', 'website', '/share.png'],
    ['/papers/2604.11784', 'A paper about agents', 'article', '/papers/2604.11784.png'],
    ['/papers/2026-04-15', 'Papers of Wednesday 15 April 2026', 'website', '/papers/2026-04-15.png'],
    ['/topics/agents', 'LLM agents &amp; tool use: the week’s best papers', 'website', '/topics/agents.png'],
  ])('%s says its title, and names a picture that there is', async (path, title, type, image) => {
    await using site = await openTestSite({ baseUrl: BASE })
    const meta = await metaAt(site, path)
    expect(Object.fromEntries(meta)).toMatchObject({
      'og:site_name': 'Paper Round',
      'og:title': title,
      'og:type': type,
      'og:url': BASE + path,
      'og:image': BASE + image,
      'og:image:width': '1200',
      'og:image:height': '630',
      'og:image:alt': title,
      'twitter:card': 'summary_large_image',
    })
    expect(meta.get('og:description')?.length).toBeGreaterThan(10)
    const answer = await fetch(site.url + image)
    const png = Buffer.from(await answer.arrayBuffer())
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1200, 630])
    expect(answer.headers.get('cache-control')).toBe('public, max-age=3600')
    const again = await fetch(site.url + image, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  it('escapes whatever its title holds, and tells nothing of pages with a token', async () => {
    const title = '"><script>alert(1)</script> & \u{1f917}'
    await using site = await openTestSite({ baseUrl: BASE, cards: [card({ title })] })
    const page = await (await fetch(`${site.url}/papers/2604.11784`)).text()
    expect(page).not.toContain('<script>')
    expect(metaOf(page).get('og:title')).toBe('&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; \u{1f917}')
    expect((await fetch(`${site.url}/papers/2604.11784.png`)).status).toBe(200)
    for (const path of ['/check-inbox', '/preview', '/nowhere'])
      expect([path, (await metaAt(site, path)).size]).toEqual([path, 0])
  })

  it.each([
    ['/papers/2604.99999.png', 'No such paper'],
    ['/papers/hep-ex/0307015.png', 'No such paper'],
    ['/papers/a%00b.png', 'No such paper'],
    ['/papers/2026-04-12.png', 'There is no list at weekends.'],
    ['/papers/2031-01-01.png', 'That day has not come yet.'],
    ['/topics/alchemy.png', 'No such topic'],
  ])('%s is answered in words with 404', async (path, words) => {
    await using site = await openTestSite()
    const answer = await fetch(site.url + path)
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining(words)])
  })
})

describe('pictures', () => {
  const named = (title: string) => ({ title, text: '', note: '' })

  test('are drawn one at a time, and each once, however many ask for it', async () => {
    const events: string[] = []
    const draw = keepImages(async ({ title }) => {
      events.push(`${title} begins`)
      await Promise.resolve()
      events.push(`${title} ends`)
      return Buffer.from(title)
    })
    const images = await Promise.all(['a', 'b', 'a', 'b', 'a'].map((title) => draw(named(title))))
    expect(images.map(String)).toEqual(['a', 'b', 'a', 'b', 'a'])
    await draw(named('a'))
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  test('are refused while too many wait, and one that failed is drawn anew', async () => {
    let fails = true
    const draw = keepImages(async ({ title }) => {
      if (fails) throw new Error(title)
      return Buffer.from(title)
    })
    const asked = Array.from({ length: 100 }, (_, n) => draw(named(String(n))))
    expect(asked.filter((image) => image === null).length).toBe(60)
    expect((await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected').length).toBe(40)
    fails = false
    expect(String(await draw(named('0')))).toBe('0')
  })
})
