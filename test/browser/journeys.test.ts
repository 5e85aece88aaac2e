/** Journeys of readers through the whole service in a browser, on a phone and on a desktop. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { MOUSE, TOUCH } from '../support/browser/hands.ts'
import { walkJourney } from '../support/browser/journey.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
const DESKTOP = { viewport: { width: 1280, height: 800 } }
const LONDON = { timezoneId: 'Europe/London' }

describe.skipIf(NEEDS_CHROMIUM !== '')(
  `a reader who finds a paper, follows its topic and leaves${NEEDS_CHROMIUM}`,
  () => {
    let browser: TestBrowser
    let service: TestService
    beforeAll(async () => {
      const settings = { PORT: String(await findFreePort()), PAPER_SOURCES: 'sample' }
      service = await startTestService({ clock: '2026-04-07T12:00:00Z', settings, writePapers: async () => undefined })
      browser = await openSharedBrowser()
    })
    afterAll(async () => {
      await browser?.[Symbol.asyncDispose]()
      await service?.[Symbol.asyncDispose]()
    })

    test('by touch, on a phone', async () => {
      await using window = await browser.openWindow({ ...PHONE, ...LONDON })
      await walkJourney({
        service,
        window,
        hands: TOUCH,
        email: 'ada@example.org',
        comes: '2026-04-07T12:00:00Z',
        due: '2026-04-09T06:00:30Z',
        query: 'delegation provenance',
        paper: 'HDP: A Lightweight Cryptographic Protocol for Human Delegation Provenance in Agentic AI Systems',
        topic: 'LLM agents & tool use',
        leaves: 'mail program',
      })
    })

    test('with a mouse, on a desktop', async () => {
      await using window = await browser.openWindow({ ...DESKTOP, ...LONDON })
      await walkJourney({
        service,
        window,
        hands: MOUSE,
        email: 'grace@example.org',
        comes: '2026-04-09T12:00:00Z',
        due: '2026-04-11T06:00:30Z',
        query: 'graph agents',
        paper: 'AgentGL: Towards Agentic Graph Learning with LLMs via Reinforcement Learning',
        topic: 'LLM agents & tool use',
        leaves: 'page',
      })
    })
  },
)
