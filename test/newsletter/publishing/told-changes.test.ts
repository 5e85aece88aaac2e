/** A change of settings by a link of a digest is told by the next digest that its reader is really sent, once. */
import { sql } from 'kysely'
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { cancelEdition } from '../../../src/newsletter/edition-cancellation.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import { KEYS, LONDON_DAILY, SILENT, storeDay, subscribe, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { OPTIONS, openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'

/** Settings changed on the evening of the 15th, in London. */
const CHANGED_AT = new Date('2026-04-15T20:00:00Z')
const MORNINGS = ['2026-04-16', '2026-04-17', '2026-04-18'].map((day) => new Date(`${day}T06:00:00Z`))
const [NEXT, SECOND, THIRD] = MORNINGS as [Date, Date, Date]

/** Two readers of one cohort who were sent the digest of the 15th, and papers for the three days after it. */
const openReaders = async () => {
  const newsletter = await openSendingNewsletter(2)
  const { db, ports, sink, ids } = newsletter
  const [ada = '', grace = ''] = ids
  const send = async () => {
    const before = sink.messages.length
    await drain(ports, 'deliveries', OPTIONS)
    await drain(ports, 'letters', OPTIONS)
    return Promise.all(
      sink.messages.slice(before).map(async ({ to, raw }) => {
        const { html = '', text = '' } = await PostalMime.parse(Buffer.from(raw, 'latin1'))
        return { to, html, text }
      }),
    )
  }
  const publish = (at: Date) => publishDue({ db, log: SILENT, wake: wakeNobody }, at)
  const site = createSubscriptions({ db, keys: KEYS, now: () => CHANGED_AT, wake: wakeNobody })
  await send()
  for (const day of ['2026-04-15', '2026-04-16', '2026-04-17']) await storeDay(db, day, LONDON_DAILY.topics)
  return {
    ...newsletter,
    ada,
    grace,
    site,
    send,
    publish,
    /** The lines that the mails of a morning tell, by their readers. */
    async told(at: Date) {
      await publish(at)
      const mails = await send()
      return Object.fromEntries(mails.map((mail) => [mail.to, toldBy(mail)]))
    },
    change: (over: Partial<Preferences>) =>
      site.changePreferences(deriveToken(KEYS, 'preferences', ada), { ...LONDON_DAILY, ...over }),
    [Symbol.asyncDispose]: newsletter[Symbol.asyncDispose],
  }
}

const toldBy = ({ text }: { text: string }): string | null =>
  /Your settings were changed[\s\S]*?\./.exec(text)?.[0].replace(/\s+/g, ' ') ?? null

const ADA = 'reader0@example.org'
const GRACE = 'reader1@example.org'

test('the next digest says on which day what was changed, and where the links are renewed, to that reader and once', async () => {
  await using readers = await openReaders()
  await readers.change({ papers: 5 })
  await readers.change({ papers: 5, topics: ['robotics'] })
  await readers.publish(NEXT)
  const mails = await readers.send()
  const [mail] = mails.filter(({ to }) => to === ADA)
  const line =
    'Your settings were changed on Wednesday 15 April by a link in one of your emails: topics, number of papers.'
  expect(mail?.text.replace(/\s+/g, ' ')).toContain(`${line} If that was not you, renew your links: http://localhost`)
  const renew = `http://localhost:8080/preferences/${deriveToken(KEYS, 'preferences', readers.ada)}#links`
  expect(mail?.text).toContain(renew)
  expect(mail?.html).toContain(line)
  expect(mail?.html).toContain(`href="${renew}"`)
  expect(mails.filter(({ to }) => to === GRACE).map(toldBy)).toEqual([null])
  expect(await readers.told(SECOND)).toEqual({ [ADA]: null, [GRACE]: null })
})

test('readers of one digest are told each their own, and what is stored again unchanged is no change', async () => {
  await using readers = await openReaders()
  const token = deriveToken(KEYS, 'preferences', readers.ada)
  await readers.site.pause(token, '2026-05-01')
  await readers.site.pause(token, null)
  await readers.site.changePreferences(deriveToken(KEYS, 'preferences', readers.grace), LONDON_DAILY)
  await readers.publish(NEXT)
  const digests = await readers.db
    .selectFrom('deliveries')
    .select('digest_id')
    .where('local_date', '=', '2026-04-16')
    .execute()
  expect(new Set(digests.map((one) => one.digest_id)).size).toBe(1)
  const mails = await readers.send()
  expect(Object.fromEntries(mails.map((mail) => [mail.to, toldBy(mail)]))).toEqual({
    [ADA]: 'Your settings were changed on Wednesday 15 April by a link in one of your emails: pause.',
    [GRACE]: null,
  })
})

test('a digest that is empty tells nothing; the one after it does', async () => {
  await using readers = await openReaders()
  await readers.change({ topics: ['recsys'] })
  expect(await readers.told(NEXT)).toEqual({ [GRACE]: null })
  await storeDay(readers.db, '2026-04-16', ['recsys'], '2026-04-16T12:00:00Z')
  expect(await readers.told(SECOND)).toMatchObject({ [ADA]: expect.stringContaining('emails: topics.') })
})

test('a digest that could not be published tells nothing, and takes the note from nobody', async () => {
  await using readers = await openReaders()
  await readers.change({ hour: 6 })
  // Whatever comes in between the delivery and the note, neither is there without the other.
  await sql`create function fail() returns trigger language plpgsql as $$ begin raise exception 'on purpose'; end $$`.execute(
    readers.db,
  )
  await sql`create trigger fails before update on subscribers for each row
    when (old.changed_by_link_on is not null and new.changed_by_link_on is null) execute function fail()`.execute(
    readers.db,
  )
  await readers.publish(NEXT)
  expect((await readers.send()).map(({ to }) => to)).toEqual([GRACE])
  await sql`drop trigger fails on subscribers`.execute(readers.db)
  await readers.db.deleteFrom('set_aside_subscribers').execute()
  expect(await readers.told(SECOND)).toMatchObject({ [ADA]: expect.stringContaining('emails: sending time.') })
})

test('what a canceled digest would have told is told by the next, with what was changed since', async () => {
  await using readers = await openReaders()
  await readers.change({ papers: 5 })
  await readers.publish(NEXT)
  const { id } = await readers.db.selectFrom('editions').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow()
  const how = { by: 'Ada', why: 'a wrong title', again: false, dryRun: false }
  await cancelEdition({ db: readers.db, log: SILENT, now: () => NEXT }, id, how)
  await readers.change({ papers: 5, muted: ['survey'] })
  expect(await readers.told(SECOND)).toMatchObject({
    [ADA]: expect.stringContaining('emails: muted words, number of papers.'),
    [GRACE]: null,
  })
  expect(await readers.told(THIRD)).toMatchObject({ [ADA]: null })
})

test('a welcome tells it where that comes first, and of a change that the release before noted the date is told', async () => {
  await using readers = await openReaders()
  await readers.change({ papers: 5 })
  await sql`update subscribers set changed_by_link = null where id = ${readers.ada}`.execute(readers.db)
  await readers.site.unsubscribe(deriveToken(KEYS, 'unsubscribe', readers.ada))
  await readers.db.deleteFrom('letter_limits').execute()
  await subscribe(readers.db, ADA, LONDON_DAILY, new Date('2026-04-15T21:00:00Z'))
  const mails = (await readers.send()).map(toldBy).filter((line) => line !== null)
  expect(mails).toEqual(['Your settings were changed on Wednesday 15 April by a link in one of your emails.'])
  expect(await readers.told(NEXT)).not.toMatchObject({ [ADA]: expect.any(String) })
})
