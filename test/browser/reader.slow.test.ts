/** The story of a reader, clicked through in a browser: from the front page by the mailbox to the last press. */
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser, type TestWindow } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const DAYS = '03 06 07 08 09 10 13'.split(' ').map((day) => `2026-04-${day}`)
const ADA = 'ada@example.org'

const heading = (page: Page) => page.locator('h1').innerText()
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

describe.skipIf(NEEDS_CHROMIUM !== '')(`a reader in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let service: TestService
  beforeAll(async () => {
    const settings = { PORT: String(await findFreePort()) }
    service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: DAYS, settings })
    browser = await openSharedBrowser()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  /** So many minutes after five the form is sent: no person is as fast as a test. */
  const typeUntil = (minutes: number) => service.setClock(`2026-04-14T05:0${minutes}:00Z`)

  const openFrontPage = async (options: BrowserContextOptions): Promise<TestWindow> => {
    const window = await browser.openWindow(options)
    await window.page.goto(service.url)
    return window
  }

  /** Presses a link of the mail that the mailbox shows; mails open their links in a window of their own. */
  const followMail = async ({ context, page }: TestWindow, link: string): Promise<Page> => {
    const opened = context.waitForEvent('page')
    await page.frameLocator('iframe.mail').getByRole('link', { name: link, exact: true }).first().click()
    const other = await opened
    await other.waitForLoadState()
    return other
  }

  test('without script: told what is missing, subscribes, confirms, reads, changes the digest, leaves', async () => {
    await using window = await openFrontPage({ javaScriptEnabled: false })
    const { page } = window
    expect(await page.inputValue('#timezone')).toBe('UTC')
    await press(page, 'Subscribe')
    expect(await page.getByRole('alert').innerText()).toContain('Nothing has been saved')
    expect(await page.innerText('#email-error')).toContain('Enter')

    await page.fill('#email', ADA)
    await page.locator('summary', { hasText: 'Choose topics' }).click()
    await page.locator('summary', { hasText: 'Robots' }).click()
    await page.getByRole('checkbox', { name: 'Robotics' }).check()
    await page.selectOption('#timezone', { label: 'London' })
    typeUntil(2)
    await press(page, 'Subscribe')
    expect(await heading(page)).toBe('Check your inbox')

    await service.mail.waitFor(ADA, 1)
    await page.getByRole('link', { name: 'open the mailbox' }).click()
    const confirm = await followMail(window, 'Confirm subscription')
    expect(await confirm.innerText('.lede')).toContain('at 07:00 London time, on days with new papers')
    await press(confirm, 'Confirm')
    expect(await heading(confirm)).toBe('You’re subscribed')

    await service.mail.waitFor(ADA, 2)
    await page.reload()
    await page.getByRole('link', { name: 'Paper Round', exact: true }).click()
    const digest = await followMail(window, 'View in browser')
    const titles = await digest.locator('.paper h2').allInnerTexts()
    expect(titles.length).toBeGreaterThan(2)
    expect(await page.frameLocator('iframe.mail').locator('h2').allInnerTexts()).toEqual(titles)

    const preferences = await followMail(window, 'Settings')
    expect(await preferences.innerText('.lede')).toContain('Digests go to a•••@example.org.')
    await preferences.locator('summary', { hasText: 'Schedule' }).click()
    await preferences.getByRole('radio', { name: 'Weekly' }).check()
    await preferences.selectOption('#hour', '18:00')
    await preferences.selectOption('#weekday', 'Friday')
    await press(preferences, 'Save')
    expect(await preferences.locator('.notice').innerText()).toBe('Settings saved.')
    expect(await preferences.innerText('.lede')).toContain('Friday 17 April at 18:00 London time')

    await preferences.getByRole('link', { name: 'Unsubscribe' }).click()
    expect(await heading(preferences)).toBe('Unsubscribe from Paper Round?')
    await press(preferences, 'Unsubscribe')
    expect(await heading(preferences)).toBe('You’re unsubscribed')
    expect(await (await followMail(window, 'Settings')).locator('h1').innerText()).toBe('You’re not subscribed')
  })

  test('with script the reader’s own time zone is chosen, under its name of today', async () => {
    await using window = await openFrontPage({ timezoneId: 'Asia/Calcutta' })
    const { page } = window
    expect(await page.inputValue('#timezone')).toBe('Asia/Kolkata')
    await page.fill('#email', 'grace@example.net')
    await page.locator('summary', { hasText: 'Choose topics' }).click()
    await page.check('input[value=code]')
    typeUntil(4)
    await press(page, 'Subscribe')
    const confirmation = await service.mail.waitFor('grace@example.net', 1)
    await page.goto(service.url + confirmation.links.get('confirm'))
    expect(await page.innerText('.lede')).toContain('at 07:00 Kolkata time, on days with new papers')
  })

  test('a time zone chosen by hand is not changed by the script', async () => {
    await using window = await openFrontPage({ timezoneId: 'America/Sao_Paulo' })
    const { page } = window
    await page.locator('summary', { hasText: 'Choose topics' }).click()
    await page.selectOption('#timezone', 'Europe/Paris')
    await press(page, 'Subscribe')
    expect(await heading(page)).toBe('Please check your details')
    expect(await page.inputValue('#timezone')).toBe('Europe/Paris')
  })
})
