/** The pages of announcements: written, looked at, tested and sent with the number of readers, followed, paused and called off. */
import { expect, test } from 'vitest'
import { runAnnouncements } from '../../../src/newsletter/announcement-run.ts'
import { claim } from '../../../src/store/outbox/claims.ts'
import { record } from '../../../src/store/outbox/outcomes.ts'
import { EVERY_STATE, storeInState } from '../../support/fixtures/every-state.ts'
import { SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

const AT = new Date('2026-04-14T05:00:00Z')
const NOW = new Date('2026-04-15T09:00:00Z')
const PATH = '/admin/announcements'
const TEXT = { subject: 'We move <on> Monday', body: '# Why\n\nMore *room*: [the plan](https://example.org/plan).' }

const plain = (html: string) => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

const openFilled = async () => {
  const site = await openAdminSite()
  for (const state of EVERY_STATE) await storeInState(site.db, state, `${state}@example.org`, AT)
  await storeInState(site.db, 'active', 'grace@example.org', AT)
  return site
}

test('one is written, looked at in both themes, and sent to as many readers as the page said', async () => {
  await using site = await openFilled()
  const browser = await site.signInAs('act')
  expect(plain((await browser.get(PATH)).text)).toContain('There are no announcements yet.')
  await browser.get(`${PATH}/new`)
  const reviewed = await browser.post(`${PATH}/new`, TEXT)
  expect(reviewed.status).toBe(200)
  expect(plain(reviewed.text)).toContain('It goes to all readers: 2 readers now.')
  expect(plain(reviewed.text)).toMatch(/Not reached: 1 have not confirmed yet, 1 may not be mailed/)
  expect(reviewed.text).toContain('value="We move &lt;on&gt; Monday"')
  for (const [theme, media] of [
    ['light', '@media not all'],
    ['dark', '@media all'],
  ]) {
    const mail = await browser.post(`${PATH}/look`, { ...TEXT, theme: theme ?? '' })
    expect(mail.headers['content-security-policy']).toContain("default-src 'none'")
    expect(mail.text).toContain(media)
    expect(mail.text).not.toContain('prefers-color-scheme')
    expect(mail.text).toContain('We move &lt;on&gt; Monday')
    expect(mail.text).toMatch(/<h2 [^>]*>Why<\/h2>/)
  }
  const stale = await browser.post(PATH, { ...TEXT, readers: '7' })
  expect([stale.status, plain(stale.text)]).toEqual([422, expect.stringContaining('It would go to 2 readers now.')])
  const sent = await browser.press(PATH, { ...TEXT, readers: '2' })
  expect(plain(sent.text)).toContain('It is being sent to 2 readers.')
  expect(site.wakes).toContain('tick')
  const again = await browser.post(PATH, { ...TEXT, readers: '2' })
  expect([again.status, plain(again.text)]).toEqual([422, expect.stringContaining('is not addressed to everybody yet')])
  expect(plain((await browser.get(PATH)).text)).toContain('We move &lt;on&gt; Monday all readers')
})

test('what is wrong is said by line, and what was typed stays', async () => {
  await using site = await openFilled()
  const browser = await site.signInAs('act')
  await browser.get(`${PATH}/new`)
  const refused = await browser.post(`${PATH}/new`, { subject: '', body: 'Hello\n\n<b>all</b>' })
  expect(refused.status).toBe(422)
  expect(plain(refused.text)).toContain('The subject is missing. Line 3: HTML can’t be used: write this in Markdown.')
  expect(refused.text).toContain('&lt;b&gt;all&lt;/b&gt;')
  for (const path of [PATH, `${PATH}/look`, `${PATH}/test`])
    expect([path, (await browser.post(path, { body: 'x' })).status]).toEqual([path, 422])
  const nobody = await browser.post(`${PATH}/test`, { ...TEXT, to: 'pending@example.org' })
  expect(plain(nobody.text)).toContain('pending@example.org is not an active subscriber.')
  const tested = await browser.post(`${PATH}/test`, { ...TEXT, to: 'grace@example.org' })
  expect(plain(tested.text)).toContain('The test is on its way to grace@example.org.')
  expect(await site.db.selectFrom('announcement_mails').select('state').execute()).toEqual([{ state: 'queued' }])
})

test('an announcement shows who missed it, is sent to them again, paused, resumed and called off, all on record', async () => {
  await using site = await openFilled()
  const browser = await site.signInAs('act')
  await browser.get(`${PATH}/new`)
  const { location } = await browser.post(PATH, { ...TEXT, readers: '2' })
  const page = location ?? ''
  const run = () => runAnnouncements({ db: site.db, log: SILENT, wake: wakeNobody }, NOW)
  await run()
  const [mail] = await claim(site.db, 'announcement_mails', 1)
  if (mail === undefined) throw new Error('nothing was claimed')
  const failed = {
    state: 'failed',
    reason: 'refused at rcpt: no',
    retryAfterMs: 0,
    counts: true,
    resend: false,
  } as const
  const reply = { code: 550, enhanced: '5.1.1', said: 'no <such> user' }
  await record(site.db, 'announcement_mails', [{ ...mail, ...failed, reply }])
  const shown = await browser.get(page)
  expect(plain(shown.text)).toContain('2 = 0 sent + 1 failed + 1 pending')
  expect(plain(shown.text)).toContain('no &lt;such&gt; user')
  expect(plain((await browser.press(`${page}/resend`, {})).text)).toContain('Sent to 1 reader again.')
  expect(plain((await browser.press(`${page}/pause`, { why: 'a mistake' })).text)).toMatch(/Paused .* : a mistake/)
  expect(await claim(site.db, 'announcement_mails', 1)).toEqual([])
  await browser.press(`${page}/resume`, {})
  const unsure = await browser.post(`${page}/cancel`, {})
  expect([unsure.status, plain(unsure.text)]).toEqual([422, expect.stringContaining('Tick the box to cancel it')])
  expect(plain((await browser.press(`${page}/cancel`, { sure: 'yes' })).text)).toContain('is canceled.')
  const late = await browser.post(`${page}/pause`, {})
  expect([late.status, plain(late.text)]).toEqual([422, expect.stringContaining('is canceled.')])
  await run()
  expect(plain((await browser.get(page)).text)).toContain('2 = 0 sent + 2 canceled')
  const acts = await site.db.selectFrom('audit_log').select(['action', 'by_whom']).orderBy('id').execute()
  expect(acts.filter(({ by_whom }) => by_whom === browser.name).map(({ action }) => action)).toEqual([
    'announcement.sent',
    'announcement.resent',
    'announcement.paused',
    'announcement.resumed',
    'announcement.canceled',
  ])
  for (const id of ['0', 'x', '99']) expect([id, (await browser.get(`${PATH}/${id}`)).status]).toEqual([id, 404])
})

test('whoever may only look sees how it goes, and no button', async () => {
  await using site = await openFilled()
  const act = await site.signInAs('act')
  await act.get(`${PATH}/new`)
  const { location } = await act.post(PATH, { ...TEXT, readers: '2' })
  const look = await site.signInAs('look')
  for (const path of [PATH, location ?? '']) {
    const { status, text } = await look.get(path)
    expect([path, status]).toEqual([path, 200])
    expect(text).not.toMatch(/announcements\/new|<form[^>]*announcements/)
  }
  expect((await look.get(`${PATH}/new`)).status).toBe(403)
})
