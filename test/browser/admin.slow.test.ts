/** The admin pages as a browser shows them: narrow and wide, light and dark (in `npm test` narrow and light), without a script. */
import { describe, expect, test } from 'vitest'
import { ADMIN_STORY_AT, walkAdminPages } from '../support/browser/admin-story.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { ADMIN_TOKEN, openAdminSite } from '../support/servers/admin-site.ts'
import { thorough } from '../support/thoroughness.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`admin pages in a browser${NEEDS_CHROMIUM}`, () => {
  test('none scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openAdminSite({ clock: ADMIN_STORY_AT })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    const wrong: string[] = []
    await walkAdminPages({
      page,
      url: site.url,
      db: site.db,
      token: ADMIN_TOKEN,
      show: async (name) => {
        wrong.push(...(await judgePage(page, name, 'page', thorough ? 'whole' : 'narrow')))
      },
    })
    expect(wrong).toEqual([])
  })
})
