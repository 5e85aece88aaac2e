/** The admin pages about editions, subscribers, suppressions and what was set aside: empty, and with much that others wrote. */
import { sql } from 'kysely'
import type { Page } from 'playwright-core'
import type { Database } from '../../../src/store/database.ts'
import { HOSTILE, oweMissedEdition } from '../fixtures/missed-edition.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../fixtures/newsletter.ts'

export interface AdminReadersStory {
  /** Where somebody with the role own is signed in. */
  page: Page
  /** The address of the site, without a path. */
  url: string
  db: Database
  show(name: string): Promise<void>
}

const AT = new Date('2026-04-14T05:00:00Z')

export const walkAdminReaders = async ({ page, url, db, show }: AdminReadersStory): Promise<void> => {
  const open = async (path: string, name: string) => {
    await page.goto(url + path)
    await show(name)
  }
  // A walk that went before has left something.
  const isEmpty = (await db.selectFrom('editions').select('id').executeTakeFirst()) === undefined
  if (isEmpty)
    for (const subject of ['editions', 'subscribers', 'suppressions', 'set-aside'])
      await open(`/admin/${subject}`, `admin-${subject}-none`)

  const { id, reader } = await oweMissedEdition(db)
  await open('/admin/editions', 'admin-editions')
  await open(`/admin/editions/${id}`, 'admin-edition')
  await open(`/admin/editions/${id}/missed`, 'admin-edition-missed')
  await open(`/admin/editions/${id}/resend`, 'admin-edition-resend')
  await open(`/admin/editions/${id}/cancel`, 'admin-edition-cancel')
  await page.getByRole('button', { name: /^Cancel/ }).click()
  await page.waitForLoadState()
  await show('admin-edition-cancel-unsaid')

  await giveTrouble(db, id, reader(7))
  await open(`/admin/editions/${id}`, 'admin-edition-returned')
  await open('/admin/subscribers', 'admin-subscribers')
  await open(`/admin/subscribers/${reader(7)}`, 'admin-subscriber-refused')
  await storeDay(db, '2026-04-13')
  const ada = await subscribe(db, 'ada@example.org', LONDON_DAILY, AT)
  await sql`update letters set state = 'sent', sent_at = ${AT}, attempted_at = ${AT}, code = 250,
    said = '250 2.0.0 Ok: queued as 4XyZ' where subscriber_id = ${ada}`.execute(db)
  await open(`/admin/subscribers/${ada}`, 'admin-subscriber')
  await page.getByRole('button', { name: 'Erase' }).click()
  await page.waitForLoadState()
  await show('admin-subscriber-not-erased')
  const welcome = await db.selectFrom('letters').select('id').where('kind', '=', 'welcome').executeTakeFirstOrThrow()
  await open(`/admin/subscribers/${ada}/mails/${welcome.id}`, 'admin-subscriber-mail')
  await open('/admin/suppressions', 'admin-suppressions')
  await open('/admin/suppressions/changes', 'admin-suppression-changes')
  await open('/admin/suppressions/remove?address=gone1@example.com', 'admin-suppression-remove')
  await open(`/admin/suppressions/of-edition?edition=${id}`, 'admin-suppressions-of-edition')
  await open('/admin/set-aside', 'admin-set-aside')
}

/** Bounces, suppressions and readers that were set aside, with what servers wrote. */
const giveTrouble = async (db: Database, edition: number, reader: string): Promise<void> => {
  await sql`insert into mail_feedback (mail_id, kind, stream, subscriber_id, edition_id, class, code, diagnostic, source)
    select id, 'bounce', 'deliveries', subscriber_id, edition_id, 'hard', '5.1.1', ${HOSTILE.said}, 'smtp' from deliveries
    where subscriber_id = ${reader}`.execute(db)
  await sql`insert into suppressions (email, class, reason, code, diagnostic, source, edition_id)
    select 'gone' || n || '@example.com', case when n = 3 then 'complaint' else 'hard' end, 'the address does not exist', '5.1.1',
      ${HOSTILE.said}, 'smtp', ${edition} from generate_series(1, 3) n`.execute(db)
  await sql`insert into suppression_log (email, change, class, by_whom, why)
    select email, 'added', class, source, reason from suppressions`.execute(db)
  await sql`insert into set_aside_subscribers (subscriber_id, due_at, retry_at, reason)
    select id, next_due_at, next_due_at, ${HOSTILE.said} from subscribers where next_due_at is not null limit 2`.execute(
    db,
  )
  await sql`insert into sign_ups (kind, email, requested_at, attempts, set_aside_at, reason)
    values ('links', ${HOSTILE.address}, ${AT}, 3, now(), ${HOSTILE.said})`.execute(db)
}
