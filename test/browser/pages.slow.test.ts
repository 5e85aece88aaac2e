/** Every page and every mail of the story as a browser shows it: narrow and wide, light and dark (in `npm test` narrow and light). */
import { describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { BEGINNING, walkStory } from '../support/browser/story.ts'
import { startTestService } from '../support/servers/service.ts'
import { thorough } from '../support/thoroughness.ts'

const DAYS = '03 06 07 08 09 10 13'.split(' ').map((day) => `2026-04-${day}`)
const NAME = 'no page or mail scrolls sideways, has a thing too small to press, or a fault that axe knows'

describe.skipIf(NEEDS_CHROMIUM !== '')(`the whole story in a browser${NEEDS_CHROMIUM}`, () => {
  test(NAME, { timeout: 600_000 }, async () => {
    await using service = await startTestService({ clock: BEGINNING, days: DAYS })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    const seen: string[] = []
    await walkStory({
      page,
      siteUrl: service.url,
      mailboxUrl: service.mailboxUrl,
      setClock: service.setClock,
      tick: () => service.wake('tick'),
      show: async (name, kind) => {
        seen.push(name)
        wrong.push(...(await judgePage(page, name, kind, thorough ? 'whole' : 'narrow')))
      },
    })
    expect(wrong).toEqual([])
    expect(new Set(seen).size).toBe(seen.length)
  })
})
