/** An email address is enough: from the front page to the first digest, on a phone, in counted presses. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { openTestSite } from '../support/servers/recording-site.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const DAYS = '03 06 07 08 09 10 13'.split(' ').map((day) => `2026-04-${day}`)
const PHONE = { width: 360, height: 740 }

const heading = (page: Page) => page.locator('h1').innerText()
const untilHeading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

describe.skipIf(NEEDS_CHROMIUM !== '')(`the front door in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let service: TestService
  beforeAll(async () => {
    service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: DAYS })
    browser = await openSharedBrowser()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  /** A link of a mail, opened as its reader does: by one press. */
  const openLink = async (page: Page, to: string, nth: number, purpose: string) => {
    const { links } = await service.mail.waitFor(to, nth)
    await page.goto(service.url + links.get(purpose))
  }

  test('without script: four presses and an address bring the first digest', async () => {
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    let presses = 0
    const press = async (name: string) => {
      await page.getByRole('button', { name, exact: true }).click()
      presses++
    }
    await page.goto(service.url)
    await page.click('#email')
    presses++
    await page.keyboard.type('ada@example.org')
    service.setClock('2026-04-14T05:01:00Z')
    await press('Subscribe')
    await untilHeading(page, 'Check your inbox')
    expect(await page.innerText('.lede')).toContain('ada@example.org')
    expect(page.url()).not.toContain('ada')
    await openLink(page, 'ada@example.org', 1, 'confirm')
    presses++
    expect(await page.innerText('main')).toContain('at 07:00 UTC, on days with new papers')
    await press('Confirm')
    await untilHeading(page, 'You’re subscribed')
    const digest = await service.mail.waitFor('ada@example.org', 2)
    expect(digest.links.get('digests')).toBeDefined()
    expect(presses).toBe(4)
  })

  test('by keyboard alone: four keys and an address on the site, two in the mail and on its page', async () => {
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    let keys = 0
    const press = async (key: string) => {
      await page.keyboard.press(key)
      keys++
    }
    await page.goto(service.url)
    for (const key of ['Tab', 'Enter', 'Tab']) await press(key)
    await page.keyboard.type('grace@example.org')
    service.setClock('2026-04-14T05:02:00Z')
    await press('Enter')
    await page.waitForURL('**/check-inbox/*')
    await openLink(page, 'grace@example.org', 1, 'confirm')
    for (const key of ['Tab', 'Enter', 'Tab']) await page.keyboard.press(key)
    await page.keyboard.press('Enter')
    await untilHeading(page, 'You’re subscribed')
    expect(keys).toBe(4)
  })

  test('by touch on a phone, from the field to the button that confirms, in the page that the mail opens', async () => {
    await using window = await browser.openWindow({ viewport: PHONE, hasTouch: true, isMobile: true })
    const { page, context } = window
    await page.goto(service.url)
    await page.locator('#email').tap()
    await page.keyboard.type('emmy@example.org')
    service.setClock('2026-04-14T05:03:00Z')
    await page.getByRole('button', { name: 'Subscribe', exact: true }).tap()
    await page.waitForURL('**/check-inbox/*')
    const { links } = await service.mail.waitFor('emmy@example.org', 1)
    const opened = await context.newPage()
    await opened.goto(service.url + links.get('confirm'))
    await opened.getByRole('button', { name: 'Confirm', exact: true }).tap()
    await untilHeading(opened, 'You’re subscribed')
    expect((await service.mail.waitFor('emmy@example.org', 2)).links.get('digests')).toBeDefined()
  })

  test('the field and its button stand on the first screen of a phone, above the papers, and all else is folded', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    await page.goto(site.url)
    const bottomOf = async (selector: string) => {
      const box = await page.locator(selector).first().boundingBox()
      return (box?.y ?? Number.NaN) + (box?.height ?? Number.NaN)
    }
    expect(await bottomOf('.great')).toBeLessThan(PHONE.height)
    expect(await bottomOf('#subscribe')).toBeLessThan(await bottomOf('.papers'))
    const seen = page.locator('#subscribe').locator('input, select, textarea, button')
    const names: string[] = []
    for (const control of await seen.all())
      if (await control.isVisible()) names.push((await control.getAttribute('name')) ?? (await control.innerText()))
    expect(names.filter((name) => name !== 'subject')).toEqual(['email', 'Subscribe'])
  })

  test('what was typed is there after going back: from an error, from the question of a typing error, from a preview', async () => {
    await using site = await openTestSite()
    await using window = await browser.openWindow({ viewport: PHONE, javaScriptEnabled: false })
    const { page } = window
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    await page.goto(site.url)
    await page.fill('#email', 'ada@')
    await page.locator('summary', { hasText: 'Choose topics' }).click()
    await page.locator('summary', { hasText: 'Keywords' }).click()
    await page.fill('#keywords', 'sheet music')
    await press('Subscribe')
    expect(await page.inputValue('#keywords')).toBe('sheet music')
    await page.fill('#email', 'ada@gmial.com')
    await press('Subscribe')
    expect(await heading(page)).toBe('Did you mean ada@gmail.com?')
    await page.goBack()
    expect(await page.inputValue('#email')).toMatch(/^ada@/)
    expect(await page.inputValue('#keywords')).toBe('sheet music')
    await page.fill('#email', 'ada@example.org')
    await press('Preview today’s digest')
    expect(await page.inputValue('#email')).toBe('ada@example.org')
    await page.locator('.paper a').first().focus()
    await page.goto(`${site.url}/about`)
    await page.goBack()
    expect(await page.inputValue('#email')).toBe('ada@example.org')
    expect(await page.inputValue('#keywords')).toBe('sheet music')
    await page.goBack()
    await page.goBack()
    expect(await heading(page)).toBe('Get trending papers in your inbox')
    expect(await page.inputValue('#keywords')).toBe('sheet music')
    expect(site.changes).toEqual([])
  })
})
