/** What became of a paper, from the database to the mailbox and the browser: told to who was sent it, and to nobody else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PaperNews } from '../../src/core/papers/paper-news.ts'
import { openDatabase } from '../../src/store/database.ts'
import { storeNews } from '../../src/store/papers/paper-news.ts'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { textOf } from '../support/browser/digest-mail.ts'
import { judgeMail, judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const subscribe = async (service: TestService, email: string, topics: string) => {
  const body = new URLSearchParams({ email, topics, frequency: 'daily', timezone: 'Europe/London' })
  await fetch(`${service.url}/subscribe`, { method: 'POST', body })
  const confirmation = await service.mail.waitFor(email, 1)
  await fetch(service.url + confirmation.links.get('confirm'), { method: 'POST', body: new URLSearchParams() })
  return service.mail.waitFor(email, 2)
}

describe.skipIf(NEEDS_CHROMIUM !== '')(`news of papers in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('a correction stands first and the rest last, in the email and the page of the digest, for its readers alone', async () => {
    await using service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: ['2026-04-10', '2026-04-13'] })
    const db = openDatabase(service.databaseUrl, { connections: 1, name: 'test', onError: () => undefined })
    const welcome = await subscribe(service, 'ada@example.org', 'robotics')
    await subscribe(service, 'emmy@example.org', 'speech-audio')
    const [gone = '', accepted = ''] = new Set(
      [...welcome.html.matchAll(/https:\/\/arxiv\.org\/abs\/(\d{4}\.\d{5})/g)].map(([, id = '']) => id),
    )
    const seenAt = new Date('2026-04-14T12:00:00Z')
    const told = (paperId: string, kind: PaperNews['kind'], venue?: string): PaperNews => ({
      paperId,
      kind,
      version: null,
      seenAt,
      ...(venue === undefined ? {} : { venue }),
    })
    await storeNews(db, [
      told(gone, 'withdrawn'),
      told(gone, 'code'),
      told(accepted, 'venue', 'accepted at ICML 2026'),
      told(accepted, 'upvotes'),
    ])
    await db.destroy()
    await writeDays(service.papers, ['2026-04-14'])
    service.setClock('2026-04-14T20:00:00Z')
    const refreshes = () => service.logged.filter((line) => line.includes('papers refreshed')).length
    const before = refreshes()
    await service.wake('refresh')
    await expect.poll(refreshes, { timeout: 60_000 }).toBeGreaterThan(before)
    service.setClock('2026-04-15T08:05:00Z')
    await service.wake('tick')
    const digest = await service.mail.waitFor('ada@example.org', 3)
    const words = textOf(digest.html)
    const correction = 'it was withdrawn. You got it in your digest of Tuesday 14 April 2026.'
    expect(words).toMatch(/Correction\. .{5,200}: it was withdrawn\./)
    expect(words.indexOf('Correction.')).toBeLessThan(words.indexOf('New since your last digest'))
    expect(words).toContain(correction)
    expect(words).toContain(': it was accepted at ICML 2026')
    expect(words).not.toContain('code is available now')
    const other = textOf((await service.mail.waitFor('emmy@example.org', 3)).html)
    expect(other).not.toMatch(/Correction|accepted at ICML/)

    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    await page.setContent(digest.html)
    expect(await judgeMail(page, 'digest with news')).toEqual([])
    const view = service.url + digest.links.get('digests')
    await page.goto(view)
    expect(await page.locator('.notice').innerText()).toContain(correction)
    expect(await page.getByRole('heading', { name: 'New since your last digest' }).count()).toBe(1)
    expect(await judgePage(page, 'digest with news', 'page', 'narrow')).toEqual([])
    const { news } = await (await page.request.get(`${view}.json`)).json()
    expect(news.map(({ kind }: { kind: string }) => kind)).toEqual(['withdrawn', 'venue', 'upvotes'])
    await page.goto(`${service.url}/papers/${accepted}`)
    expect(await page.getByText('It was accepted at ICML 2026.').count()).toBe(1)
    const folder = process.env.SHOTS
    if (folder !== undefined)
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of [390, 1280]) {
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          await page.goto(view)
          await page.screenshot({ path: `${folder}/view-${colorScheme}-${width}.png`, fullPage: true })
          await page.setContent(digest.html)
          await page.screenshot({ path: `${folder}/mail-${colorScheme}-${width}.png`, fullPage: true })
        }
  })
})
