/** The admin pages about webhooks: none yet, one that is refused, and one that takes nothing. */
import { sql } from 'kysely'
import type { AdminStory } from './admin-story.ts'

export const walkAdminWebhooks = async ({ page, url, db, show }: Omit<AdminStory, 'token'>): Promise<void> => {
  const press = async (what: string): Promise<void> => {
    const answered = page.waitForEvent('load')
    await page.click(what)
    await answered
  }
  await page.goto(`${url}/admin/webhooks`)
  await show('admin-webhooks-none')
  await page.fill('#url', 'http://10.0.0.7/round')
  await page.check('input[value="subscriber.left"]')
  await press('text=Add webhook')
  await show('admin-webhooks-refused')
  await page.fill(
    '#url',
    'https://hooks.a-university-with-a-long-name.example.edu/paper-round/events?tenant=reading-group',
  )
  await press('text=Add webhook')
  await show('admin-webhook-added')
  await press('text=Show secret')
  await show('admin-webhook-secret')
  await press('text=Send a test')
  await sql`insert into webhook_attempts (message_id, attempt, at, milliseconds, status, error)
    select id, n, now(), 15002, null, 'it did not answer within 15 seconds' from webhook_messages, generate_series(1, 2) n`.execute(
    db,
  )
  await sql`update webhook_messages set attempts = 2, next_attempt_at = null`.execute(db)
  await sql`update webhook_endpoints set failures = 2, failing_since = now() - interval '1 hour'`.execute(db)
  await page.goto(page.url())
  await page.click('summary:has-text("What it tells")')
  await show('admin-webhook-failing')
  await page.goto(`${url}/admin/webhooks`)
  await show('admin-webhooks')
}
