/** The admin pages of numbers, papers, curators, sources, routes, the queue and announcements, of a service that has run for months. */
import { storeCurators, storeFigures, storePapers, storeTroubles } from '../fixtures/operated-service.ts'
import type { AdminStory } from './admin-story.ts'

const PAGES = [
  'charts',
  'papers?q=robotics',
  'curators',
  'sources',
  'routes',
  'queue',
  'announcements',
  'announcements/new',
]

/** `page`: where somebody with the role own is signed in. */
export const walkAdminRunning = async ({ page, url, db, show }: Omit<AdminStory, 'token'>): Promise<void> => {
  for (const store of [storeFigures, storePapers, storeCurators, storeTroubles]) await store(db)
  const { id } = await db.selectFrom('papers').select('id').orderBy('id').executeTakeFirstOrThrow()
  for (const path of ['', ...PAGES, `papers/${id}`]) {
    await page.goto(`${url}/admin/${path}`)
    await show(path === '' ? 'admin-today-of-months' : `admin-${path.replace(/\?.*/, '').replace('/', '-')}`)
  }
}
