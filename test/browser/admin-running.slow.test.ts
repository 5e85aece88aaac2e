/** The admin pages of numbers, papers, curators, sources, routes and the queue as a browser shows them. */
import { describe, expect, test } from 'vitest'
import { walkAdminRunning } from '../support/browser/admin-running-story.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgePage } from '../support/browser/page-judge.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { ADMIN_TOKEN, openAdminSite } from '../support/servers/admin-site.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`admin pages about what runs in a browser${NEEDS_CHROMIUM}`, () => {
  test('none scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    await using site = await openAdminSite({ settings: { PAPER_SOURCES: 'huggingface,arxiv:cs.CL+cs.LG' } })
    await using browser = await openSharedBrowser()
    await using window = await browser.openWindow({ bypassCSP: true })
    const { page } = window
    await page.goto(`${site.url}/admin`)
    await page.fill('#token', ADMIN_TOKEN)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Today' }).waitFor()
    const wrong: string[] = []
    await walkAdminRunning({
      page,
      url: site.url,
      db: site.db,
      show: async (name) => {
        wrong.push(...(await judgePage(page, name, 'page', 'whole')))
      },
    })
    expect(wrong).toEqual([])
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
