/** The whole service at a relay that refuses everybody for a while: an edition and sign-ups go through it unharmed. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { openSite } from '../support/browser/http-client.ts'
import { LONDON_DAILY, subscribe } from '../support/fixtures/newsletter.ts'
import { startTestService } from '../support/servers/service.ts'
import { type FaultStage, openSmtpSink } from '../support/servers/smtp-sink.ts'

const DESTINATIONS = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example', 'gmail.com']
const START = '2026-04-14T05:00:00Z'

test.each<[FaultStage, string, string]>([
  ['rcpt', '550 5.4.5 Daily user sending limit exceeded.', 'quota'],
  ['dot', '554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message', 'account'],
  ['mail', '450 Too many requests. Try again later', 'rate'],
  ['rcpt', '550 5.1.1 No such user', 'common'],
])(
  'a relay that answers everybody at %s with %s gets all mail once it takes mail again',
  async (stage, reply, cause) => {
    let refusing = false
    await using sink = await openSmtpSink({
      fault: (context) => (refusing && context.stage === stage ? { reply } : undefined),
    })
    await using service = await startTestService({
      clock: START,
      days: ['2026-04-10', '2026-04-13', '2026-04-14'],
      smtpUrl: sink.url,
      // Those who are subscribed by the test count as sign-ups of the hour too.
      settings: { SIGN_UPS_PER_HOUR: 'all=3000' },
    })
    const db = openDatabase(service.databaseUrl, { connections: 2, name: 'test', onError: () => undefined })
    await using _ = { [Symbol.asyncDispose]: () => db.destroy() }
    for (let n = 0; n < 30; n++) await subscribe(db, `reader${n}@${DESTINATIONS[n % 6]}`, LONDON_DAILY, new Date(START))
    // The service may be sending these letters already: they all go before anything is refused.
    await service.wake('letters')
    const waiting = db.selectFrom('letters').select('id').where('state', 'in', ['queued', 'deferred', 'sending'])
    await expect.poll(() => waiting.execute(), { timeout: 20_000 }).toEqual([])
    const before = sink.count()

    refusing = true
    service.setClock('2026-04-15T06:00:30Z')
    await service.wake('tick')
    await expect
      .poll(() => db.selectFrom('throttled_routes').select(['kind', 'cause']).execute())
      .toEqual([{ kind: 'relay', cause }])
    const site = openSite(service.url)
    for (const name of ['eve', 'fay', 'gus'])
      expect(
        await site.post('/subscribe', {
          email: `${name}@example.org`,
          topics: ['diffusion-lm', 'robotics'],
          frequency: 'daily',
          timezone: 'Europe/London',
        }),
      ).toMatchObject({ status: 200 })
    await expect
      .poll(() =>
        db
          .selectFrom('letters')
          .select('id')
          .where('kind', '=', 'confirmation')
          .where('state', 'in', ['queued', 'deferred', 'sending'])
          .execute(),
      )
      .toHaveLength(3)
    await service.wake('tick')

    const untried = sql<{ count: number }>`
    select count(*)::int as count from (
      select state, attempts from deliveries union all select state, attempts from letters where sent_at is null) mails
    where state in ('queued', 'deferred', 'sending') and attempts = 0`
    await expect.poll(async () => (await untried.execute(db)).rows[0]?.count).toBe(33)
    expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([])
    const told = service.logged.filter((line) => /the mail server/.test(line) && /"level":"(?:error|warn)"/.test(line))
    expect(told.join('\n')).toContain(reply.slice(4, 30))
    expect(sink.count()).toBe(before)

    refusing = false
    await db
      .updateTable('throttled_routes')
      .set({ not_before: new Date(0) })
      .execute()
    await db
      .updateTable('deliveries')
      .set({ next_attempt_at: new Date(0) })
      .execute()
    await service.wake('letters')
    await service.wake('deliveries')
    await sink.waitFor(before + 33, 60_000)
    const states = sql<{ state: string; attempts: number; count: number }>`
    select state, attempts, count(*)::int as count from deliveries group by 1, 2`
    await expect.poll(async () => (await states.execute(db)).rows).toEqual([{ state: 'sent', attempts: 1, count: 30 }])
    expect(new Set(sink.messages.slice(before).map(({ to }) => to)).size).toBe(33)
  },
)
