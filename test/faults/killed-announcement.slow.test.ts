/** An announcement whose mailer, a process of its own, is killed in the middle; and a confirmation that is asked for meanwhile. */
import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { runAnnouncements } from '../../src/newsletter/announcement-run.ts'
import { createAnnouncements } from '../../src/newsletter/announcements.ts'
import { requeueExpired } from '../../src/store/outbox/leases.ts'
import { storeInState } from '../support/fixtures/every-state.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import {
  BY_OPERATOR,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { startProgram } from '../support/processes/program.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'
import { messageIdOf } from './message-fields.ts'

const READERS = 1_200
const PER_SECOND = 150
/** Messages after which the mailer is killed, and after which somebody subscribes. */
const KILLED_AFTER = 300
const ASKED_AFTER = 500
const NEW_READER = 'new@example.org'
const AT = new Date('2026-04-14T05:00:00Z')
const TEXT = { subject: 'We move on Monday', body: 'See [the plan](https://example.org/plan).' }
const POLL = { timeout: 120_000, interval: 50 }

test('nobody is lost with a killed mailer, who may have it twice is counted, and a confirmation does not wait', async ({
  annotate,
}) => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await using folder = await openTestFolder(0o711)
  const first = await subscribe(db, 'reader0@example.org', LONDON_DAILY, AT)
  await sql`insert into subscribers select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
    'email', 'reader' || n || '@example.org'))).* from subscribers s, generate_series(1, ${READERS - 1}::int) n
    where s.id = ${first}`.execute(db)
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  const now = () => new Date()
  const announcements = createAnnouncements({ db, now, wake: wakeNobody })
  const sent = await announcements.send(BY_OPERATOR, { text: TEXT, topics: null, sendAt: null, again: false })
  if ('problem' in sent) throw new Error(sent.problem)
  const tick = () => runAnnouncements({ db, log: SILENT, wake: wakeNobody }, now())
  await tick()

  await using closers = new AsyncDisposableStack()
  let kill = (): void => undefined
  const sink = closers.use(
    await openSmtpSink({
      onMessage: () => {
        if (sink.count() >= KILLED_AFTER) kill()
      },
    }),
  )
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
        MAIL_FROM: 'Paper Round <round@example.net>',
        PORT: '0',
        LOG_LEVEL: 'warn',
      }),
    )
    await mailer.said('is ready')
    await queue.wake('deliveries')
    return mailer
  }

  const doomed = await startMailer()
  kill = doomed.kill
  await sink.waitFor(KILLED_AFTER, POLL.timeout)
  expect((await doomed.end()).code).toBeNull()
  const successor = await startMailer()
  await sink.waitFor(ASKED_AFTER, POLL.timeout)
  await storeInState(db, 'pending', NEW_READER, now())
  await queue.wake('letters')
  await vi.waitFor(async () => {
    // A minute goes by early: what the dead mailer had claimed is claimed again.
    await sql`update announcement_mails set lease_until = now()
      where state = 'sending' and lease_until < now() + interval '45 seconds'`.execute(db)
    await requeueExpired(db, 'announcement_mails')
    await queue.wake('deliveries')
    await tick()
    expect(await announcements.read(sent.id)).toMatchObject({ stage: 'complete' })
  }, POLL)
  await successor.end('SIGTERM')

  const asked = sink.messages.findIndex(({ to }) => to === NEW_READER)
  expect(asked).toBeGreaterThanOrEqual(0)
  expect(new Set(sink.messages.slice(0, asked).map(({ to }) => to)).size).toBeLessThan(READERS)
  const copies = Map.groupBy(
    sink.messages.filter(({ to }) => to !== NEW_READER),
    ({ to }) => to,
  )
  expect(copies.size).toBe(READERS)
  const twice = [...copies].filter(([, messages]) => messages.length > 1)
  // The server had taken the last one before its mailer could know.
  expect(twice.length).toBeGreaterThan(0)
  for (const [, messages] of twice) expect(new Set(messages.map(({ raw }) => messageIdOf(raw))).size).toBe(1)
  const resent = await db
    .selectFrom('announcement_mails')
    .innerJoin('subscribers', 'subscribers.id', 'subscriber_id')
    .select(['email', 'resent'])
    .where('resent', '>', 0)
    .execute()
  for (const [to, messages] of twice) expect(resent).toContainEqual({ email: to, resent: messages.length - 1 })
  const { equation, states } = (await announcements.read(sent.id)) ?? {}
  expect(equation).toMatchObject({ due: READERS, sent: READERS, pending: 0, missing: 0 })
  expect(states?.reduce((sum, one) => sum + one.resent, 0)).toBe(resent.length)
  await annotate(
    `${twice.length} of ${resent.length} sent again had it twice; the confirmation was message ${asked + 1}`,
  )
})
