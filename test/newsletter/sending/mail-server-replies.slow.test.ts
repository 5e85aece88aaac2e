/**
 * What mail servers really say, each reply tried on mailers, database and SMTP: a server answers so to 30 readers of six
 * destinations for a while, then takes everything. Time passes in the database as the service would wait for it.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { suppressFailing } from '../../../src/newsletter/feedback/feedback.ts'
import { sweepRoutes } from '../../../src/newsletter/sending/routes.ts'
import { SILENT } from '../../support/fixtures/newsletter.ts'
import { openRateLimitedNewsletter } from '../../support/fixtures/rate-limited-newsletter.ts'
import type { Fault, FaultContext, FaultStage } from '../../support/servers/smtp-sink.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DESTINATIONS = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example', 'gmail.com']
const READERS = Array.from({ length: 30 }, (_, n) => `reader${n}@${DESTINATIONS[n % 6]}`)

type Matter = 'relay' | 'destination' | 'reader' | 'us' | 'session'
interface Row {
  stage: string
  reply: string
  matter: Matter
  must: string
}

const file = path.resolve(import.meta.dirname, '../../../../shared/data/replies/relay-and-destination.tsv')
const given: Row[] = existsSync(file)
  ? readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [stage = '', reply = '', matter = '', must = ''] = line.split('\t')
        return { stage, reply, matter: matter as Matter, must }
      })
  : []

/** Of the same kinds, in other words, stages and codes. */
const invented: Row[] = [
  ['mail', '421 4.7.0 You have reached the 300 messages that your package allows per hour', 'relay', 'rests'],
  [
    'rcpt',
    '451 4.7.1 <x@example.org>: Sender address rejected: sending quota of your domain is used up',
    'relay',
    'rests',
  ],
  ['data', '552 5.7.1 Outgoing mail allowance exhausted until midnight', 'relay', 'rests'],
  [
    'message',
    '550 5.7.232 Your message cannot be sent: the tenant exceeded its daily external recipients limit',
    'relay',
    'rests',
  ],
  ['rcpt', '452 4.5.3 Max recipients for the last 24 hours reached', 'relay', 'rests'],
  ['message', '554 5.7.1 You are out of credits, please top up', 'relay', 'rests'],
  ['mail', '454 4.7.0 Account temporarily suspended from sending, contact support', 'relay', 'rests'],
  ['rcpt', '550 5.7.0 Sending is disabled for this mailbox after unusual outgoing activity', 'relay', 'rests'],
  ['rcpt', '421 4.7.0 Calm down: messages are arriving too quickly from you', 'relay', 'slower'],
  ['message', '450 4.3.2 Throttled, 14 messages per second at most', 'relay', 'slower'],
  ['data', '451 4.7.1 Please slow down', 'relay', 'slower'],
  ['mail', '554 5.7.1 Rate limited, try again in 60 seconds', 'relay', 'slower'],
  [
    'mail',
    '421 4.7.0 Number of parallel sessions for this user exceeds the maximum of 3',
    'relay',
    'fewer connections',
  ],
  ['rcpt', '550 5.1.1 No such customer (code 77)', 'relay', 'common: whatever it says'],
  ['message', '554 Transaction failed', 'relay', 'common: whatever it says'],
  ['rcpt', '451 4.3.0 Ouch', 'relay', 'common: whatever it says'],
  ['rcpt', '552 5.2.2 This user is over quota', 'reader', 'soft: failed'],
  ['rcpt', '550 5.4.310 DNS domain gone.example does not exist', 'reader', 'gone'],
  ['rcpt', '421 4.7.28 Gmail has detected an unusual rate of unsolicited mail', 'destination', 'slower'],
  ['kept', '421 Idle for too long, goodbye', 'session', 'anew'],
].map(([stage = '', reply = '', matter = '', must = '']) => ({ stage, reply, matter: matter as Matter, must }))

const STAGES: Record<string, FaultStage> = { rcpt: 'rcpt', mail: 'mail', data: 'data', message: 'dot', kept: 'mail' }

/** Whether the server answers so to this mail: a reader's own matter concerns a few, a destination's its readers alone. */
const concerns = ({ stage, matter }: Row, context: FaultContext): boolean => {
  if (context.stage !== STAGES[stage]) return false
  if (stage === 'kept') return context.message === 2
  // A cap of connections lets three through.
  if (matter === 'destination') return context.to.endsWith('@gmail.com')
  if (matter === 'reader' && stage === 'rcpt') return /^reader[0-4]@/.test(context.to)
  return true
}

interface Result {
  failed: number
  suppressed: number
  /** Attempts that counted although they did not succeed. */
  tries: number
  sent: number
  /** Simulated seconds from the server's recovery to the last mail. */
  seconds: number | null
  /** Throttled while the server refused, such as `relay: quota`. */
  throttled: string[]
  told: string[]
}

