/**
 * How many mails 10,000 hostile sign-ups make the service send, by each way of making them, and how long honest readers who
 * sign up in between wait for their confirmation: the site and a mailer in processes of their own, on the embedded Postgres
 * with fsync, mail into a sink. `--small`: 1,000 of each.
 *
 * `mails` are those of the attack's own minutes and of the hour after, when held sign-ups are looked at again; `per_mailbox`
 * is the most that one mailbox got. An honest reader's browser does the work that it is asked for, in the time measured,
 * which ends when the confirmation has arrived.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { mailboxKey } from '../../src/core/subscriber/mailbox.ts'
import type { Challenge } from '../../src/core/subscriber/proof-of-work.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { percentile } from '../support/servers/sign-up-load.ts'
import { openSmtpSink, type SmtpSink } from '../support/servers/smtp-sink.ts'

const ATTACKS = process.argv.includes('--small') ? 1_000 : 10_000
const CONNECTIONS = 16
/** Honest readers in each attack, evenly between. */
const HONEST = 10
const PATIENCE = 120_000

interface HostileSignUp {
  email: string
  ip: string
}

const oneClient = '192.0.2.1'
/** One of the 65,536 networks of /64 in a /48. */
const anyNetwork = (n: number) => `2001:db8:7:${(n % 65_536).toString(16)}::1`
const withDots = (n: number) =>
  [...'victimvictimvi'].map((letter, i) => ((n >> i) & 1 ? `${letter}.` : letter)).join('')
const withCase = (n: number) =>
  [...'victimvictimvi'].map((letter, i) => ((n >> i) & 1 ? letter.toUpperCase() : letter)).join('')
const PROVIDERS = ['icloud.com', 'me.com', 'mac.com', 'proton.me', 'pm.me', 'protonmail.com', 'yandex.ru', 'ya.ru']
const UNICODE = ['ｇｍａｉｌ．ｃｏｍ', 'ＧＭＡＩＬ.com', 'gmail。com', 'g\u200bmail.com', 'gmaıl.com', 'gmail.com']

/** Each way of making sign-ups, the nth of it. */
const WAYS: Record<string, (n: number) => HostileSignUp> = {
  case: (n) => ({ email: `${withCase(n)}@victim.example.com`, ip: anyNetwork(n) }),
  dots: (n) => ({ email: `${withDots(n)}z@gmail.com`, ip: anyNetwork(n) }),
  plus: (n) => ({ email: `${n % 3 === 0 ? '' : 'victim'}+${n}@${PROVIDERS[n % PROVIDERS.length]}`, ip: anyNetwork(n) }),
  unicode: (n) => ({ email: `victim+${n}@${UNICODE[n % UNICODE.length]}`, ip: anyNetwork(n) }),
  'one client, one domain': (n) => ({ email: `person${n}@victim.example.com`, ip: oneClient }),
  'many clients, one domain': (n) => ({ email: `person${n}@host${n}.victim.com`, ip: anyNetwork(n) }),
  'one client, many domains': (n) => ({ email: `person@victim${n}.com`, ip: oneClient }),
  'many clients, many domains': (n) => ({ email: `person@victim${n}.com`, ip: anyNetwork(n) }),
}

const post = async (url: string, ip: string, fields: object): Promise<{ challenge?: Challenge }> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', 'x-forwarded-for': ip },
    body: JSON.stringify(fields),
  })
  const body = (await answer.json()) as { challenge?: Challenge }
  // What is no address at all is refused, and so is a client that asks too often; neither is a sign-up.
  if (![202, 400, 429].includes(answer.status)) throw new Error(`${url} answered ${answer.status}`)
  return body
}
const CHOICE = { topics: ['robotics'], frequency: 'daily', timezone: 'UTC' }

