/** The admin pages as an operator sees them, one after the other: a quiet day, and one on which much is wrong. */
import { sql } from 'kysely'
import type { Page } from 'playwright-core'
import { addOperator, endOperator } from '../../../src/newsletter/operators.ts'
import { holdService } from '../../../src/newsletter/service-hold.ts'
import { raiseAlarms } from '../../../src/store/alarms.ts'
import type { Database } from '../../../src/store/database.ts'
import { storeRefresh } from '../../../src/store/refreshes.ts'
import { oweEdition } from '../fixtures/owed-edition.ts'

export interface AdminStory {
  page: Page
  /** The address of the site, without a path. */
  url: string
  db: Database
  token: string
  show(name: string): Promise<void>
}

/** When the story plays, by the service's clock. */
export const ADMIN_STORY_AT = '2026-04-15T06:30:00Z'
const NOW = new Date(ADMIN_STORY_AT)
const BY = { byWhom: 'ada', via: 'command' } as const

/** Sends a form, and waits for the page that answers it. */
const send = async (page: Page, press: () => Promise<void>): Promise<void> => {
  const answered = page.waitForEvent('load')
  await press()
  await answered
}

export const walkAdminPages = async (story: AdminStory): Promise<void> => {
  const { page, url, db, token, show } = story
  const open = async (path: string, name: string) => {
    await page.goto(url + path)
    await show(name)
  }
  await open('/admin', 'admin-sign-in')
  await page.fill('#token', 'not the token')
  await send(page, () => page.keyboard.press('Enter'))
  await show('admin-sign-in-refused')
  await page.fill('#token', token)
  await send(page, () => page.keyboard.press('Enter'))
  await show('admin-today-empty')

  await oweEdition(db, 1_200, 2, 1)
  await sql`update deliveries set state = 'sent', sent_at = now() - interval '1 hour'`.execute(db)
  await sql`update editions set completed_at = begun_at + interval '2 minutes',
    totals = '[{"state": "sent", "reason": null, "count": 1200, "resent": 0}]'`.execute(db)
  await storeRefresh(db, 'huggingface', new Date(NOW.getTime() - 20 * 60_000), null)
  await storeRefresh(db, 'arxiv', new Date(NOW.getTime() - 20 * 60_000), null)
  await open('/admin', 'admin-today')
  await makeTrouble(db)
  await open('/admin', 'admin-today-in-trouble')

  await open('/admin/operators', 'admin-operators-none')
  await page.fill('#name', 'Grace Hopper')
  await page.check('input[value=act]')
  await send(page, () => page.keyboard.press('Enter'))
  await show('admin-operators-token')
  for (const [name, role] of [
    ['Augusta Ada King, Countess of Lovelace, née Byron', 'look'],
    ['Mary Somerville', 'own'],
  ] as const)
    await addOperator({ db, now: () => NOW }, BY, { name, role })
  await endOperator({ db, now: () => NOW }, BY, 'Mary Somerville')
  await page.goto(`${url}/admin/operators`)
  await page.fill('#name', 'Grace Hopper')
  await send(page, () => page.keyboard.press('Enter'))
  await show('admin-operators-refused')
  await holdService(db, BY, 'A move to another server, which takes until noon')
  await open('/admin', 'admin-today-held')
  await open('/admin/audit', 'admin-audit')
  await send(page, () => page.click('text=Undo'))
  await show('admin-audit-undone')
  await open('/admin/audit?by=nobody', 'admin-audit-nothing')
  await open('/admin/nothing-here', 'admin-not-found')
}

/** An edition under way that was paused, a relay in trouble, bounces, a source that is not read, readers set aside. */
const makeTrouble = async (db: Database): Promise<void> => {
  await sql`update editions set completed_at = null, totals = null, paused_at = now(), paused_by = 'alarm',
    paused_why = '41 of 1100 digests (3.73%) went to addresses that do not exist'`.execute(db)
  await sql`update deliveries set state = 'queued', sent_at = null, next_attempt_at = now() - interval '9 minutes'
    where id in (select id from deliveries limit 100)`.execute(db)
  await sql`insert into mail_feedback (mail_id, kind, stream, subscriber_id, edition_id, class, code, diagnostic, source)
    select id, 'bounce', 'deliveries', subscriber_id, edition_id, 'hard', '5.1.1', 'no such user', 'smtp'
    from deliveries where state = 'sent' limit 41`.execute(db)
  await sql`insert into throttled_routes (kind, name, domains, cause, reason, not_before, concurrency, successes, failures)
    values ('destination', 'a-university-with-a-long-name.example.edu', '{}', 'rate',
      '421 4.7.28 Our system has detected an unusual rate of mail from your address', now() + interval '4 minutes', 1, 0, 3)`.execute(
    db,
  )
  await sql`insert into set_aside_subscribers (subscriber_id, due_at, retry_at, attempts, reason)
    select id, next_due_at, next_due_at, 3, 'a time zone that nobody knows' from subscribers limit 3`.execute(db)
  await storeRefresh(db, 'arxiv', new Date(NOW.getTime() - 30 * 3_600_000), null)
  await storeRefresh(db, 'arxiv', NOW, 'export.arxiv.org answered 503 Service Unavailable')
  await raiseAlarms(
    db,
    [
      {
        kind: 'relay',
        subject: 'mail.example.org',
        title: 'The relay mail.example.org refuses the login',
        detail: 'It said 535 5.7.8. 100 mails wait.',
        advice: 'Check the user and the password in SMTP_URL.',
      },
    ],
    [],
    NOW,
  )
}
