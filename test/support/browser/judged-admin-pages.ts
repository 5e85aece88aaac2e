/** Faults of admin pages in a browser in which an owner is signed in: at every width, light and dark, as `judgePage` finds them. */
import type { Database } from '../../../src/store/database.ts'
import { ADMIN_TOKEN, openAdminSite } from '../servers/admin-site.ts'
import type { AdminStory } from './admin-story.ts'
import { judgePage } from './page-judge.ts'
import { openSharedBrowser } from './shared-browser.ts'

/** Walks through a story of pages, and returns what is wrong with each that it shows. */
export const judgeAdminPages = async (
  walk: (story: Omit<AdminStory, 'token'> & { db: Database }) => Promise<void>,
  options: Parameters<typeof openAdminSite>[0],
): Promise<string[]> => {
  await using site = await openAdminSite(options)
  await using browser = await openSharedBrowser()
  await using window = await browser.openWindow({ bypassCSP: true })
  const { page } = window
  await page.goto(`${site.url}/admin`)
  await page.fill('#token', ADMIN_TOKEN)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Today' }).waitFor()
  const wrong: string[] = []
  await walk({
    page,
    url: site.url,
    db: site.db,
    show: async (name) => {
      wrong.push(...(await judgePage(page, name, 'page', 'whole')))
    },
  })
  return wrong
}
