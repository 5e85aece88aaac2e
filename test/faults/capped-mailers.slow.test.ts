/** Caps over several mailers as processes of their own, one of which is killed: what the mail server took is counted. */
import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { requeueExpired } from '../../src/store/outbox/leases.ts'
import { SENDING } from '../../workers/roles/mailer.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { startProgram } from '../support/processes/program.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const DIGESTS = 400
const PER_DAY = 300
/** Of them a twentieth is kept for letters. */
const FOR_DIGESTS = 285
const PER_SECOND = 60
const POLL = { timeout: 120_000, interval: 50 }

/** The most of these times, milliseconds, that lie within a second. */
const mostInASecond = (times: number[]): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length))

test('two mailers share a cap a second and a day, and a kill -9 of one does not exceed it', async ({ annotate }) => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await oweEdition(db, DIGESTS, 4, 1)
  await using folder = await openTestFolder(0o711)
  const times: number[] = []
  const to = new Set<string>()
  await using sink = await openSmtpSink({
    onMessage: (message) => {
      times.push(performance.now())
      to.add(message.to)
    },
  })
  await using closers = new AsyncDisposableStack()
  const queue = await openQueue({ databaseUrl: newsletter.url, redisUrl: null, workers: 0, onError: () => undefined })
  closers.defer(() => queue.close({ graceMs: 1_000 }))
  const startMailer = async () => {
    const mailer = closers.use(
      startProgram('main', ['mailer'], {
        DATABASE_URL: newsletter.url,
        DATA_DIR: folder.path,
        SECRET_KEY: '07'.repeat(32),
        SMTP_URL: `${sink.url}?requireTLS=false`,
        SMTP_PER_SECOND: String(PER_SECOND),
        SMTP_PER_DAY: String(PER_DAY),
        MAIL_FROM: 'Paper Round <round@example.net>',
        PORT: '0',
        LOG_LEVEL: 'warn',
      }),
    )
    await mailer.said('is ready')
    return mailer
  }
  const used = async () => {
    const { rows } = await sql<{ used: number }>`select sum(mails)::int as used from send_counts`.execute(db)
    return rows[0]?.used ?? 0
  }
  const [doomed, other] = await Promise.all([startMailer(), startMailer()])
  await queue.wake('deliveries')
  await queue.wake('deliveries')
  await sink.waitFor(80, POLL.timeout)
  await doomed.end('SIGKILL')
  const successor = await startMailer()
  await vi.waitFor(async () => {
    // A minute goes by early: what the dead mailer had claimed is claimed again, and counts again.
    await sql`update deliveries set lease_until = now() where state = 'sending' and lease_until < now() + interval '45 seconds'`.execute(
      db,
    )
    await requeueExpired(db, 'deliveries')
    await queue.wake('deliveries')
    expect(await used()).toBe(FOR_DIGESTS)
  }, POLL)
  // What they have begun is finished, and the rest put back.
  await Promise.all([other.end('SIGTERM'), successor.end('SIGTERM')])
  await annotate(`${sink.count()} mails to ${to.size} readers, at most ${mostInASecond(times)} in a second`)
  expect(sink.count()).toBeLessThanOrEqual(FOR_DIGESTS)
  // Counted and not sent is at most what the killed mailer had claimed.
  const unsent = (await used()) - sink.count()
  expect(unsent).toBeGreaterThanOrEqual(0)
  expect(unsent).toBeLessThanOrEqual(SENDING.deliveries.lanes * SENDING.deliveries.connections)
})
