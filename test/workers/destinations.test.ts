/** What an operator sees of throttled routes, and how they clear one. */
import { expect, test } from 'vitest'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'
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
