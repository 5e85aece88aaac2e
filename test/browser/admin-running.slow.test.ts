/** The admin pages of numbers, papers, curators, sources, routes and the queue as a browser shows them. */
import { describe, expect, test } from 'vitest'
import { walkAdminRunning } from '../support/browser/admin-running-story.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgeAdminPages } from '../support/browser/judged-admin-pages.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { ADMIN_TOKEN, openAdminSite } from '../support/servers/admin-site.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`admin pages about what runs in a browser${NEEDS_CHROMIUM}`, () => {
  test('none scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    expect(
      await judgeAdminPages(walkAdminRunning, { settings: { PAPER_SOURCES: 'huggingface,arxiv:cs.CL+cs.LG' } }),
    ).toEqual([])
  })

  test('the board runs under its policy, shows what waits, and asks for nothing from elsewhere', {
    timeout: 240_000,
  }, async () => {
    await using site = await openAdminSite()
    await site.context.queue.wake('letters')
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow()
    const { page } = window
    await page.goto(`${site.url}/admin/sign-in?to=/admin/queue/board`)
    await page.fill('#token', ADMIN_TOKEN)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('letters').first().waitFor()
  })
})
