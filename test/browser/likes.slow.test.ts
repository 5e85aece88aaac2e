/** More and less like this in a browser: from the links of a digest to the next one, the page of what was learned, and a proposal. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const PHONE = { width: 390, height: 800 }
const TOPICS = ['robotics', 'diffusion-lm', 'reasoning', 'video-generation', 'agents', 'code']
const [ADA, CONTROL] = ['ada@example.org', 'grace@example.org']

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const untilHeading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor()

/** Subscribes on the site, confirms by the mail, and returns the welcome. */
const subscribe = async (service: TestService, page: Page, email: string, now: string) => {
  await page.goto(`${service.url}/preview?topics=${TOPICS.join()}`)
  const form = { email, topics: TOPICS, frequency: 'daily', timezone: 'UTC' }
  const answer = await page.request.post(`${service.url}/subscribe`, { data: form })
  expect(answer.status()).toBe(202)
  service.setClock(now)
  const confirmation = await service.mail.waitFor(email, 1)
  await page.goto(service.url + confirmation.links.get('confirm'))
  await button(page, 'Confirm').click()
  await untilHeading(page, 'You’re subscribed')
  return service.mail.waitFor(email, 2)
}

/** The titles of a digest by its text, in order, and the links of each by their first part. */
const papersOf = ({ text }: { text: string }) =>
  [...text.matchAll(/^\d+\. (?<title>Advances in .*(?:\n {3}\S.*)*?) *\n/gm)].map(({ groups }) =>
    (groups?.title ?? '').replace(/\s+/g, ' ').replace(/, report .*/, ''),
  )

const linksIn = ({ html }: { html: string }, path: string): string[] => [
  ...new Set(html.match(new RegExp(`/${path}/[\\w-]{43}/[\\w.%:-]+`, 'g')) ?? []),
]

describe.skipIf(NEEDS_CHROMIUM !== '')(`more and less like this in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('presses change the order of the next digest, which says why; what was learned is read, changed, proposed, accepted and undone', {
    timeout: 240_000,
  }, async () => {
    // Each list is seen at nine in the morning of its day.
    const days = ['2026-04-13', '2026-04-14', '2026-04-15', '2026-04-16', '2026-04-17']
    await using service = await startTestService({ clock: '2026-04-14T10:00:00Z', days })
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    const welcome = await subscribe(service, page, ADA, '2026-04-14T10:02:00Z')
    await subscribe(service, page, CONTROL, '2026-04-14T10:04:00Z')

    const [more, less] = [linksIn(welcome, 'more'), linksIn(welcome, 'less')]
    expect(more.length).toBeGreaterThan(5)
    const sayMore = async (path: string) => {
      await page.goto(service.url + path)
      await untilHeading(page, 'More like this?')
      expect(await page.getByRole('button').count()).toBe(1)
      await button(page, 'More like this').click()
      await untilHeading(page, 'You’ll see more like this')
    }
    for (const path of more.slice(-3)) await sayMore(path)
    expect(await page.innerText('.prose')).toMatch(/^You will see more about .+\. “What you seem to like”/)
    await page.goto(service.url + less[0])
    await button(page, 'Less like this').click()
    await untilHeading(page, 'You’ll see less like this')

    const nextDigests = async (due: string, nth: number) => {
      service.setClock(due)
      await service.wake('tick')
      return [await service.mail.waitFor(ADA, nth), await service.mail.waitFor(CONTROL, nth)] as const
    }
    const [own, plain] = await nextDigests('2026-04-16T07:00:30Z', 3)
    expect(papersOf(own)).not.toEqual(papersOf(plain))
    expect(own.text.replace(/\s+/g, ' ')).toContain('you seem to like')
    expect(plain.text.replace(/\s+/g, ' ')).not.toContain('you seem to like')
    expect(own.text).not.toContain('/proposals/')

    await page.goto(service.url + (own.links.get('preferences') ?? '').replace(/#.*/, ''))
    await page.locator('summary', { hasText: 'Your pages' }).click()
    await page.getByRole('link', { name: 'What you seem to like' }).click()
    await untilHeading(page, 'What you seem to like')
    expect(await page.innerText('.lede')).toMatch(/^You seem to like: .+; less: .+\.$/)
    const first = (await page.locator('form .choice bdi').first().innerText()).trim()
    await button(page, /^Remove/).click()
    expect(await page.innerText('[role=status]')).toBe('Removed. It won’t come back by itself.')
    expect(await page.locator('form .choice bdi').first().innerText()).not.toBe(first)
    await button(page, /^Put back/).click()
    expect(await page.innerText('[role=status]')).toBe('It counts again.')

    // The papers have one author in common.
    for (const path of linksIn(own, 'more').slice(0, 2)) await sayMore(path)
    const [proposing, without] = await nextDigests('2026-04-17T07:00:30Z', 4)
    expect(without.text).not.toContain('/proposals/')
    const [proposal = ''] = linksIn(proposing, 'proposals')
    expect(proposing.text.replace(/\s+/g, ' ')).toContain(
      'You asked for more like papers by Ada Lovelace five times. Follow this author? Answer:',
    )
    await page.goto(service.url + proposal)
    await untilHeading(page, 'Follow Ada Lovelace?')
    await button(page, 'Follow author').click()
    await untilHeading(page, 'You follow Ada Lovelace')
    const settings = service.url + (proposing.links.get('preferences') ?? '').replace(/#.*/, '')
    await page.goto(settings)
    expect(await page.locator('#authors').inputValue()).toContain('Ada Lovelace')
    const [told] = await nextDigests('2026-04-18T07:00:30Z', 5)
    expect(told.text.replace(/\s+/g, ' ')).toMatch(
      /Your settings were changed on Friday 17 April by a link .*: authors\./,
    )
    expect(told.text).not.toContain('/proposals/')
    await page.goto(service.url + proposal)
    await button(page, 'Undo').click()
    await untilHeading(page, 'Follow Ada Lovelace?')
    await page.goto(settings)
    expect(await page.locator('#authors').inputValue()).not.toContain('Ada Lovelace')
    await page.goto(service.url + proposal)
    await button(page, 'Don’t propose this again').click()
    await untilHeading(page, 'Not proposed again')
  })

  test('no page of it scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openTestSite()
    await using full = await openTestSite({ proposal: 'full' })
    await using empty = await openTestSite({ taste: { on: false, lines: [], removed: [], presses: [] } })
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    const likes = `/preferences/${TOKEN.preferences}/likes`
    const proposal = `/proposals/${TOKEN.preferences}/12`
    for (const [name, url, press] of [
      ['a link to ask for more', `${site.url}/more/${TOKEN.vote}/2604.11784`, null],
      ['what was asked for', `${site.url}/less/${TOKEN.vote}/2604.11784`, 'Less like this'],
      ['what is liked', site.url + likes, null],
      ['a line that was removed', site.url + likes, /^Remove/],
      ['nothing yet', empty.url + likes, null],
      ['a proposal', site.url + proposal, null],
      ['one that was accepted', site.url + proposal, 'Add keyword'],
      ['one that was declined', site.url + proposal, 'Don’t propose this again'],
      ['one without room', full.url + proposal, null],
    ] as const) {
      await page.goto(url)
      if (press !== null) {
        // Judged once the page that answers has its styles.
        const answered = page.waitForEvent('load')
        await button(page, press).click()
        await answered
      }
      wrong.push(...(await judgePage(page, name, 'page', 'whole')))
    }
    expect(wrong).toEqual([])
  })
})
