/** A reader complains: from the line of the log to the mail, what became of it, and the ledger of its edition. */
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { LONDON_DAILY, subscribe } from '../support/fixtures/newsletter.ts'
import { runProgram } from '../support/processes/program.ts'
import { handOver } from '../support/servers/handed-over-mail.ts'
import { startTestService } from '../support/servers/service.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const START = '2026-04-15T05:00:00Z'
const ADA = 'ada@example.org'

test('the line about a complaint names the mail and its edition, and the commands show both', async () => {
  await using folder = await openTestFolder()
  await using sink = await openSmtpSink()
  await using service = await startTestService({
    clock: START,
    days: ['2026-04-13', '2026-04-14', '2026-04-15'],
    smtpUrl: sink.url,
    settings: { BOUNCE_DOMAIN: 'bounces.example.org', BOUNCES_PORT: '0', SIGN_UPS_PER_HOUR: 'all=3000' },
  })
  const db = openDatabase(service.databaseUrl, { connections: 1, name: 'test', onError: () => undefined })
  await subscribe(db, ADA, LONDON_DAILY, new Date(START))
  await db.destroy()
  // The welcome is of the day before.
  const isDigest = ({ raw }: { raw: string }) => /^Date: .*16 Apr 2026/m.test(raw)
  service.setClock('2026-04-16T06:00:30Z')
  await service.wake('tick')
  await expect.poll(() => sink.messages.filter(isDigest).length).toBe(1)
  const digest = sink.messages.find(isDigest)
  const messageId = /^Message-ID: <([0-9a-f-]{36})@/im.exec(digest?.raw ?? '')?.[1] ?? ''

  const report = `From: fbl@example.net\r\nSubject: report\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=e\r\n\r\n--e\r\n\r\nabuse\r\n--e\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nOriginal-Mail-From: <${digest?.from}>\r\n--e\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <${messageId}@example.org>\r\nSubject: x\r\n\r\nbody\r\n--e--\r\n`
  await handOver(service.bouncesPort, '', 'complaints@bounces.example.org', report)
  const complaint = () => service.logged.find((line) => line.includes('a mail was complained about'))
  await expect.poll(complaint).toBeDefined()
  const { mail, edition, stream } = JSON.parse(complaint() ?? '{}')
  expect({ mail, stream }).toEqual({ mail: messageId, stream: 'deliveries' })

  const settings = { DATABASE_URL: service.databaseUrl, DATA_DIR: folder.path, NODE_ENV: 'development' }
  const admin = async (...words: string[]) => {
    const { code, stdout, stderr } = await runProgram('admin', words, settings)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
    return stdout
  }
  expect(await admin('mails', 'show', mail)).toMatch(/ada@example\.org[\s\S]*came back .* complaint/)
  const account = JSON.parse(await admin('--json', 'editions', 'show', String(edition)))
  expect(account).toMatchObject({ id: edition, equation: { due: 1, missing: 0 }, returned: { complaint: 1 } })
})
