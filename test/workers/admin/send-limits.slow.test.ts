/** What an operator sees of caps and a warm-up, and how they set them: many commands, each a program of its own. */
import { expect, test } from 'vitest'
import { applyRelaySettings } from '../../../src/newsletter/sending/limits.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { openNewsletter } from '../../support/fixtures/newsletter.ts'
import { oweEdition } from '../../support/fixtures/owed-edition.ts'
import { runProgram } from '../../support/processes/program.ts'

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
