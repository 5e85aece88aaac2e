/** What becomes of a mail that is owed: sent once, deferred, given up, or sent again and counted. */
import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { deriveToken } from '../../../src/core/token.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { drain, type MailerPorts } from '../../../src/newsletter/sending/delivery.ts'
import { UnrenderableDigest } from '../../../src/newsletter/sending/mail.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import { claim } from '../../../src/store/outbox/claims.ts'
import { requeueExpired } from '../../../src/store/outbox/leases.ts'
import { storeLetter } from '../../../src/store/outbox/outbox.ts'
import { record } from '../../../src/store/outbox/outcomes.ts'
import { KEYS, SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { atStage, DUE, OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'

test('every digest is sent once, to its own reader, with links of their own', async () => {
  await using newsletter = await openSendingNewsletter(40)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(40)
  expect(new Set(newsletter.sink.messages.map((message) => message.to)).size).toBe(40)
  expect(new Set(newsletter.sink.messages.map((message) => /Message-ID: (.*)/.exec(message.raw)?.[1])).size).toBe(40)
  for (const [n, id] of newsletter.ids.entries()) {
    const own = newsletter.sink.messages.find((message) => message.to === `reader${n}@example.org`)
    expect(own?.raw.replace(/=\r\n/g, '')).toContain(deriveToken(KEYS, 'unsubscribe', id))
  }
  expect(new Set((await newsletter.states()).map((one) => one.state))).toEqual(new Set(['sent']))
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(0)
})

test('readers of one digest are each told when the next is expected, by their own clock', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const [, berlin = '', weekly = ''] = newsletter.ids
  const change = (id: string, to: { hour: number; time_zone: string; frequency?: 'weekly'; next_due_at?: Date }) =>
    newsletter.db.updateTable('subscribers').set(to).where('id', '=', id).execute()
  await change(berlin, { hour: 8, time_zone: 'Europe/Berlin' })
  const saturday = new Date('2026-04-18T22:00:00Z')
  await change(weekly, { hour: 18, time_zone: 'America/New_York', frequency: 'weekly', next_due_at: saturday })
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  const said = newsletter.sink.messages.map(({ to, raw }) => {
    const text = raw.replace(/=\r\n/g, '').replace(/\s+/g, ' ')
    return [to, /Your next digest is expected ([^.]*?),/.exec(text)?.[1]]
  })
  expect(Object.fromEntries(said)).toEqual({
    'reader0@example.org': 'on Thursday 16 April at 07:00 London time',
    'reader1@example.org': 'on Thursday 16 April at 08:00 Berlin time',
    'reader2@example.org': 'on Saturday 18 April at 18:00 New York time',
  })
})

test('a mailer that finds more than a group wakes the next mailer, once', async () => {
  await using few = await openSendingNewsletter(5)
  await drain(few.ports, 'deliveries', OPTIONS)
  expect(few.wakes()).toBe(0)
  await using many = await openSendingNewsletter(70)
  await drain(many.ports, 'deliveries', OPTIONS)
  expect(many.wakes()).toBe(1)
})

/** A newsletter of 60, the 27th mail of which is held at the server until `released`, which is given how many are claimed. */
const openHeld = async (released: (claimed: () => Promise<number>) => Promise<unknown>) => {
  const newsletter = await openSendingNewsletter(60)
  const claimed = async () => (await newsletter.states()).filter(({ state }) => state === 'sending').length
  let begun = 0
  const send = newsletter.ports.send
  newsletter.ports.send = async (envelope, mayBegin) => {
    // A lane with two connections claims 28, and the next once two of them wait.
    if (++begun === 27) await released(claimed)
    return send(envelope, mayBegin)
  }
  return newsletter
}
const MANY = { timeout: 30_000 }

test('the next group is claimed before the last mails of one are through, and never more than 32 by two connections', async () => {
  let most = 0
  await using newsletter = await openHeld((claimed) =>
    vi.waitUntil(async () => {
      most = Math.max(most, await claimed())
      return most > 4
    }, MANY),
  )
  expect(await drain(newsletter.ports, 'deliveries', { ...OPTIONS, lanes: 1, connections: 2 })).toBe(60)
  expect(most).toBeLessThanOrEqual(32)
  expect(new Set(newsletter.sink.messages.map((message) => message.to)).size).toBe(60)
})

test('what was claimed before the last mails of a group are through is given back where a server keeps one', async () => {
  await using newsletter = await openHeld(async (claimed) => {
    await vi.waitUntil(async () => (await claimed()) > 4, MANY)
    await vi.waitUntil(async () => (await claimed()) <= 2, MANY)
  })
  expect(await drain(newsletter.ports, 'deliveries', { ...OPTIONS, lanes: 1, connections: 2 })).toBe(60)
  expect(await newsletter.states()).toMatchObject(Array(60).fill({ state: 'sent', attempts: 1, resent: 0 }))
  expect(newsletter.sink.messages).toHaveLength(60)
})

test('a temporary refusal defers a digest, which is sent later all the same', async () => {
  await using newsletter = await openSendingNewsletter(1, atStage('rcpt', '450 4.2.1 try later', 1))
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(await newsletter.states()).toEqual([
    { state: 'deferred', reason: expect.stringContaining('4.2.1'), attempts: 1, resent: 0 },
  ])
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(0)
  await newsletter.db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0) })
    .execute()
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(1)
})