/** Runs one reply: refused for `refusingMs` of simulated time, then taken; the service looks for work every `tickMs`. */
const run = async (row: Row, refusingMs: number, tickMs = MINUTE): Promise<Result> => {
  let refusing = true
  const greeted = new Set<string>()
  await using newsletter = await openRateLimitedNewsletter(READERS, {
    fault: (context): Fault | undefined => {
      if (!refusing || !concerns(row, context)) return undefined
      if (/greylist/i.test(row.reply)) {
        if (greeted.has(context.to)) return undefined
        greeted.add(context.to)
      }
      const reply = row.reply.replace('reader@example.net', context.to)
      // What the table gives as the first line of several needs a last one.
      return { reply: /^\d{3}-/.test(reply) ? `${reply}\r\n${reply.replace('-', ' ')}` : reply }
    },
  })
  const { db } = newsletter
  const mailer = newsletter.openMailer()
  let wokenInMs = Number.POSITIVE_INFINITY
  mailer.wakeIn = (ms) => {
    wokenInMs = Math.min(wokenInMs, ms)
  }
  let elapsed = 0
  let lastSentAt = 0
  const throttled = new Set<string>()
  const states = async () => newsletter.states()
  const isOver = async () => Object.keys(await states()).every((key) => /^(?:sent|failed) /.test(key))
  const passTime = async (ms: number) => {
    elapsed += ms
    const by = sql`${ms}::float8 * interval '1 ms'`
    await sql`update throttled_routes set not_before = not_before - ${by}, since = since - ${by}`.execute(db)
    await sql`update deliveries set next_attempt_at = next_attempt_at - ${by}, created_at = created_at - ${by},
      attempted_at = attempted_at - ${by}`.execute(db)
  }
  for (let sinceTick = 0; elapsed < 36 * 60 * MINUTE; ) {
    if (elapsed >= refusingMs) refusing = false
    wokenInMs = Number.POSITIVE_INFINITY
    while ((await newsletter.send({}, mailer)) > 0) lastSentAt = elapsed
    if (refusing) for (const { kind, cause } of await newsletter.throttled()) throttled.add(`${kind}: ${cause}`)
    if (!refusing && (await isOver())) break
    const step = Math.max(SECOND / 10, Math.min(wokenInMs, tickMs - sinceTick))
    await passTime(step)
    sinceTick += step
    if (sinceTick >= tickMs) {
      sinceTick = 0
      await sweepRoutes({ db, log: SILENT }, new Date())
      await suppressFailing({ db, log: SILENT })
    }
  }
  const counts = Object.entries(await states()).map(([key, count]) => {
    const [state, attempts] = key.split(' ')
    return { state, attempts: Number(attempts), count }
  })
  const total = (of: (one: (typeof counts)[number]) => number) => counts.reduce((sum, one) => sum + of(one), 0)
  const suppressed = await db.selectFrom('suppressions').select('email').execute()
  const sent = total(({ state, count }) => (state === 'sent' ? count : 0))
  return {
    failed: total(({ state, count }) => (state === 'failed' ? count : 0)),
    suppressed: suppressed.length,
    tries: total(({ state, attempts, count }) => count * (attempts - (state === 'sent' ? 1 : 0))),
    sent,
    seconds: sent === 0 ? null : Math.max(0, Math.round((lastSentAt - refusingMs) / SECOND)),
    throttled: [...throttled].sort(),
    told: newsletter.logged.filter((line) => /^(?:error|warn): (?:sending stops|the mail server)/.test(line)),
  }
}

const table: Record<string, string | number | null>[] = []
afterAll(() => {
  console.log(
    table
      .map((row) => Object.values(row).join('\t'))
      .join('\n')
      .replace(/^/, `${Object.keys(table[0] ?? {}).join('\t')}\n`),
  )
})

/** The server refuses for half an hour; a mail whose matter is the reader's own for ten minutes. */
const REFUSING: Record<Matter, number> = {
  relay: 30 * MINUTE,
  destination: 30 * MINUTE,
  reader: 10 * MINUTE,
  us: 30 * MINUTE,
  session: 0.5 * SECOND,
}

test.each(['rcpt', 'data'])('a day of “450 Too many requests” at %s lets no mail expire', async (stage) => {
  const { failed, suppressed, tries, sent } = await run(
    { stage, reply: '450 Too many requests', matter: 'relay', must: 'slower' },
    26 * 60 * MINUTE,
    15 * MINUTE,
  )
  expect({ failed, suppressed, tries, sent }).toEqual({ failed: 0, suppressed: 0, tries: 0, sent: 30 })
})

describe.each([
  ['given', given],
  ['invented', invented],
])('of the replies that are %s', (_, rows) => {
  test.each(rows)('$stage $reply: $matter, $must', async (row) => {
    const result = await run(row, REFUSING[row.matter])
    const { failed, suppressed, tries, sent, seconds, throttled, told } = result
    table.push({
      stage: row.stage,
      reply: row.reply.slice(0, 70),
      matter: row.matter,
      ...result,
      throttled: throttled.join(),
      told: told.length,
    })
    const gone = row.matter === 'reader' && /gone/.test(row.must)
    const softFailure = row.matter === 'reader' && /^5/.test(row.reply) && !gone
    expect({ failed, suppressed, sent }).toEqual({
      failed: gone || softFailure ? 5 : 0,
      suppressed: gone ? 5 : 0,
      sent: gone || softFailure ? 25 : 30,
    })
    if (row.matter === 'reader') {
      expect(throttled).toEqual([])
      if (!gone && !softFailure) expect(tries).toBeGreaterThan(0)
      return
    }
    expect(tries).toBe(0)
    switch (row.matter) {
      case 'relay':
        expect(throttled.map((one) => one.split(':')[0])).toEqual(['relay'])
        expect(told.length).toBeGreaterThan(0)
        // A quota that is back is noticed within the longest back-off, and all is sent at once.
        expect(seconds).toBeLessThan(61 * 60)
        break
      case 'destination':
        expect(throttled).toEqual(['destination: limited'])
        expect(told).toEqual([])
        break
      case 'us':
        expect(throttled).toContain('relay: policy')
        expect(told.length).toBeGreaterThan(0)
        break
      default:
        expect(throttled).toEqual([])
        expect(seconds).toBe(0)
    }
  })
})
