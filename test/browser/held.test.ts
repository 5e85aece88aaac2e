/** A sign-up that is held, in a browser: with script it is released by some work, without it waits. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`a sign-up that is held${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let service: TestService
  beforeAll(async () => {
    // The first sign-up of the hour from here is answered at once; near that limit, all others are held.
    const settings = { SIGN_UPS_PER_HOUR: 'client=1' }
    service = await startTestService({ clock: '2026-04-14T05:00:00Z', settings })
    browser = await openSharedBrowser()
    const right = { email: 'first@example.org', topics: 'robotics', frequency: 'daily', timezone: 'UTC' }
    await fetch(`${service.url}/subscribe`, { method: 'POST', body: new URLSearchParams(right) })
    await service.mail.waitFor('first@example.org', 1)
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  const subscribe = async (page: Page, email: string) => {
    await page.goto(service.url)
    await page.fill('#email', email)
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  }
  const heading = (page: Page) => page.locator('h1').innerText()

  test('with script the browser does some work, and the email comes', async () => {
    await using window = await browser.openWindow({})
    const { page } = window
    await subscribe(page, 'ada@example.org')
    await page.waitForURL('**/check-inbox/*')
    expect(await heading(page)).toBe('Check your inbox')
    const confirmation = await service.mail.waitFor('ada@example.org', 1)
    expect(confirmation.subject).toContain('Confirm')
  })

  test('without script the page says that the email comes later, and there is nothing to press', async () => {
    await using window = await browser.openWindow({ javaScriptEnabled: false })
    const { page } = window
    await subscribe(page, 'grace@example.org')
    expect(await heading(page)).toBe('Your email may take up to an hour')
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
    expect(await page.getByRole('status').isVisible()).toBe(false)
  })
})
