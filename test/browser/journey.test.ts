/** The journey of a reader through the whole service, on a phone. */
import { describe, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { TOUCH } from '../support/browser/hands.ts'
import { walkJourney } from '../support/browser/journey.ts'
import { FINDS, startJourneySite } from '../support/browser/journey-site.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }

describe.skipIf(NEEDS_CHROMIUM !== '')(`a reader on a phone${NEEDS_CHROMIUM}`, () => {
  test('finds a paper, follows its topic, votes, cites, and leaves by one press', async () => {
    await using service = await startJourneySite()
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ ...PHONE, timezoneId: 'Europe/London' })
    const email = 'ada@example.org'
    await walkJourney({ service, window, hands: TOUCH, email, leaves: 'mail program', ...FINDS.delegation })
  })
})