/** Signs an honest reader up as a browser does; resolves to the milliseconds until their confirmation has arrived. */
const signUpHonestly = async (site: string, sink: SmtpSink, email: string, ip: string): Promise<number> => {
  const begun = performance.now()
  const { challenge } = await post(`${site}/subscribe`, ip, { email, ...CHOICE })
  if (challenge !== undefined) {
    const solution = await solveChallenge({ challenge, deriveKey })
    const proof = Buffer.from(JSON.stringify({ challenge, solution })).toString('base64')
    await post(`${site}/subscribe/proof`, ip, { proof })
  }
  while (!sink.messages.some(({ to }) => to === email)) {
    if (performance.now() - begun > PATIENCE) throw new Error(`no confirmation came to ${email}`)
    await delay(5)
  }
  return performance.now() - begun
}

const settle = async (db: Database): Promise<void> => {
  for (;;) {
    const { rows } = await sql`select from sign_ups where not_before is null or not_before <= now()
      union all select from letters where state in ('queued', 'sending') limit 1`.execute(db)
    if (rows.length === 0) return
    await delay(20)
  }
}

const attack = async (db: Database, site: string, sink: SmtpSink, way: number) => {
  const [name = '', signUp] = Object.entries(WAYS)[way] ?? []
  if (signUp === undefined) throw new Error('there is no such way')
  await sql`truncate sign_ups, sign_up_counts, letter_limits`.execute(db)
  const before = sink.messages.length
  const honest: Promise<number>[] = []
  const reader = (n: number) => signUpHonestly(site, sink, `reader@honest${way}-${n}.org`, `198.51.${way}.${n}`)
  let next = 0
  const work = async () => {
    for (let n = next++; n < ATTACKS; n = next++) {
      const { email, ip } = signUp(n)
      await post(`${site}/subscribe`, ip, { email, ...CHOICE })
      if (n % Math.floor(ATTACKS / HONEST) === Math.floor(ATTACKS / HONEST / 2)) honest.push(reader(honest.length))
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  const waited = await Promise.all(honest)
  await settle(db)
  // An hour later the held ones are looked at again; the honest one wakes the mailer.
  await sql`update sign_ups set not_before = not_before - interval '51 minutes'`.execute(db)
  waited.push(await reader(HONEST))
  await settle(db)
  const hostile = sink.messages.slice(before).filter(({ to }) => !to.startsWith('reader@honest'))
  const byMailbox = Map.groupBy(hostile, ({ to }) => mailboxKey(to))
  return {
    name,
    mails: hostile.length,
    per_mailbox: Math.max(0, ...[...byMailbox.values()].map(({ length }) => length)),
    waited,
  }
}

const honest = (waited: number[]) => ({
  honest_p50_ms: Math.round(percentile(waited, 50)),
  honest_max_ms: Math.round(Math.max(...waited)),
})

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
  try {
    await migrate(server.url)
    await using sink = await openSmtpSink()
    const settings = {
      DATABASE_URL: server.url,
      DATA_DIR: folder,
      PORT: '0',
      SECRET_KEY: '07'.repeat(32),
      SMTP_URL: `${sink.url}?requireTLS=false`,
      MAIL_FROM: 'Paper Round <round@example.net>',
      TRUST_PROXY: '127.0.0.0/8',
      LOG_LEVEL: 'warn',
    }
    await using api = startProgram('main', ['api'], settings)
    const site = announcedIn(await api.said('is ready')).site.replace('localhost', '127.0.0.1')
    await using mailer = startProgram('main', ['mailer'], settings)
    await mailer.said('is ready')
    const ways = []
    for (let way = 0; way < Object.keys(WAYS).length; way++) {
      const { name, waited, ...measured } = await attack(db, site, sink, way)
      say(`${name.padEnd(28)} ${JSON.stringify({ ...measured, ...honest(waited) })}`)
      ways.push({ name, waited, ...measured })
    }
    return {
      sign_ups: ATTACKS,
      mails: Object.fromEntries(ways.map(({ name, mails }) => [name, mails])),
      most_per_mailbox: Math.max(...ways.map(({ per_mailbox }) => per_mailbox)),
      ...honest(ways.flatMap(({ waited }) => waited)),
    }
  } finally {
    await db.destroy()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(18)} ${JSON.stringify(value)}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
