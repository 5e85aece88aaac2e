/** The story of a reader who gives an address and nothing else, told through the site and the mailbox alone. */
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { startTestService } from '../support/servers/service.ts'

const WEEKDAYS = ['2026-04-03', '2026-04-06', '2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const ADA = 'ada@example.org'
const RANK = /ost upvoted of the 38 papers listed on \w+day \d+ April/g

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ')

test('an address alone gets what trends: confirmed, welcomed, every morning, each paper with its rank, and a topic offered', async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: [...WEEKDAYS, '2026-04-14', '2026-04-15', '2026-04-16'],
  })
  const site = openSite(service.url)
  const asked = await fetch(`${service.url}/subscribe`, {
    method: 'POST',
    body: new URLSearchParams({ email: ADA }),
    redirect: 'manual',
  })
  expect(asked.status).toBe(303)

  const confirmation = await service.mail.waitFor(ADA, 1)
  const words = plain(confirmation.text)
  expect(words).toContain('a daily digest of trending research papers at this address, at 07:00 UTC, on days with')
  expect(words).toContain('It covers: - Trending in all topics')
  const confirm = confirmation.links.get('confirm') ?? ''
  expect((await site.get(confirm)).text).toMatch(/a•••@example\.org at 07:00 UTC, on days with new papers/)
  await site.post(confirm)

  const welcome = await service.mail.waitFor(ADA, 2)
  expect(welcome.subject).toBe('Welcome to Paper Round: your first 10 papers')
  expect(plain(welcome.text).match(RANK)).toHaveLength(10)
  expect(plain(welcome.text)).toContain('In your settings you can follow any of 38 topics, keywords and authors')

  // By UTC the first digest is due at seven, two hours after the welcome and a day.
  service.setClock('2026-04-15T07:00:30Z')
  await service.wake('tick')
  const digest = await service.mail.waitFor(ADA, 3)
  expect(digest.subject).toMatch(/^Trending papers: Advances in /)
  expect(plain(digest.text)).toContain('You follow: Trending in all topics.')
  expect(plain(digest.text).match(RANK)).toHaveLength(10)
  expect(digest.html).not.toContain('Trending beyond your topics')

  const offers = [welcome, digest].map((mail) => mail.links.get('follow') ?? '')
  expect(new Set(offers).size).toBe(2)
  const [, , , topic = ''] = (offers[1] ?? '').split('/')
  expect(plain(digest.text)).toMatch(
    /\d papers on .+ were listed from Thursday 9 to Tuesday 14 April\. Follow this topic:/,
  )
  const view = await site.get(digest.links.get('digests') ?? '')
  expect(view.text).toMatch(
    /\d papers on .+ were listed from Thursday 9 to Tuesday 14 April\. To follow this topic, use/,
  )
  // A page that may be passed on can change nothing.
  expect(view.html).not.toMatch(/\/follow\/|\/preferences\//)
  expect(view.html).toContain(`href="/preview?topics=${topic}"`)
  const settings = digest.links.get('preferences') ?? ''
  for (const method of ['GET', 'HEAD', 'GET']) await fetch(service.url + offers[1], { method })
  const ticked = new RegExp(`value="${topic}"[^>]*checked`)
  expect((await site.get(settings)).html).not.toMatch(ticked)
  expect((await site.post(offers[1] ?? '')).text).toContain('You follow ')
  expect((await site.get(settings)).html).toMatch(ticked)
  await site.post(offers[1] ?? '', { undo: 'yes' })
  expect((await site.get(settings)).html).not.toMatch(ticked)
  expect((await site.get(settings)).html).toMatch(/value="trending"[^>]*checked/)

  await site.post(offers[1] ?? '')
  service.setClock('2026-04-16T07:00:30Z')
  await service.wake('tick')
  const next = await service.mail.waitFor(ADA, 4)
  expect(plain(next.text)).toContain('You follow: Trending in all topics - ')
  expect(next.links.get('follow')).not.toBe(offers[1])
})