test('an address that does not exist fails its digest and is mailed no more', async () => {
  await using newsletter = await openSendingNewsletter(2, ({ stage, to }) =>
    stage === 'rcpt' && to.startsWith('reader0@')
      ? { reply: '550 5.1.1 no such user <reader0@example.org>' }
      : undefined,
  )
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  const states = await newsletter.states()
  expect(states.map((one) => one.state).sort()).toEqual(['failed', 'sent'])
  expect(JSON.stringify(states)).not.toContain('reader0@')
  const suppressions = await newsletter.db.selectFrom('suppressions').select(['email', 'code']).execute()
  expect(suppressions).toEqual([{ email: 'reader0@example.org', code: '550 5.1.1' }])
  const returns = await newsletter.db.selectFrom('mail_feedback').select(['subscriber_id', 'class', 'source']).execute()
  expect(returns).toEqual([{ subscriber_id: newsletter.ids[0], class: 'hard', source: 'smtp' }])
  await publishDue({ db: newsletter.db, log: SILENT, wake: wakeNobody }, new Date('2026-04-16T06:00:00Z'))
  const next = await newsletter.db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('local_date', '=', '2026-04-16')
    .execute()
  expect(next).toEqual([{ subscriber_id: newsletter.ids[1] }])
})

test('a refusal of the content suppresses nobody, does not count, and is final only when it still stands after a day', async () => {
  await using newsletter = await openSendingNewsletter(1, atStage('dot', '554 5.7.1 looks like spam'))
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect((await newsletter.states())[0]).toMatchObject({ state: 'deferred', attempts: 0 })
  await newsletter.db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0), created_at: new Date(0) })
    .execute()
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect((await newsletter.states())[0]).toMatchObject({ state: 'failed', reason: expect.stringContaining('expired') })
  expect(await newsletter.db.selectFrom('suppressions').selectAll().execute()).toEqual([])
})

test('a connection that dies after the last byte has the digest sent again, with the same bytes, and counted', async () => {
  let died = false
  await using newsletter = await openSendingNewsletter(1, ({ stage }) => {
    if (stage !== 'accepted' || died) return undefined
    died = true
    return 'drop'
  })
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(await newsletter.states()).toMatchObject([{ state: 'queued', resent: 1 }])
  await newsletter.db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0) })
    .execute()
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(await newsletter.states()).toMatchObject([{ state: 'sent', resent: 1 }])
  expect(newsletter.sink.messages.map((message) => message.raw)).toHaveLength(2)
  expect(newsletter.sink.messages[0]?.raw).toBe(newsletter.sink.messages[1]?.raw)
})

test('a relay that is away costs no digest an attempt', async () => {
  await using newsletter = await openSendingNewsletter(2, atStage('greeting', '421 4.3.2 closing', 2))
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect((await newsletter.states()).map((one) => one.attempts)).toEqual([0, 0])
})

test('somebody who leaves before a letter that says they are subscribed already is sent does not get it', async () => {
  await using newsletter = await openSendingNewsletter(2)
  for (const subscriberId of newsletter.ids)
    await storeLetter(newsletter.db, { subscriberId, kind: 'already-subscribed', digestId: null, requestedAt: DUE })
  const subscriptions = createSubscriptions({ db: newsletter.db, keys: KEYS, now: () => DUE, wake: wakeNobody })
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', newsletter.ids[0] ?? ''))
  expect(await drain(newsletter.ports, 'letters', OPTIONS)).toBe(1)
  expect(newsletter.sink.messages.map((message) => message.to)).toEqual(['reader1@example.org'])
})

test('somebody who unsubscribed between publishing and sending gets nothing', async () => {
  await using newsletter = await openSendingNewsletter(2)
  const subscriptions = createSubscriptions({ db: newsletter.db, keys: KEYS, now: () => DUE, wake: wakeNobody })
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', newsletter.ids[0] ?? ''))
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(newsletter.sink.messages.map((message) => message.to)).toEqual(['reader1@example.org'])
  expect((await newsletter.states()).map((one) => one.state).sort()).toEqual(['sent', 'skipped'])
})

