/** Export and erasure: everything that is held of a subscriber is told, and afterwards nothing of it is left in any table. */
import { CompiledQuery, sql } from 'kysely'
import { expect, test } from 'vitest'
import { addressHash } from '../../../src/core/subscriber/address-hash.ts'
import { NO_LIMITS } from '../../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken, type Keys } from '../../../src/core/token.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import { erase, exportPersonalData } from '../../../src/newsletter/subscription/personal-data.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions, type Origin } from '../../../src/newsletter/subscription/subscription.ts'
import { createTastes } from '../../../src/newsletter/tastes.ts'
import type { Database } from '../../../src/store/database.ts'
import { suppress } from '../../../src/store/suppressions.ts'
import {
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')
const ADA = 'Ada.Canary@canary.example.org'
const CLIENT = '2001:db8:cafe::77'
const FORM: Origin = { ip: CLIENT, form: '/subscribe', source: 'form' }
const BY_TEST = { source: 'link', form: '/erase/:token', client: CLIENT }

const portsOf = (db: Database, keys: Keys = KEYS) => ({ db, keys, now: () => NOW })
const openSubscriptions = (db: Database) => createSubscriptions({ ...portsOf(db), wake: wakeNobody, limits: NO_LIMITS })
const answer = (db: Database) => answerSignUps({ db, keys: KEYS, log: SILENT, limits: NO_LIMITS })

/** Every row of every table, as text in lower case. */
const everything = async (db: Database): Promise<string> => {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and not relispartition`.execute(db)
  const texts: string[] = []
  for (const { name } of rows) {
    const table = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(db)
    texts.push(...table.rows.map(({ row }) => `${name}: ${row}`))
  }
  return texts.join('\n').toLowerCase()
}

const PERSONAL = ['canary', CLIENT, 'tensegrity', 'grace hopper', 'unwanted word', 'europe/tallinn']

/** Somebody of whom something is held wherever anything can be: settings, digests, letters, bounces, requests, refusals. */
const openAda = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13')
  const id = await subscribeFrom(db, {
    ...LONDON_DAILY,
    timeZone: 'Europe/Tallinn',
    keywords: ['tensegrity'],
    authors: ['Ada Lovelace', 'Grace Hopper'],
    muted: ['unwanted word'],
  })
  await db.updateTable('letters').set({ state: 'sent', sent_at: NOW, said: '250 2.0.0 kept' }).execute()
  await storeDay(db, '2026-04-14')
  await publishDue({ db, log: SILENT, wake: wakeNobody }, DUE)
  await sql`update deliveries set state = 'failed', code = 550, said = '550 no canary here'`.execute(db)
  await sql`insert into mail_feedback (mail_id, kind, stream, subscriber_id, class, diagnostic, source)
    select id, 'bounce', 'deliveries', subscriber_id, 'hard', 'no canary here', 'mail' from deliveries`.execute(db)
  const announced = await sql<{ id: number }>`insert into announcements (subject, body, content_hash, again, send_at)
    values ('We move', 'On Monday.', '', false, ${NOW}) returning id`.execute(db)
  await sql`insert into announcement_mails (id, announcement_id, subscriber_id, state, said)
    values (gen_random_uuid(), ${announced.rows[0]?.id}, ${id}, 'failed', '550 no canary here')`.execute(db)
  await sql`insert into votes select id, ${id}, ${NOW} from papers order by id limit 1`.execute(db)
  await sql`insert into saved_papers (subscriber_id, paper_id, at, digest_date)
    select ${id}, id, ${NOW}, ${'2026-04-13'} from papers order by id limit 1`.execute(db)
  const tastes = createTastes(portsOf(db))
  await tastes.press(deriveToken(KEYS, 'vote', id), '2604.13000', 'more')
  await sql`insert into taste_proposals (subscriber_id, kind, value, label, presses, proposed_at)
    values (${id}, 'keyword', 'tensegrity', 'tensegrity', 4, ${NOW})`.execute(db)
  // A request that is not answered yet, and a set-aside reader.
  await openSubscriptions(db).requestSubscription(ADA.toLowerCase(), LONDON_DAILY, FORM)
  await sql`insert into set_aside_subscribers (subscriber_id, due_at, retry_at, reason) values (${id}, now(), now(), 'canary')`.execute(
    db,
  )
  return { ...newsletter, id }
}

const subscribeFrom = async (db: Database, preferences = LONDON_DAILY): Promise<string> => {
  const subscriptions = openSubscriptions(db)
  await subscriptions.requestSubscription(ADA, preferences, FORM)
  await answer(db)
  const letter = await db
    .selectFrom('letters')
    .select('id')
    .where('kind', '=', 'confirmation')
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow()
  const origin = { ip: CLIENT, form: '/confirm/:token', source: 'link' }
  expect(await subscriptions.confirm(deriveToken(KEYS, 'confirm', letter.id), origin)).toBe('confirmed')
  return (await db.selectFrom('subscribers').select('id').where('email', '=', ADA).executeTakeFirstOrThrow()).id
}

test('an export has everything that is held: settings, consent with its words, digests, letters, announcements, votes, saved papers, taste, bounces, suppression', async () => {
  await using ada = await openAda()
  await suppress(ada.db, ada.id, { class: 'hard', reason: 'bounced', code: '5.1.1', diagnostic: null, source: 'mail' })
  const data = await exportPersonalData(portsOf(ada.db), { email: ADA.toUpperCase() })
  expect(data).toMatchObject({
    exportedAt: NOW,
    subscriber: {
      id: ada.id,
      email: ADA,
      state: 'suppressed',
      preferences: { timeZone: 'Europe/Tallinn', keywords: ['tensegrity'] },
    },
    consent: [
      {
        event: 'requested',
        source: 'form',
        form: '/subscribe',
        language: 'en',
        client: CLIENT,
        wording: { version: 'subscribe-1', text: expect.stringContaining('link to confirm') },
        preferences: { frequency: 'daily', keywords: ['tensegrity'] },
        confirmation: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      { event: 'confirmed', at: NOW, requestedAt: NOW, form: '/confirm/:token', wording: { version: 'confirm-2' } },
    ],
    digests: [
      {
        date: '2026-04-15',
        subject: expect.stringMatching(/^Your papers: /),
        state: 'failed',
        reply: '550 no canary here',
      },
    ],
    letters: [{ kind: 'confirmation' }, { kind: 'welcome', subject: expect.stringMatching(/^Welcome/) }],
    votes: [{ id: '2604.13000', title: expect.stringMatching(/^Advances in/), at: NOW }],
    saved: [{ id: '2604.13000', at: NOW, readAt: null, digestDate: '2026-04-13' }],
    likes: [{ id: '2604.13000', title: expect.any(String), direction: 'more', at: NOW }],
    taste: { on: true, weights: expect.any(Array), removed: [], revision: 1 },
    proposals: [{ kind: 'keyword', value: 'tensegrity', presses: 4, proposedAt: NOW, answer: null }],
    announcements: [{ subject: 'We move', state: 'failed', reply: '550 no canary here' }],
    feedback: [{ kind: 'bounce', class: 'hard' }],
    suppression: { class: 'hard', reason: 'bounced' },
    suppressionChanges: [{ change: 'added', class: 'hard' }],
    requests: [{ kind: 'subscribe', origin: { client: CLIENT } }],
  })
  expect(data?.digests[0]?.papers.length).toBeGreaterThan(0)
  expect(await exportPersonalData(portsOf(ada.db), { id: ada.id })).toEqual(data)
  expect(await exportPersonalData(portsOf(ada.db), { email: 'nobody@example.org' })).toBeNull()
})

test('after an erasure no table tells the address, the client, the settings or the custom terms', async () => {
  await using ada = await openAda()
  await suppress(ada.db, ada.id, { class: 'hard', reason: 'canary', code: null, diagnostic: 'canary', source: 'mail' })
  const before = await everything(ada.db)
  for (const personal of [...PERSONAL, 'votes: ', 'saved_papers: ', 'taste_presses: ', 'tastes: ', 'taste_proposals: '])
    expect(before).toContain(personal)
  expect(await erase(portsOf(ada.db), { id: ada.id }, BY_TEST)).toBe('erased')
  const after = await everything(ada.db)
  expect(after.split('\n').filter((row) => PERSONAL.some((personal) => row.includes(personal)))).toEqual([])
  expect(after).not.toMatch(/^(?:votes|saved_papers|taste_presses|tastes|taste_proposals): /m)
  // What is left: the row without anything, the record of consent, and the keyed hash with why it is not mailed.
  const hash = addressHash(KEYS, ADA)
  expect(await ada.db.selectFrom('erased_addresses').selectAll().execute()).toEqual([
    { address_hash: hash, class: 'hard', erased_at: NOW },
  ])
  const { consent, subscriber, suppression } = (await exportPersonalData(portsOf(ada.db), { email: ADA })) ?? {}
  expect(subscriber).toBeNull()
  expect(suppression).toMatchObject({ class: 'hard', since: NOW })
  expect(consent?.map(({ event, client, preferences }) => [event, client, preferences])).toEqual([
    ['requested', null, null],
    ['confirmed', null, null],
    ['erased', null, null],
  ])
  expect(await erase(portsOf(ada.db), { email: ADA }, BY_TEST)).toBeNull()
})

test('a digest with custom terms that somebody else was sent too stays when one of them is erased', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13')
  const preferences = { ...LONDON_DAILY, authors: ['Ada Lovelace'] }
  const ids = [
    await subscribe(db, 'a@example.org', preferences, NOW),
    await subscribe(db, 'b@example.org', preferences, NOW),
  ]
  await storeDay(db, '2026-04-14')
  await publishDue({ db, log: SILENT, wake: wakeNobody }, DUE)
  await sql`update deliveries set state = 'sent'`.execute(db)
  const digests = async () =>
    (await db.selectFrom('digests').select('kind').orderBy('id').execute()).map(({ kind }) => kind)
  expect(await digests()).toEqual(['welcome', 'daily'])
  await erase(portsOf(db), { id: ids[0] ?? '' }, BY_TEST)
  expect(await digests()).toEqual(['welcome', 'daily'])
  await erase(portsOf(db), { id: ids[1] ?? '' }, BY_TEST)
  expect(await digests()).toEqual([])
})

test('who was erased may subscribe again by confirming, and the hash goes; one who wanted no mail is not asked', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const first = await subscribeFrom(db)
  await erase(portsOf(db), { id: first }, BY_TEST)
  await db.deleteFrom('letter_limits').execute()
  const second = await subscribeFrom(db)
  expect(second).not.toBe(first)
  expect(await db.selectFrom('erased_addresses').selectAll().execute()).toEqual([])

  const never = { class: 'reader' as const, reason: 'never again', code: null, diagnostic: null, source: 'reader' }
  await suppress(db, second, never)
  await erase(portsOf(db), { id: second }, BY_TEST)
  await db.deleteFrom('letter_limits').execute()
  await openSubscriptions(db).requestSubscription(ADA, LONDON_DAILY, FORM)
  await answer(db)
  expect(await db.selectFrom('letters').selectAll().execute()).toEqual([])
})

test('an erased address is known again after the key was changed, by the former key', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, ADA, LONDON_DAILY, NOW)
  await erase(portsOf(db), { id }, BY_TEST)
  const rotated: Keys = [Buffer.alloc(32, 8), ...KEYS]
  expect(await exportPersonalData(portsOf(db, rotated), { email: ADA })).toMatchObject({
    suppression: { class: 'erased' },
  })
  expect(await exportPersonalData(portsOf(db, [Buffer.alloc(32, 8)]), { email: ADA })).toBeNull()
})

test('nothing is sent to somebody who was erased after the digest was queued', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const { db, ids, ports, sink } = newsletter
  await erase(portsOf(db), { id: ids[1] ?? '' }, BY_TEST)
  await drain(ports, 'deliveries', OPTIONS)
  expect(sink.messages.flatMap(({ to }) => to).sort()).toEqual(['reader0@example.org', 'reader2@example.org'])
  expect((await newsletter.states()).map(({ state, reason }) => [state, reason]).sort()).toEqual([
    ['sent', null],
    ['sent', null],
    ['skipped', 'no longer wanted'],
  ])
})

test('mail under way when somebody is erased is reported, so that a mailbox on this machine is looked at again', async () => {
  await using newsletter = await openSendingNewsletter(1)
  const { db, ids } = newsletter
  const asked: [string, boolean][] = []
  const forgetMails = async (email: string, underWay: boolean) => asked.push([email, underWay])
  await sql`update deliveries set state = 'sending', lease_until = now() + interval '1 minute'`.execute(db)
  await erase({ ...portsOf(db), forgetMails }, { id: ids[0] ?? '' }, BY_TEST)
  expect(asked).toEqual([['reader0@example.org', true]])
})

test.each([
  'update consent_records set source = $$other$$',
  'delete from consent_records',
  'delete from consent_wordings',
])('the database refuses: %s', async (statement) => {
  await using newsletter = await openNewsletter()
  await subscribeFrom(newsletter.db)
  await expect(newsletter.db.executeQuery(CompiledQuery.raw(statement))).rejects.toThrow(
    'a record of consent is never changed',
  )
})

test('leaving is recorded, by which way, and from where is not', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribeFrom(db)
  const token = deriveToken(KEYS, 'unsubscribe', id)
  const origin = { ip: CLIENT, form: '/unsubscribe/:token', source: 'link' }
  await openSubscriptions(db).unsubscribe(token, origin)
  await openSubscriptions(db).unsubscribe(token, origin)
  const records = (await exportPersonalData(portsOf(db), { id }))?.consent ?? []
  expect(records.map(({ event }) => event)).toEqual(['requested', 'confirmed', 'unsubscribed'])
  expect(records.at(-1)).toMatchObject({
    at: NOW,
    source: 'link',
    form: '/unsubscribe/:token',
    client: null,
    wording: null,
  })
})

test('a client that a proxy names by no address subscribes all the same, and none is recorded', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await openSubscriptions(db).requestSubscription(ADA, LONDON_DAILY, { ...FORM, ip: 'unknown' })
  expect(await answer(db)).toBe(1)
  const { consent } = (await exportPersonalData(portsOf(db), { email: ADA })) ?? {}
  expect(consent?.map(({ event, client }) => [event, client])).toEqual([['requested', null]])
})

test('where the service has a name of its own, that is what a reader is recorded to have agreed to, and what subjects say', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ports = { ...portsOf(db), serviceName: 'Lab Letters & Co <x>' }
  const subscriptions = createSubscriptions({ ...ports, wake: wakeNobody, limits: NO_LIMITS })
  await subscriptions.requestSubscription(ADA, LONDON_DAILY, FORM)
  await answer(db)
  const { id } = await db.selectFrom('letters').select('id').executeTakeFirstOrThrow()
  expect(await subscriptions.confirm(deriveToken(KEYS, 'confirm', id), FORM)).toBe('confirmed')
  const data = await exportPersonalData(ports, { email: ADA })
  expect(data?.consent.find(({ event }) => event === 'confirmed')?.wording?.text).toMatch(
    /^By confirming you ask Lab Letters & Co <x> to email you /,
  )
  expect(data?.letters.map(({ subject }) => subject)).toContain('Welcome to Lab Letters & Co <x>: no papers yet')
})
