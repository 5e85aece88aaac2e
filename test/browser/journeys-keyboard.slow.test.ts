/** The journey of a reader through the whole service in a browser, by keyboard alone: every press is reached with Tab. */
import { describe, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { KEYBOARD } from '../support/browser/hands.ts'
import { walkJourney } from '../support/browser/journey.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService } from '../support/servers/service.ts'

const COMES = '2026-04-09T12:00:00Z'

describe.skipIf(NEEDS_CHROMIUM !== '')(`a reader without a mouse${NEEDS_CHROMIUM}`, () => {
  test('finds a paper, follows its topic, gets a digest, and leaves', async () => {
    const settings = { PORT: String(await findFreePort()), PAPER_SOURCES: 'sample' }
    await using service = await startTestService({ clock: COMES, settings, writePapers: async () => undefined })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ timezoneId: 'Europe/London' })
    await walkJourney({
      service,
      window,
      hands: KEYBOARD,
      email: 'emmy@example.org',
      comes: COMES,
      due: '2026-04-11T06:00:30Z',
      query: 'graph agents',
      paper: 'AgentGL: Towards Agentic Graph Learning with LLMs via Reinforcement Learning',
      topic: 'LLM agents & tool use',
      leaves: 'page',
    })
  })
})