test('somebody who unsubscribed while their digest waited in a group gets nothing', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const subscriptions = createSubscriptions({ db: newsletter.db, keys: KEYS, now: () => DUE, wake: wakeNobody })
  let left = ''
  const send = newsletter.ports.send
  newsletter.ports.send = async (envelope, mayBegin) => {
    // While the first is sent the others wait for the one connection; one of their readers leaves meanwhile.
    if (left === '') {
      left = [0, 1, 2].map((n) => `reader${n}@example.org`).find((address) => address !== envelope.to) ?? ''
      await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', newsletter.ids[Number(left[6])] ?? ''))
      newsletter.passTime(2_500)
    }
    return send(envelope, mayBegin)
  }
  await drain(newsletter.ports, 'deliveries', { ...OPTIONS, connections: 1 })
  expect(newsletter.sink.messages.map((message) => message.to)).not.toContain(left)
  expect(newsletter.sink.messages).toHaveLength(2)
})

test('a mailer that was frozen and wakes up begins nothing that its successor has taken over', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const successor: MailerPorts = { ...newsletter.ports, monotonic: () => 0 }
  let begun = ''
  const send = newsletter.ports.send
  newsletter.ports.send = async (envelope, mayBegin) => {
    if (begun === '') {
      begun = envelope.to
      // A quarter of an hour in which this process stood still, and another did its work.
      newsletter.passTime(15 * 60_000)
      await newsletter.db
        .updateTable('deliveries')
        .set({ lease_until: new Date(0) })
        .where('state', '=', 'sending')
        .execute()
      await requeueExpired(newsletter.db, 'deliveries')
      await drain(successor, 'deliveries', OPTIONS)
    }
    return send(envelope, mayBegin)
  }
  await drain(newsletter.ports, 'deliveries', { ...OPTIONS, connections: 1 })
  const copies = newsletter.sink.messages.map((message) => message.to).sort()
  expect(copies).toHaveLength(3)
  expect(new Set(copies)).toHaveProperty('size', 3)
  expect(await newsletter.states()).toMatchObject(Array(3).fill({ state: 'sent', resent: 1 }))
})

test('a mailer that is frozen between MAIL and the body does not send the body when it wakes up', async () => {
  let frozen = false
  await using newsletter = await openSendingNewsletter(1, ({ stage }) => {
    if (stage !== 'data' || frozen) return undefined
    frozen = true
    newsletter.passTime(15 * 60_000)
    return undefined
  })
  await drain(newsletter.ports, 'deliveries', { ...OPTIONS, stopping: () => frozen })
  expect(newsletter.sink.commands.filter((line) => line === 'DATA')).toHaveLength(1)
  expect(newsletter.sink.messages).toEqual([])
  expect(await newsletter.states()).toEqual([{ state: 'queued', reason: null, attempts: 0, resent: 0 }])
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(1)
})

test('an outcome that comes after its lease ran out counts as long as nobody claimed the mail again', async () => {
  await using newsletter = await openSendingNewsletter(1)
  newsletter.ports.send = async () => {
    // The database was away for longer than the lease, and then the reconciler was faster than the mailer.
    await newsletter.db
      .updateTable('deliveries')
      .set({ lease_until: new Date(0) })
      .execute()
    await requeueExpired(newsletter.db, 'deliveries')
    newsletter.passTime(60_001)
    return { kind: 'sent', reply: '250 2.0.0 taken' }
  }
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(1)
  expect(await newsletter.states()).toMatchObject([{ state: 'sent', attempts: 1 }])
})

test('claimed mails that cannot be checked again are put back, and none is thought to have been sent', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const send = newsletter.ports.send
  newsletter.ports.send = async (envelope, mayBegin) => {
    const outcome = await send(envelope, mayBegin)
    // The check of the others finds no table of suppressions, nor does the next claim.
    await sql`alter table suppressions rename to suppressions_away`.execute(newsletter.db)
    newsletter.passTime(2_500)
    return outcome
  }
  await expect(drain(newsletter.ports, 'deliveries', { ...OPTIONS, connections: 1 })).rejects.toThrow('suppressions')
  expect(newsletter.sink.messages).toHaveLength(1)
  expect((await newsletter.states()).map(({ state, resent }) => `${state} ${resent}`).sort()).toEqual([
    'queued 0',
    'queued 0',
    'sent 0',
  ])
})

