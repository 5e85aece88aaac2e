/** What an operator sees of throttled routes, and how they clear one. */
import { expect, test } from 'vitest'
import { applyRelaySettings } from '../../src/newsletter/sending/limits.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { runProgram } from '../support/processes/program.ts'

test('throttled routes are listed with the reply of the server, and cleared by name', async () => {
  await using newsletter = await openNewsletter()
  await using folder = await openTestFolder(0o711)
  const row = {
    domains: ['gmail.com', 'googlemail.com'],
    not_before: new Date('2026-04-14T05:10:00Z'),
    concurrency: 3,
    successes: 0,
    failures: 1,
  }
  await newsletter.db
    .insertInto('throttled_routes')
    .values([
      { ...row, kind: 'destination', name: 'gmail.com', cause: 'limited', reason: '421 4.7.28 Unusual rate' },
      { ...row, kind: 'relay', name: 'mail.example.net:587', domains: [], cause: 'login', reason: '535 No' },
      { ...row, kind: 'relay', name: 'out.example.net:587', domains: [], cause: 'quota', reason: '550 Daily quota' },
    ])
    .execute()
  const settings = { DATABASE_URL: newsletter.url, DATA_DIR: folder.path, LOG_LEVEL: 'warn' }
  const admin = (...words: string[]) => runProgram('admin', words, settings)

  const listed = await admin('destinations', 'list')
  expect(listed).toMatchObject({ code: 0, stderr: '' })
  expect(listed.stdout).toMatch(/relay mail\.example\.net:587: login since .*, closed, one mail at a time probes it/)
  expect(listed.stdout).toContain('check the user and password in SMTP_URL')
  expect(listed.stdout).toMatch(
    /relay out\.example\.net:587: quota .*\n.*\n {2}550 Daily quota\n {2}the mail server says that our limit is reached/,
  )
  expect(listed.stdout).toMatch(/gmail\.com: limited since .*, 3 at a time/)
  expect(listed.stdout).toContain('421 4.7.28 Unusual rate')

  expect(await admin('destinations', 'clear', 'googlemail.com')).toMatchObject({ code: 0 })
  expect(await admin('destinations', 'clear', 'gmail.com')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('gmail.com is not throttled'),
  })
  const left = await newsletter.db.selectFrom('throttled_routes').select('name').execute()
  expect(left).toHaveLength(2)
})

test('caps and a warm-up are set, listed with what is used, put into an edition’s estimate, and taken back', async () => {
  await using newsletter = await openNewsletter()
  await using folder = await openTestFolder(0o711)
  await oweEdition(newsletter.db, 50, 1, 1)
  const settings = {
    DATABASE_URL: newsletter.url,
    DATA_DIR: folder.path,
    LOG_LEVEL: 'warn',
    SMTP_URL: 'smtp://relay.example.net:2525',
    MAIL_FROM: 'round@example.net',
  }
  const admin = (...words: string[]) => runProgram('admin', words, settings)
  expect(await admin('destinations', 'limit', 'Googlemail.com', '--per-hour', '40')).toMatchObject({ code: 0 })
  expect(await admin('destinations', 'warm-up', '--start', '20', '--growth', '2', '--until', '40')).toMatchObject({
    code: 0,
  })
  const listed = await admin('destinations', 'list')
  expect(listed.stdout).toMatch(
    /relay relay\.example\.net:2525 is capped\n {2}warm-up: 0 of 20 in 24 hours, since .*; each day 2 times as many, up to 40/,
  )
  expect(listed.stdout).toMatch(/gmail\.com is capped: 0 of 40 in 60 minutes \(2 kept for letters\)/)
  // 20 today, and the other 30 of its 50 tomorrow.
  const edition = await newsletter.db.selectFrom('editions').select('id').executeTakeFirstOrThrow()
  const shown = await admin('editions', 'show', String(edition.id), '--json')
  const hours = (Date.parse(JSON.parse(shown.stdout).expectedAt) - Date.now()) / 3_600_000
  expect(hours).toBeGreaterThan(23)
  expect(hours).toBeLessThan(25)

  expect(await admin('destinations', 'limit', 'gmail.com', '--none')).toMatchObject({ code: 0 })
  expect(await admin('destinations', 'warm-up', '--stop')).toMatchObject({ code: 0 })
  expect((await admin('destinations', 'list')).stdout).toBe('No route is throttled.\n')
  expect(await admin('destinations', 'limit', 'relay')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('say how much'),
  })
  // What the settings of the mailers say is changed there alone.
  await applyRelaySettings(newsletter.db, 'relay.example.net:2525', { perSecond: null, perHour: null, perDay: 2_000 })
  expect(await admin('destinations', 'limit', 'relay', '--per-day', '100')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('SMTP_PER_DAY'),
  })
  await applyRelaySettings(newsletter.db, 'relay.example.net:2525', { perSecond: null, perHour: null, perDay: null })
  expect(await admin('destinations', 'limit', 'relay', '--per-day', '100')).toMatchObject({ code: 0 })
})
