/** The admin pages about announcements as a browser shows them: narrow and wide, light and dark. */
import { describe, expect, test } from 'vitest'
import { walkAdminAnnouncements } from '../support/browser/admin-announcements-story.ts'
import { ADMIN_STORY_AT } from '../support/browser/admin-story.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { ADMIN_TOKEN, openAdminSite } from '../support/servers/admin-site.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`admin pages about announcements in a browser${NEEDS_CHROMIUM}`, () => {
  test('none scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openAdminSite({ clock: ADMIN_STORY_AT })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    await page.goto(`${site.url}/admin/sign-in`)
    await page.fill('#token', ADMIN_TOKEN)
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
    const wrong: string[] = []
    await walkAdminAnnouncements({
      page,
      url: site.url,
      db: site.db,
      show: async (name) => {
        wrong.push(...(await judgePage(page, name, 'page', 'whole')))
      },
    })
    expect(wrong).toEqual([])
  })
})
