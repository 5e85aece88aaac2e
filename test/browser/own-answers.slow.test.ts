/** What a reader asks of their own digests in a browser: why a paper did not come, and what a change would have done. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'
import { startTestService } from '../support/servers/service.ts'

const PHONE = { width: 390, height: 800 }
const DAYS = ['2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15']
const OWN = `/preferences/${TOKEN.preferences}`

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first()
const untilHeading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
const openOwnPage = async (page: Page, name: string) => {
  await page.locator('summary', { hasText: 'Your pages' }).click()
  await page.getByRole('link', { name }).click()
  await untilHeading(page, name)
}

describe.skipIf(NEEDS_CHROMIUM !== '')(`what a reader asks of their digests${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  beforeAll(async () => {
    browser = await openSharedBrowser()
  })
  afterAll(() => browser?.[Symbol.asyncDispose]())

  test('a reader asks after a paper, takes the change that would have brought it, compares it, and saves it, on a phone without script', async () => {
    await using service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: DAYS })
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    const email = 'ada@example.org'
    await page.goto(`${service.url}/preview?topics=robotics`)
    await page.getByLabel('Email', { exact: true }).first().fill(email)
    service.setClock('2026-04-14T05:02:00Z')
    await button(page, 'Subscribe').click()
    await untilHeading(page, 'Check your inbox')
    const confirmation = await service.mail.waitFor(email, 1)
    await page.goto(service.url + confirmation.links.get('confirm'))
    await button(page, 'Confirm').click()
    await untilHeading(page, 'You’re subscribed')
    const welcome = await service.mail.waitFor(email, 2)
    service.setClock('2026-04-15T10:00:00Z')
    const settings = service.url + (welcome.links.get('preferences') ?? '')

    await page.goto(settings)
    await openOwnPage(page, 'Why not this one?')
    await page.getByLabel('Paper').fill('agents')
    await button(page, 'Ask').click()
    expect(await page.innerText('#paper-error')).toContain('Enter an arXiv id such as 2604.11784')
    // What robotics brought is in the welcome.
    const robot = welcome.html.match(/2604\.13\d{3}/)?.[0] ?? ''
    await page.getByLabel('Paper').fill(`https://arxiv.org/abs/${robot}v1`)
    await button(page, 'Ask').click()
    expect(await page.innerText('#answer')).toContain('It was in your digest of Tuesday 14 April 2026.')
    await page.getByRole('link', { name: 'That digest' }).click()
    expect(await page.innerText('main')).toContain(robot)
    await page.goBack()
    await page.getByLabel('Paper').fill('2604.13001')
    await button(page, 'Ask').click()
    expect(await page.innerText('#answer')).toContain('It does not fit anything you follow well enough.')

    await button(page, /^Follow /).click()
    await untilHeading(page, 'Your settings')
    expect(await page.innerText('[role=status]')).toContain('Not saved yet.')
    await button(page, 'Compare over 30 days').click()
    await untilHeading(page, 'What the change would have done')
    expect(await page.innerText('main')).toMatch(
      /This is of 8 days, 8 to 15 April 2026: we hold no papers from before\./,
    )
    expect(await page.innerText('main')).toMatch(/\d+ papers gained/)
    await button(page, 'Save the change').click()
    await untilHeading(page, 'Your settings')
    expect(await page.innerText('[role=status]')).toContain('Settings saved.')
    await openOwnPage(page, 'Your last 30 days')
    expect(await page.innerText('main')).toContain('Papers a day')
  })

  test('no page of it scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    const judge = async (name: string) => {
      wrong.push(...(await judgePage(page, name, 'page', 'whole')))
    }
    for (const [name, path] of [
      ['a question', `${OWN}/why`],
      ['an answer with a change', `${OWN}/why?paper=2604.11784`],
      ['what was not seen', `${OWN}/why?paper=2604.99999`],
      ['what names no paper', `${OWN}/why?paper=agents`],
      ['the last days', `${OWN}/compare`],
    ] as const) {
      await page.goto(site.url + path)
      await judge(name)
    }
    await page.goto(site.url + OWN)
    await page.locator('summary', { hasText: 'Keywords' }).click()
    await page.fill('#keywords', 'masked diffusion')
    await page.locator('summary', { hasText: 'Your pages' }).click()
    await button(page, 'Compare over 30 days').click()
    await untilHeading(page, 'What the change would have done')
    await judge('a change')
    expect(wrong).toEqual([])
  })
})
