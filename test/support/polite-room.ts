/** Digests owed to given addresses, a mail server to fail as a test wants, and mailers between them: for tests of manners. */
import { sql } from 'kysely'
import { openSmtp } from '../../src/adapters/smtp.ts'
import type { DrainOptions, MailerPorts } from '../../src/newsletter/delivery.ts'
import { drain } from '../../src/newsletter/delivery.ts'
import { createWays } from '../../src/newsletter/ways.ts'
import { readTroubled } from '../../src/store/ways.ts'
import { oweEdition } from './delivery-room.ts'
import { openNewsletter, QUIET } from './newsletter.ts'
import { openSmtpSink, type SinkOptions } from './smtp-sink.ts'

const MESSAGE = Buffer.from('From: round@example.net\r\nSubject: Papers\r\n\r\nPapers.\r\n')
const OPTIONS: DrainOptions = { lanes: 2, connections: 4, stopping: () => false }
/** Another user than the sink may want, so that its login can be made to fail. */
const LOGIN = 'round:secret@'

export const openPoliteRoom = async (emails: string[], sinkOptions: SinkOptions = {}) => {
  const closers = new AsyncDisposableStack()
  const { db } = closers.use(await openNewsletter())
  await oweEdition(db, emails.length, 1, 1)
  await sql`update subscribers s set email = given.email
    from (select id, row_number() over (order by email) as n from subscribers) reader
      join unnest(${emails}::text[]) with ordinality as given (email, n) on given.n = reader.n
    where s.id = reader.id`.execute(db)
  const sink = closers.use(await openSmtpSink(sinkOptions))
  const logged: string[] = []
  const say = (level: string) => (_: object, event: string) => {
    logged.push(`${level}: ${event}`)
  }
  const log = { info: say('info'), warn: say('warn'), error: say('error') }

  /** A mailer with connections and a memory of its own, as another process has them. */
  const openMailer = (): MailerPorts => {
    const url = sinkOptions.login === undefined ? sink.url : sink.url.replace('//', `//${LOGIN}`)
    const smtp = openSmtp({ url, connections: 8 })
    closers.defer(() => smtp.close())
    return {
      db,
      log,
      compose: async () => ({ from: 'round@example.net', message: MESSAGE, plain: true }),
      send: smtp.send,
      ways: createWays({ db, log, relay: 'sink' }),
      steady: () => performance.now(),
      random: () => 0,
      ring: QUIET,
    }
  }
  const mailer = openMailer()
  return {
    db,
    sink,
    logged,
    openMailer,
    send: (options: Partial<DrainOptions> = {}, by = mailer) => drain(by, 'deliveries', { ...OPTIONS, ...options }),
    troubled: () => readTroubled(db),
    /** Lets ways in trouble rest no longer, as if the time had passed. */
    endRests: () =>
      db
        .updateTable('troubled_ways')
        .set({ not_before: new Date(0) })
        .execute(),
    /** Readies what was put off, though not what was put aside for a destination. */
    readyAll: () =>
      db
        .updateTable('deliveries')
        .set({ next_attempt_at: new Date(0) })
        .where('state', '=', 'deferred')
        .where('waits_for', 'is', null)
        .execute(),
    /** How many there are of each state and number of attempts, such as `sent 1`. */
    states: async (domain = '') => {
      const rows = await db
        .selectFrom('deliveries')
        .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
        .select(['deliveries.state', 'attempts'])
        .where('email', 'like', `%${domain}`)
        .execute()
      const counts: Record<string, number> = {}
      for (const { state, attempts } of rows) {
        const key = `${state} ${attempts}`
        counts[key] = (counts[key] ?? 0) + 1
      }
      return counts
    },
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  }
}
