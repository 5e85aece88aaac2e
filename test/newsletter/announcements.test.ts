import { sql } from 'kysely'
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import { DAY, MINUTE } from '../../src/core/calendar.ts'
import { deriveToken } from '../../src/core/token.ts'
import { addressAnnouncements, runAnnouncements } from '../../src/newsletter/announcement-run.ts'
import { type AnnouncementOrder, createAnnouncements } from '../../src/newsletter/announcements.ts'
import { checkEditions } from '../../src/newsletter/feedback/edition-alarm.ts'
import { recordFeedback } from '../../src/newsletter/feedback/feedback.ts'
import { deleteOld } from '../../src/newsletter/maintenance.ts'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { addressNext } from '../../src/store/announcements.ts'
import { moveSubscription } from '../../src/store/moved-subscriptions.ts'
import { claim } from '../../src/store/outbox/claims.ts'
import { countLeased, requeueExpired } from '../../src/store/outbox/leases.ts'
import { setSendLimit } from '../../src/store/outbox/send-limits.ts'
import { makePending, preferencesOf, readSubscriber } from '../../src/store/subscribers.ts'
import { eraseFrom, KEYS, LONDON_DAILY, SILENT, subscribe, wakeNobody } from '../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../support/fixtures/sending-newsletter.ts'
import { bounce } from '../support/fixtures/sent-edition.ts'

const ACTOR = { byWhom: 'Grace', via: 'command' } as const
const TEXT = {
  subject: 'We move on Monday',
  body: 'Digests come an hour later. See [the plan](https://example.org/plan).',
}
const ORDER: AnnouncementOrder = { text: TEXT, topics: null, sendAt: null, again: false }
const LATER = new Date(DUE.getTime() + 90 * MINUTE)

/** A newsletter whose digests have been sent, with what an operator announces by. */
const openAnnouncing = async (readers: number, { digestsSent = true } = {}) => {
  const newsletter = await openSendingNewsletter(readers)
  const { db, ports, sink } = newsletter
  if (digestsSent) await drain(ports, 'deliveries', OPTIONS)
  const before = sink.count()
  let now = LATER
  const announcements = createAnnouncements({ db, now: () => now, wake: wakeNobody })
  const run = () => runAnnouncements({ db, log: SILENT, wake: wakeNobody }, now)
  return {
    ...newsletter,
    announcements,
    run,
    setNow: (at: Date) => {
      now = at
    },
    send: async (order: Partial<AnnouncementOrder> = {}): Promise<number> => {
      const sent = await announcements.send(ACTOR, { ...ORDER, ...order })
      if ('problem' in sent) throw new Error(sent.problem)
      await run()
      return sent.id
    },
    drain: () => drain(ports, 'announcement_mails', OPTIONS),
    /** To whom it went, by the sink. */
    recipients: () =>
      sink.messages
        .slice(before)
        .flatMap(({ to }) => to)
        .sort(),
    equation: async (id: number) => {
      await run()
      return (await announcements.read(id))?.equation
    },
  }
}

