/** The admin pages about readers as a browser shows them: narrow and wide, light and dark. */
import { describe, expect, test } from 'vitest'
import { walkAdminReaders } from '../support/browser/admin-readers-story.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { ADMIN_TOKEN, openAdminSite } from '../support/servers/admin-site.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`admin pages about readers in a browser${NEEDS_CHROMIUM}`, () => {
  test('none scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openAdminSite({ clock: '2026-04-15T06:30:00Z' })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    await page.goto(`${site.url}/admin`)
    await page.fill('#token', ADMIN_TOKEN)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Today' }).waitFor()
    const wrong: string[] = []
    await walkAdminReaders({
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
