/** A newsletter with digests owed, and a mailer that sends them to a sink: for tests of what becomes of a mail. */
import { sql } from 'kysely'
import { createMailTemplates } from '../../src/adapters/mail-templates.ts'
import { createMold } from '../../src/adapters/message.ts'
import { openSmtp } from '../../src/adapters/smtp.ts'
import type { MailerPorts } from '../../src/newsletter/delivery.ts'
import { publishDue } from '../../src/newsletter/edition.ts'
import { createComposer } from '../../src/newsletter/mail.ts'
import { createWays } from '../../src/newsletter/ways.ts'
import { KEYS, LONDON_DAILY, openNewsletter, QUIET, SILENT, storeDay, subscribe } from './newsletter.ts'
import { type FaultContext, openSmtpSink, type SinkOptions } from './smtp-sink.ts'

const START = new Date('2026-04-14T05:00:00Z')
export const DUE = new Date('2026-04-15T06:00:00Z')
export const OPTIONS = { lanes: 1, connections: 3, stopping: () => false }

/** A newsletter with `readers` digests owed and nothing else, and a mailer that sends them to a sink. */
export const openMailRoom = async (readers: number, fault?: SinkOptions['fault']) => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeDay(db, day, LONDON_DAILY.topics)
  const first = await subscribe(db, 'reader0@example.org', LONDON_DAILY, START)
  // The others are like the first but for their address: to subscribe each by themselves takes seconds.
  const { rows } = await sql<{ id: string }>`
    insert into subscribers select (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
      'email', 'reader' || n || '@example.org'))).* from subscribers s, generate_series(1, ${readers - 1}::int) n
    where s.id = ${first} returning id, email`.execute(db)
  const ids = [first, ...rows.map(({ id }) => id)]
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await publishDue({ db, log: SILENT, ring: QUIET }, DUE)
  const sink = await openSmtpSink(fault === undefined ? {} : { fault })
  const smtp = openSmtp({ url: sink.url, connections: OPTIONS.connections })
  const templates = await createMailTemplates({ baseUrl: 'http://localhost:8080', postalAddress: null })
  let steady = 0
  let rings = 0
  const ports: MailerPorts = {
    db,
    log: SILENT,
    compose: createComposer({
      db,
      keys: KEYS,
      baseUrl: 'http://localhost:8080',
      mailFrom: { name: 'Paper Round', address: 'round@example.net' },
      lettersFrom: { name: 'Paper Round', address: 'letters@example.net' },
      renderDigest: templates.renderDigest,
      renderLetter: templates.renderLetter,
      createMold,
    }),
    send: smtp.send,
    ways: createWays({ db, log: SILENT, relay: 'sink' }),
    steady: () => steady,
    random: () => 0,
    ring: async () => {
      rings += 1
    },
  }
  return {
    rings: () => rings,
    db,
    url: newsletter.url,
    ids,
    sink,
    ports,
    passTime: (ms: number) => {
      steady += ms
    },
    states: () => db.selectFrom('deliveries').select(['state', 'reason', 'attempts', 'resent']).orderBy('id').execute(),
    async [Symbol.asyncDispose]() {
      await smtp.close()
      await sink.close()
      await newsletter[Symbol.asyncDispose]()
    },
  }
}

/** Answers with this reply at this stage, so many times. */
export const atStage = (
  stage: FaultContext['stage'],
  reply: string,
  times = Number.POSITIVE_INFINITY,
): SinkOptions['fault'] => {
  let left = times
  return (context) => (context.stage === stage && left-- > 0 ? { reply } : undefined)
}