test('a refused address that cannot be suppressed at that moment is recorded, and suppressed at the next refusal', async () => {
  await using newsletter = await openSendingNewsletter(1, atStage('rcpt', '550 5.1.1 nobody here'))
  const { db } = newsletter
  await sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'no space left'; end $$`.execute(
    db,
  )
  await sql`create trigger refuse before insert on suppressions for each row execute function refuse()`.execute(db)
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(await newsletter.states()).toMatchObject([{ state: 'deferred', attempts: 0, resent: 0 }])
  await sql`drop trigger refuse on suppressions`.execute(db)
  await db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0) })
    .execute()
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(await newsletter.states()).toMatchObject([{ state: 'failed' }])
  expect(await db.selectFrom('suppressions').select('code').execute()).toEqual([{ code: '550 5.1.1' }])
})

test('an address that no server can be given fails by itself, and its group goes on', async () => {
  await using newsletter = await openSendingNewsletter(3)
  await newsletter.db
    .updateTable('subscribers')
    .set({ email: 'a b@example.org' })
    .where('id', '=', newsletter.ids[0] ?? '')
    .execute()
  expect(await drain(newsletter.ports, 'deliveries', { ...OPTIONS, connections: 1 })).toBe(2)
  const states = await newsletter.states()
  expect(states.map(({ state, resent }) => `${state} ${resent}`).sort()).toEqual(['deferred 0', 'sent 0', 'sent 0'])
})

test('what a dead mailer had claimed is sent again and counted, and its own late outcome is not recorded', async () => {
  await using newsletter = await openSendingNewsletter(1)
  const [lost] = await claim(newsletter.db, 'deliveries', 10)
  expect(await claim(newsletter.db, 'deliveries', 10)).toEqual([])
  await newsletter.db
    .updateTable('deliveries')
    .set({ lease_until: new Date(0) })
    .execute()
  expect(await requeueExpired(newsletter.db, 'deliveries')).toBe(1)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(1)
  const late = { id: lost?.id ?? '', localDate: lost?.localDate ?? '', fence: lost?.fence ?? 0 }
  const result = {
    ...late,
    state: 'failed' as const,
    reason: 'too late',
    retryAfterMs: 0,
    counts: true,
    resend: false,
    reply: null,
  }
  expect(await record(newsletter.db, 'deliveries', [result])).toBe(0)
  expect(await newsletter.states()).toMatchObject([{ state: 'sent', resent: 1 }])
})

test('a digest that cannot be composed is given up after three attempts and stops no other', async () => {
  await using newsletter = await openSendingNewsletter(2)
  const compose = newsletter.ports.compose
  newsletter.ports.compose = (mail) => {
    if (mail.subscriberId === newsletter.ids[0]) throw new Error('an unexpected title')
    return compose(mail)
  }
  for (let n = 0; n < 3; n++) {
    await drain(newsletter.ports, 'deliveries', OPTIONS)
    await newsletter.db
      .updateTable('deliveries')
      .set({ next_attempt_at: new Date(0) })
      .execute()
  }
  const states = await newsletter.states()
  expect(states.map((one) => one.state).sort()).toEqual(['failed', 'sent'])
  expect(states.find((one) => one.state === 'failed')).toMatchObject({ attempts: 3, reason: 'could not be composed' })
})

test('a digest that cannot be rendered is tried once for all of a group, and only its cohort misses it', async () => {
  await using newsletter = await openSendingNewsletter(5)
  let renderings = 0
  newsletter.ports.compose = async (mail) => {
    renderings++
    throw new UnrenderableDigest(`digest ${mail.digestId}: an unexpected title`)
  }
  await drain(newsletter.ports, 'deliveries', { ...OPTIONS, connections: 1 })
  expect(renderings).toBe(1)
  expect(await newsletter.states()).toMatchObject(
    Array(5).fill({ state: 'deferred', attempts: 1, reason: 'could not be composed' }),
  )
})

test('a stop finishes what has begun and puts the rest back without counting it', async () => {
  await using newsletter = await openSendingNewsletter(10)
  let begun = 0
  const send = newsletter.ports.send
  newsletter.ports.send = (envelope, mayBegin) => {
    begun += 1
    return send(envelope, mayBegin)
  }
  await drain(newsletter.ports, 'deliveries', { lanes: 1, connections: 1, stopping: () => begun >= 4 })
  expect(newsletter.sink.messages).toHaveLength(4)
  const states = await newsletter.states()
  expect(states.filter((one) => one.state === 'sent')).toHaveLength(4)
  expect(states.filter((one) => one.state === 'queued' && one.attempts === 0 && one.resent === 0)).toHaveLength(6)
})

test('a mail that a stop kept from the server is ready at once for the next mailer', async () => {
  await using newsletter = await openSendingNewsletter(1)
  let stopped = false
  const send: MailerPorts['send'] = async () => {
    stopped = true
    return { kind: 'unreachable', stage: 'connect', reason: 'the mailer stopped' }
  }
  await drain({ ...newsletter.ports, send }, 'deliveries', { lanes: 1, connections: 1, stopping: () => stopped })
  expect(await newsletter.states()).toEqual([{ state: 'queued', reason: null, attempts: 0, resent: 0 }])
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(1)
})
