/** The journey of a reader through the whole service on a desktop: with a mouse, and by keyboard alone. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { KEYBOARD, MOUSE } from '../support/browser/hands.ts'
import { walkJourney } from '../support/browser/journey.ts'
import { FINDS, startJourneySite } from '../support/browser/journey-site.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import type { TestService } from '../support/servers/service.ts'

const DESKTOP = { viewport: { width: 1280, height: 800 }, timezoneId: 'Europe/London' }

describe.skipIf(NEEDS_CHROMIUM !== '')(`a reader on a desktop${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let service: TestService
  beforeAll(async () => {
    service = await startJourneySite()
    browser = await openSharedBrowser()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  test('finds a paper, follows its topic, votes, cites, and leaves, with a mouse', async () => {
    await using window = await browser.openWindow(DESKTOP)
    const email = 'grace@example.org'
    await walkJourney({ service, window, hands: MOUSE, email, leaves: 'page', ...FINDS.delegation })
  })

  test('does the same by keyboard alone', async () => {
    await using window = await browser.openWindow(DESKTOP)
    const email = 'emmy@example.org'
    await walkJourney({ service, window, hands: KEYBOARD, email, leaves: 'page', ...FINDS.graphs })
  })
})
