/** The admin pages about announcements: none yet, one with faults, one looked at, and one that some missed, paused and canceled. */
import { sql } from 'kysely'
import { runAnnouncements } from '../../../src/newsletter/announcement-run.ts'
import { deleteHold } from '../../../src/store/service-hold.ts'
import { EVERY_STATE, storeInState } from '../fixtures/every-state.ts'
import { SILENT, wakeNobody } from '../fixtures/newsletter.ts'
import { ADMIN_STORY_AT, type AdminStory } from './admin-story.ts'

const NOW = new Date(ADMIN_STORY_AT)
const PATH = '/admin/announcements'
const ADDRESS = 'https://a-university-with-a-long-name.example.edu/paper-round/announcements/2026/move-of-the-service'
const BODY = `On **Monday** our digests come from another address: [what changes](${ADDRESS}).

## What you need to do

- Nothing.
- If they end up in spam, add the address to your contacts.
`
const SAID = `550 5.1.1 <reader@example.org>: Recipient address rejected, see ${ADDRESS}`

export const walkAdminAnnouncements = async ({ page, url, db, show }: Omit<AdminStory, 'token'>): Promise<void> => {
  const press = async (what: string): Promise<void> => {
    const answered = page.waitForEvent('load')
    await page.getByRole('button', { name: what }).click()
    await answered
  }
  await page.goto(url + PATH)
  await show('admin-announcements-none')
  for (const state of EVERY_STATE) await storeInState(db, state, `${state}@announced.example.org`, NOW)
  for (const n of [1, 2, 3]) await storeInState(db, 'active', `reader${n}@announced.example.org`, NOW)
  await page.getByRole('link', { name: 'Write an announcement' }).click()
  await show('admin-announcement-new')
  await page.fill(
    '#body',
    `Hello\n\n<b>all</b> and ![a picture](https://example.org/a.png)\n\n[here](http://example.org)`,
  )
  await press('Look at it')
  await show('admin-announcement-refused')
  await page.fill('#subject', 'The digests of our reading group move to another address on Monday, 20 April 2026')
  await page.fill('#body', BODY)
  await page.click('summary:has-text("Only readers of some topics")')
  await show('admin-announcement-topics')
  await press('Look at it')
  await page.click('summary:has-text("As plain text")')
  await show('admin-announcement-looked-at')
  await page.fill('#to', 'pending@announced.example.org')
  await press('Send a test')
  await show('admin-announcement-test-refused')
  await press('Send it to')
  await show('admin-announcement-sent')

  // Of the story of another subject the service may still be held.
  await deleteHold(db)
  await runAnnouncements({ db, log: SILENT, wake: wakeNobody }, NOW)
  await sql`update announcement_mails set state = 'failed', reason = 'refused at rcpt: no such user', code = 550,
    enhanced = '5.1.1', said = ${SAID} where id in (select id from announcement_mails order by id limit 2)`.execute(db)
  await sql`update announcement_mails set state = 'unknown', reason = 'the mailer ended while it was sent'
    where id in (select id from announcement_mails where state = 'queued' order by id limit 1)`.execute(db)
  await page.goto(page.url())
  await page.click('summary:has-text("The text")')
  await show('admin-announcement-missed')
  await page.fill('#why', 'The address in it is wrong, and we look for the right one')
  await press('Pause')
  await show('admin-announcement-paused')
  await press('Cancel it')
  await show('admin-announcement-cancel-unsure')
  await page.check('input[name=sure]')
  await press('Cancel it')
  await show('admin-announcement-canceled')
  await page.goto(url + PATH)
  await show('admin-announcements')
}
