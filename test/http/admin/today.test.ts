/** The first of the admin pages: what it tells, and that it tells what is so. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { pauseEdition } from '../../../src/newsletter/edition-control.ts'
import { listEditions } from '../../../src/newsletter/editions.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import { reconcile } from '../../../src/newsletter/sending/reconciler.ts'
import { raiseAlarms } from '../../../src/store/alarms.ts'
import { storeRefresh } from '../../../src/store/refreshes.ts'
import { SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { storeFigures } from '../../support/fixtures/operated-service.ts'
import { OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

const CLOCK = '2026-04-15T06:30:00Z'
/** Text of a page as it is read, with one space between words. */
const wordsOf = (text: string): string =>
  text
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ')
/** The cells of the row that begins with a text. */
const rowOf = (page: string, name: string): string[] =>
  (page.split('<tr>').find((row) => wordsOf(row).trim().startsWith(name)) ?? '')
    .split(/<\/t[hd]>/)
    .slice(1, -1)
    .map((cell) => wordsOf(cell).trim())

test('a service with nothing wrong says so, and shows an edition with its equation', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const { db } = newsletter
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await reconcile({ db, log: SILENT, wake: wakeNobody })
  await using site = await openAdminSite({ db, clock: CLOCK })
  const browser = await site.signInAs('look')
  const { text, status } = await browser.get('/admin')
  expect(status).toBe(200)
  expect(wordsOf(text)).toContain('Everything is in order')
  const [edition] = await listEditions(db, 1)
  expect(rowOf(text, String(edition?.id))).toEqual(['complete', '3', '3', '0', '0', '0', '0', '0'])
  expect(rowOf(text, 'active')).toEqual(['3'])
  expect(rowOf(text, 'Oldest digest')).toEqual(['none waits'])
  expect(rowOf(text, 'Hard bounces')).toEqual(['0', '0%', '3%'])
  // One who may only look has nothing to press but what signs them out.
  expect([...text.matchAll(/<form[^>]+action="([^"]+)"/g)].map(([, to]) => to)).toEqual(['/admin/sign-out'])
})

test('the digests of the last 30 days stand as a chart by outcome, once some were counted', async () => {
  await using site = await openAdminSite({ clock: CLOCK })
  const browser = await site.signInAs('look')
  expect((await browser.get('/admin')).text).not.toContain('Digests of the last 30 days')
  await storeFigures(site.db)
  const words = wordsOf((await browser.get('/admin')).text)
  const [newest] = await sql<{ count: string }>`select count from daily_figures
    where name = 'deliveries' and label = 'sent' order by day desc limit 1`
    .execute(site.db)
    .then(({ rows }) => rows)
  const sent = Number(newest?.count).toLocaleString('en-GB')
  expect(words).toMatch(new RegExp(`Digests of the last 30 days .*Sent ${sent} .*17 Mar .*15 Apr ${sent} `))
})

test('what needs a person is told first, each once, and an edition under way adds up', async () => {
  await using newsletter = await openSendingNewsletter(5, ({ stage, to }) =>
    stage === 'rcpt' && to === 'reader1@example.org' ? { reply: '550 5.1.1 no such user' } : undefined,
  )
  const { db } = newsletter
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await sql`update deliveries set state = 'queued', sent_at = null, next_attempt_at = now() - interval '3 minutes'
    where id = (select id from deliveries where state = 'sent' limit 1)`.execute(db)
  const [edition] = await listEditions(db, 1)
  const id = edition?.id ?? 0
  const at = new Date(CLOCK)
  await storeRefresh(db, 'huggingface', new Date('2026-04-13T06:00:00Z'), null)
  await storeRefresh(db, 'huggingface', at, 'the server answered 503')
  const alarm = {
    kind: 'relay',
    subject: 'mail.example.org',
    title: 'The relay refuses the login',
    detail: 'It does.',
  } as const
  await raiseAlarms(db, [{ ...alarm, advice: 'Check SMTP_URL.' }], [], at)
  await using site = await openAdminSite({ db, clock: CLOCK })
  const browser = await site.signInAs('act')
  const before = (await browser.get('/admin')).text
  expect(rowOf(before, String(id))).toEqual(['sending', '5', '3', '1', '1', '0', '0', '0'])
  expect(rowOf(before, 'Oldest digest')).toEqual(['3 minutes'])
  expect(rowOf(before, 'huggingface')).toEqual(['2 days ago'])

  await pauseEdition(db, id, { by: 'Ada', why: 'a typo' })
  const { text } = await browser.press('/admin/service/hold', { why: 'moving house' })
  expect(wordsOf(text)).toContain('The service is held: nothing is published or sent.')
  const matters = [...text.slice(text.indexOf('class="matters"')).matchAll(/<li><p>(.*?)<\/p>/g)].map(([, one]) => one)
  expect(matters).toEqual([
    expect.stringMatching(/^The service is held since .* by Operator act \d+ \(moving house\)/),
    'The relay refuses the login. Check SMTP_URL.',
    `Edition ${id} is paused: a typo. 1 digest of it waits.`,
    'The source huggingface was not read for a day: the server answered 503',
  ])
  // The message is told once.
  expect(wordsOf((await browser.get('/admin')).text)).not.toContain('nothing is published or sent. Today')
  expect((await browser.post('/admin/service/hold', { why: ' ' })).status).toBe(422)
  expect(wordsOf((await browser.press('/admin/service/resume')).text)).toContain('The service goes on.')
  expect(wordsOf((await browser.press('/admin/service/resume')).text)).toContain('The service is not held.')
  const record = await db
    .selectFrom('audit_log')
    .select(['action', 'via', 'by_whom'])
    .where('action', 'like', 'service.%')
    .orderBy('id')
    .execute()
  expect(record).toEqual(
    ['service.held', 'service.resumed'].map((action) => ({ action, via: 'admin', by_whom: browser.name })),
  )
})