test('each reader gets it once, with links of their own and a way out of announcements alone', async () => {
  await using newsletter = await openAnnouncing(40)
  const id = await newsletter.send()
  expect(await newsletter.drain()).toBe(40)
  expect(await newsletter.drain()).toBe(0)
  expect(new Set(newsletter.recipients()).size).toBe(40)
  expect(await newsletter.equation(id)).toMatchObject({ due: 40, sent: 40, pending: 0, missing: 0 })
  expect(await newsletter.announcements.read(id)).toMatchObject({ stage: 'complete', writtenBy: 'Grace' })

  const [first] = newsletter.sink.messages.filter(({ to }) => to.includes('reader7@example.org')).slice(-1)
  const mail = await PostalMime.parse(Buffer.from(first?.raw ?? '', 'latin1'))
  const headers = new Map(mail.headers.map(({ key, value }) => [key, value]))
  const reader = await newsletter.db
    .selectFrom('subscribers')
    .select('id')
    .where('email', '=', 'reader7@example.org')
    .executeTakeFirstOrThrow()
  const stop = `http://localhost:8080/announcements/${deriveToken(KEYS, 'announcements', reader.id)}`
  expect(mail.subject).toBe('We move on Monday')
  expect(headers.get('list-unsubscribe')).toBe(`<${stop}>`)
  expect(headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
  expect(headers.get('list-id')).toBe('Paper Round <announcements.example.net>')
  expect(headers.get('from')).toContain('round@example.net')
  expect(mail.text).toContain('See the plan (https://example.org/plan).')
  for (const part of [mail.text, mail.html]) {
    expect(part).toContain(stop)
    expect(part).toContain(`/unsubscribe/${deriveToken(KEYS, 'unsubscribe', reader.id)}`)
    expect(part).toContain('You get this because you subscribe to Paper Round.')
    expect(part).not.toContain('TOKEN')
  }
})

test('it gives way to digests and letters, and leaves their caps alone', async () => {
  await using newsletter = await openAnnouncing(5, { digestsSent: false })
  const { db, ports, sink } = newsletter
  const id = await newsletter.send()
  expect(await newsletter.drain()).toBe(0)
  expect(await newsletter.equation(id)).toMatchObject({ due: 5, pending: 5 })
  expect(await drain(ports, 'deliveries', OPTIONS)).toBe(5)
  // Of 20 an hour one is kept for letters, the digests have counted, and 14 are left: two readers stay.
  await sql`insert into subscribers select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
    'email', 'late' || n || '@example.org'))).* from subscribers s, generate_series(1, 11) n where s.email = 'reader0@example.org'`.execute(
    db,
  )
  const more = await newsletter.send({ text: { ...TEXT, subject: 'Another' } })
  await newsletter.announcements.pause(ACTOR, id, null)
  await setSendLimit(
    db,
    { kind: 'relay', name: 'sink', domains: [] },
    { caps: { perSecond: null, perHour: 20, perDay: null }, fromSettings: false },
  )
  expect(await newsletter.drain()).toBe(14)
  expect(await newsletter.equation(more)).toMatchObject({ due: 16, sent: 14, pending: 2 })
  expect(sink.count()).toBe(19)
})

test('who left, paused, was suppressed or stopped announcements by the time of the claim gets none', async () => {
  await using newsletter = await openAnnouncing(7)
  const { db, ids } = newsletter
  const id = await newsletter.send()
  const links = createSubscriptions({ db, keys: KEYS, now: () => LATER, wake: wakeNobody })
  const [left = '', paused = '', suppressed = '', stopped = '', erased = ''] = ids
  await links.unsubscribe(deriveToken(KEYS, 'unsubscribe', left))
  await links.pause(deriveToken(KEYS, 'preferences', paused), '2026-05-15')
  await sql`insert into suppressions (email, reason, source, class)
    select email, 'no such user', 'smtp', 'hard' from subscribers where id = ${suppressed}`.execute(db)
  expect(await links.stopAnnouncements(deriveToken(KEYS, 'announcements', stopped))).toMatchObject({ wanted: false })
  await eraseFrom(db, erased)
  expect(await newsletter.drain()).toBe(2)
  expect(await newsletter.equation(id)).toMatchObject({ due: 7, sent: 2, skipped: 5, missing: 0 })
  // Digests go on for who stopped announcements.
  expect(await links.readPreferences(deriveToken(KEYS, 'preferences', stopped))).toMatchObject({
    state: 'active',
    announcements: false,
  })
  const other = await newsletter.announcements.reach({ ...ORDER, text: { ...TEXT, subject: 'Other' } })
  expect(other).toEqual({ owed: 2, hadIt: 0, stopped: 1, paused: 1, pending: 0, suppressed: 1 })
})

test('what mailers have claimed of it is counted, so that a database becomes read-only after it alone', async () => {
  await using newsletter = await openAnnouncing(3)
  await newsletter.send()
  expect(await countLeased(newsletter.db)).toBe(0)
  await claim(newsletter.db, 'announcement_mails', 2)
  expect(await countLeased(newsletter.db)).toBe(2)
})

test('nobody is mailed who unsubscribes while the group is on its way', async () => {
  await using newsletter = await openAnnouncing(3)
  const { db, ports, ids } = newsletter
  await newsletter.send()
  const links = createSubscriptions({ db, keys: KEYS, now: () => LATER, wake: wakeNobody })
  const compose: typeof ports.compose = async (mail) => {
    // While the first is composed the others unsubscribe, and more than two seconds pass.
    for (const one of ids) if (one !== mail.subscriberId) await links.unsubscribe(deriveToken(KEYS, 'unsubscribe', one))
    newsletter.passTime(1_900)
    return ports.compose(mail)
  }
  const slow = { ...ports, compose }
  expect(await drain(slow, 'announcement_mails', { ...OPTIONS, connections: 1 })).toBe(1)
  expect(newsletter.recipients()).toHaveLength(1)
})

test('a mailer that dies loses nobody: its mails go out again with the same Message-ID, and are counted', async () => {
  await using newsletter = await openAnnouncing(20)
  const { db, ports, sink } = newsletter
  const id = await newsletter.send()
  const claimed = await claim(db, 'announcement_mails', 8)
  // Of the eight that it had, the server took one.
  const [taken] = claimed
  if (taken === undefined) throw new Error('nothing was claimed')
  await ports.send({ ...(await ports.compose(taken)), to: taken.email }, () => true)
  await sql`update announcement_mails set lease_until = now() - interval '1 second' where state = 'sending'`.execute(db)
  expect(await requeueExpired(db, 'announcement_mails')).toBe(8)
  expect(await newsletter.drain()).toBe(20)
  const idsOf = (address: string) =>
    sink.messages.filter(({ to }) => to.includes(address)).map(({ raw }) => /^Message-ID: (.*)$/im.exec(raw)?.[1])
  const [digest, ...copies] = idsOf(taken.email)
  expect(copies).toHaveLength(2)
  expect(new Set(copies).size).toBe(1)
  expect(copies).not.toContain(digest)
  expect(newsletter.recipients()).toHaveLength(21)
  expect(new Set(newsletter.recipients()).size).toBe(20)
  expect(await newsletter.equation(id)).toMatchObject({ due: 20, sent: 20, missing: 0 })
  expect((await newsletter.announcements.read(id))?.states).toEqual([
    { state: 'sent', reason: null, count: 20, resent: 8 },
  ])
})

test('where what is unknown is held, it waits until it is sent again by hand', async () => {
  await using newsletter = await openAnnouncing(3)
  const { db } = newsletter
  const id = await newsletter.send()
  await claim(db, 'announcement_mails', 2)
  await requeueExpired(db, 'announcement_mails', { all: true, onUnknown: 'hold' })
  expect(await newsletter.drain()).toBe(1)
  expect(await newsletter.equation(id)).toMatchObject({ due: 3, sent: 1, unknown: 2, missing: 0 })
  expect(await newsletter.announcements.missed(id, ['unknown'])).toHaveLength(2)
  expect(await newsletter.announcements.resend(ACTOR, id, ['failed', 'unknown'])).toMatchObject({
    requeued: 2,
    from: { unknown: 2 },
  })
  expect(await newsletter.drain()).toBe(2)
  expect(await newsletter.equation(id)).toMatchObject({ due: 3, sent: 3, unknown: 0, missing: 0 })
})

test('it is addressed chunk by chunk, by however many schedulers, to who was a reader by its time', async () => {
  await using newsletter = await openAnnouncing(30)
  const { db, announcements } = newsletter
  const at = new Date(LATER.getTime() + 60 * MINUTE)
  const scheduled = await announcements.send(ACTOR, { ...ORDER, sendAt: at })
  if ('problem' in scheduled) throw new Error(scheduled.problem)
  await newsletter.run()
  expect(await announcements.read(scheduled.id)).toMatchObject({ stage: 'scheduled', due: 0 })
  await subscribe(db, 'before@example.org', LONDON_DAILY, new Date(at.getTime() - MINUTE))
  await subscribe(db, 'after@example.org', LONDON_DAILY, new Date(at.getTime() + MINUTE))
  newsletter.setNow(new Date(at.getTime() + 2 * MINUTE))
  // Broken off after two chunks, and gone on with by two at once.
  expect(await addressNext(db, scheduled.id, 4)).toMatchObject({ done: false })
  expect(await addressNext(db, scheduled.id, 4)).toMatchObject({ done: false })
  const address = () => addressAnnouncements({ db, log: SILENT, wake: wakeNobody }, at)
  await Promise.all([address(), address()])
  expect(await announcements.read(scheduled.id)).toMatchObject({ stage: 'sending', due: 31 })
  await newsletter.drain()
  expect(newsletter.recipients()).toContain('before@example.org')
  expect(newsletter.recipients()).not.toContain('after@example.org')
  expect(new Set(newsletter.recipients()).size).toBe(31)
})

test('who was sent the same text before is left out, whomever it is for, unless it is wanted again', async () => {
  await using newsletter = await openAnnouncing(6)
  const { db, announcements } = newsletter
  await sql`update subscribers set topics = '{agents}' where email in ('reader1@example.org', 'reader2@example.org')`.execute(
    db,
  )
  const scheduled = await announcements.send(ACTOR, { ...ORDER, sendAt: new Date(LATER.getTime() + MINUTE) })
  expect(await announcements.send(ACTOR, ORDER)).toEqual({
    problem: `Announcement ${'id' in scheduled ? scheduled.id : ''} has the same text and is not addressed to everybody yet.`,
  })
  await announcements.cancel(ACTOR, 'id' in scheduled ? scheduled.id : 0)
  await newsletter.send({ topics: ['agents'] })
  expect(await newsletter.drain()).toBe(2)
  expect(await announcements.reach(ORDER)).toMatchObject({ owed: 4, hadIt: 2 })
  await newsletter.send()
  expect(await newsletter.drain()).toBe(4)
  expect(await announcements.send(ACTOR, ORDER)).toEqual({
    problem: 'Everybody it is for was sent the same text before.',
  })
  await newsletter.send({ again: true })
  expect(await newsletter.drain()).toBe(6)
  expect(await announcements.send(ACTOR, { ...ORDER, topics: ['theory'] })).toEqual({
    problem: 'There is nobody it would reach.',
  })
})

test('it is paused, resumed and canceled, and each is on record', async () => {
  await using newsletter = await openAnnouncing(4)
  const { db, announcements } = newsletter
  const id = await newsletter.send()
  await announcements.pause(ACTOR, id, 'a mistake in it')
  expect(await newsletter.drain()).toBe(0)
  expect(await announcements.read(id)).toMatchObject({
    stage: 'paused',
    pausedBy: 'Grace',
    pausedWhy: 'a mistake in it',
  })
  await announcements.resume(ACTOR, id)
  expect(await announcements.resume(ACTOR, id)).toEqual({ problem: `Announcement ${id} is not paused.` })
  const [claimed] = await claim(db, 'announcement_mails', 1)
  expect(await announcements.cancel(ACTOR, id)).toMatchObject({ equation: { due: 4, pending: 1, canceled: 3 } })
  // What a mailer puts back is called off, too.
  await sql`update announcement_mails set state = 'queued', lease_until = null where id = ${claimed?.id}`.execute(db)
  expect(await newsletter.drain()).toBe(0)
  expect(await newsletter.equation(id)).toMatchObject({ due: 4, sent: 0, canceled: 4, missing: 0 })
  expect(await announcements.pause(ACTOR, id, null)).toEqual({ problem: `Announcement ${id} is canceled.` })
  expect(await announcements.pause(ACTOR, 99, null)).toEqual({ problem: 'There is no announcement 99.' })
  const acts = await db.selectFrom('audit_log').select(['action', 'by_whom', 'subject']).orderBy('id').execute()
  expect(acts.map(({ action }) => action)).toEqual([
    'announcement.sent',
    'announcement.paused',
    'announcement.resumed',
    'announcement.canceled',
  ])
  // A text that was called off may be sent.
  expect(await announcements.reach(ORDER)).toMatchObject({ owed: 4, hadIt: 0 })
})

test('nothing of it is addressed or sent while the service is held', async () => {
  await using newsletter = await openAnnouncing(2)
  const { db } = newsletter
  await sql`insert into service_hold (why) values ('restored')`.execute(db)
  const id = await newsletter.send()
  expect(await newsletter.announcements.read(id)).toMatchObject({ due: 0 })
  await sql`delete from service_hold`.execute(db)
  await newsletter.run()
  await sql`insert into service_hold (why) values ('restored')`.execute(db)
  expect(await newsletter.drain()).toBe(0)
})

test('a test goes to one active subscriber, as it would to all, and counts for nothing', async () => {
  await using newsletter = await openAnnouncing(3)
  const { announcements, sink } = newsletter
  expect(await announcements.test(ACTOR, TEXT, 'nobody@example.org')).toEqual({
    problem: 'nobody@example.org is not an active subscriber. Its links would lead nowhere: subscribe it first.',
  })
  const tested = await announcements.test(ACTOR, TEXT, 'Reader1@example.org')
  expect(await newsletter.drain()).toBe(1)
  expect(newsletter.recipients()).toEqual(['reader1@example.org'])
  const mail = await PostalMime.parse(Buffer.from(sink.messages.at(-1)?.raw ?? '', 'latin1'))
  expect(mail.subject).toBe('Test: We move on Monday')
  expect(await announcements.read('id' in tested ? tested.id : 0)).toMatchObject({
    stage: 'test',
    equation: { sent: 1 },
  })
  expect(await announcements.reach(ORDER)).toMatchObject({ owed: 3, hadIt: 0 })
})

test('too many bounces pause it, and suppress their readers', async () => {
  await using newsletter = await openAnnouncing(120)
  const { db } = newsletter
  const id = await newsletter.send()
  await newsletter.drain()
  await sql`update announcement_mails set state = 'queued', sent_at = null
    where id in (select id from announcement_mails order by id limit 20)`.execute(db)
  const sent = await db.selectFrom('announcement_mails').select('id').where('state', '=', 'sent').limit(10).execute()
  const ports = { db, log: SILENT, checkEditions: () => checkEditions({ db, log: SILENT }) }
  for (const { id: mail } of sent)
    expect(await recordFeedback(ports, { stream: 'announcement_mails', id: mail }, bounce('hard'), 'mail')).toBe(
      'suppressed',
    )
  expect(await newsletter.announcements.read(id)).toMatchObject({ stage: 'paused', pausedBy: 'alarm' })
  expect(await newsletter.drain()).toBe(0)
})

test('a subscription that moves to another address takes its announcement along, once', async () => {
  await using newsletter = await openAnnouncing(3)
  const { db, ids } = newsletter
  const id = await newsletter.send()
  const old = await readSubscriber(db, { id: ids[0] ?? '' })
  if (old === undefined) throw new Error('there is nobody')
  const fresh = await makePending(db, 'moved@example.org', preferencesOf(old), LATER)
  await moveSubscription(db, old, fresh.id, LATER)
  // Addressed again, as after a kill, it finds nobody new.
  await sql`update announcements set published_at = null, addressed_to = null`.execute(db)
  expect(await newsletter.equation(id)).toMatchObject({ due: 3, pending: 3 })
  expect(await newsletter.drain()).toBe(3)
  expect(newsletter.recipients()).toEqual(['moved@example.org', 'reader1@example.org', 'reader2@example.org'])
})

test('mails of old announcements are deleted, and what became of them stays', async () => {
  await using newsletter = await openAnnouncing(4)
  const { db, announcements } = newsletter
  const id = await newsletter.send()
  await newsletter.drain()
  const options = { now: new Date(LATER.getTime() + 100 * DAY), keepDays: 90 }
  expect(await deleteOld(db, options)).toMatchObject({ announcementMails: 0 })
  expect(await newsletter.equation(id)).toMatchObject({ due: 4, sent: 4 })
  expect(await deleteOld(db, { ...options, dryRun: true })).toMatchObject({ announcementMails: 4 })
  expect(await deleteOld(db, options)).toMatchObject({ announcementMails: 4 })
  expect(await announcements.read(id)).toMatchObject({ stage: 'complete', equation: { due: 4, sent: 4, missing: 0 } })
  expect(await announcements.resend(ACTOR, id, ['failed'])).toEqual({
    problem: `Mails of announcement ${id} were deleted with their age: it is too old.`,
  })
})
