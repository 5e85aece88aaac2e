/**
 * Whether the time or the bytes of an answer tell what is known of an address: sign-ups and requests for links by form, for
 * addresses that are new, pending, subscribed, unsubscribed, suppressed and erased, in random order, one after the other,
 * each address once, as an attacker would ask; at the whole service in a process of its own, whose mailer works off each
 * request while the next ones come, on the embedded Postgres with fsync.
 *
 * For each two states the differences of the means (without the tenth at each end, which a pause of the machine makes) and
 * of the medians are compared with those of random permutations of which time belongs to which state. `p` is the share of
 * permutations with as large a difference, by Holm's method corrected for all comparisons of a run; below 0.01 the time would
 * tell. `--samples N` for each state; 200 by default.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { request as send } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { EVERY_STATE, type State, storeInState } from '../support/fixtures/every-state.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { median } from '../support/servers/sign-up-load.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const given = process.argv.indexOf('--samples')
const SAMPLES = given < 0 ? 200 : Number(process.argv[given + 1])
const PATHS = ['/subscribe', '/links'] as const
const WARM_UP = 300
const PERMUTATIONS = 9_999
const TRIMMED = 0.1
/** Milliseconds between an answer and the next request, in which most of what follows a request is done. */
const LEAST_PAUSE = 20
const MORE_PAUSE = 20
const TELLS = 0.01

interface Sample {
  state: State
  ms: number
  /** Everything of the answer but its date and the sealed address, of which the length stands. */
  bytes: string
}

const ask = (url: string, email: string, client: number): Promise<Omit<Sample, 'state'>> =>
  new Promise((resolve, reject) => {
    const body = new URLSearchParams({ email }).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      'x-forwarded-for': `2001:db8:0:${client.toString(16)}::1`,
    }
    const begun = performance.now()
    const asked = send(url, { method: 'POST', headers }, (answer) => {
      const ms = performance.now() - begun
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => {
        const { date, 'x-request-id': id, ...rest } = answer.headers
        const all = JSON.stringify([answer.statusCode, rest, text])
        resolve({ ms, bytes: all.replace(/[\w-]{80,}/g, ({ length }) => `<${length}>`) })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })

const shuffle = <List extends { length: number; [at: number]: unknown }>(list: List): List => {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[list[i], list[j]] = [list[j], list[i]]
  }
  return list
}

/** The difference of two groups' trimmed means, and that of their medians. */
const differences = (one: Float64Array, other: Float64Array): [mean: number, median: number] => {
  const figures = [one, other].map((values) => {
    const sorted = values.toSorted()
    const cut = Math.floor(sorted.length * TRIMMED)
    const kept = sorted.subarray(cut, sorted.length - cut)
    return [kept.reduce((sum, value) => sum + value, 0) / kept.length, sorted[sorted.length >> 1] ?? 0] as const
  })
  const [[mean, middle] = [0, 0], [otherMean, otherMiddle] = [0, 0]] = figures
  return [Math.abs(mean - otherMean), Math.abs(middle - otherMiddle)]
}

/** By permutation, without correction: the chance of as large a difference of means, and of medians. */
const compare = (one: readonly number[], other: readonly number[]) => {
  const seen = differences(Float64Array.from(one), Float64Array.from(other))
  const all = Float64Array.from([...one, ...other])
  const asLarge: [number, number] = [0, 0]
  for (let n = 0; n < PERMUTATIONS; n++) {
    shuffle(all)
    const found = differences(all.subarray(0, one.length), all.subarray(one.length))
    for (const at of [0, 1] as const) if (found[at] >= seen[at] - Number.EPSILON) asLarge[at]++
  }
  return (['mean', 'median'] as const).map((of, at) => ({
    of,
    ms: seen[at] ?? 0,
    p: ((asLarge[at] ?? 0) + 1) / (PERMUTATIONS + 1),
  }))
}

/** Each p times the number of those that are not smaller, and none below a smaller one's. */
const correct = <T extends { p: number }>(comparisons: readonly T[]): (T & { corrected: number })[] => {
  let least = 0
  return comparisons
    .toSorted((a, b) => a.p - b.p)
    .map((one, rank) => {
      least = Math.min(1, Math.max(least, one.p * (comparisons.length - rank)))
      return { ...one, corrected: least }
    })
}

const compareStates = (samples: readonly Sample[]) => {
  const times = EVERY_STATE.map((state) => samples.filter((one) => one.state === state).map(({ ms }) => ms))
  return EVERY_STATE.flatMap((state, at) =>
    EVERY_STATE.slice(at + 1).flatMap((other, n) =>
      compare(times[at] ?? [], times[at + 1 + n] ?? []).map((one) => ({ states: `${state}, ${other}`, ...one })),
    ),
  )
}

interface Address {
  state: State
  email: string
}

/** An address for each sample, all of the same length, in random order. */
const store = async (db: Database, letter: string): Promise<Address[]> => {
  const all = shuffle(Array.from({ length: SAMPLES }, () => [...EVERY_STATE]).flat())
  const addresses = all.map((state, n) => ({ state, email: `reader@${letter}${String(n).padStart(6, '0')}.org` }))
  for (const { state, email } of addresses) await storeInState(db, state, email, new Date())
  return addresses
}

const measure = async (url: string, path: string, addresses: readonly Address[], say: (line: string) => void) => {
  for (let n = 0; n < WARM_UP; n++) await ask(url + path, `warm${n}@example.org`, n)
  const samples: Sample[] = []
  for (const [n, { state, email }] of addresses.entries()) {
    samples.push({ state, ...(await ask(url + path, email, n)) })
    await delay(LEAST_PAUSE + Math.random() * MORE_PAUSE)
  }
  for (const state of EVERY_STATE) {
    const times = samples.filter((one) => one.state === state).map(({ ms }) => ms)
    say(`${path.padEnd(10)} ${state.padEnd(12)} ${times.length} times, median ${median(times).toFixed(3)} ms`)
  }
  return { path, answers: new Set(samples.map(({ bytes }) => bytes)).size, comparisons: compareStates(samples) }
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
  try {
    await migrate(server.url)
    const addressesOf = new Map<string, Address[]>()
    for (const [n, path] of PATHS.entries()) addressesOf.set(path, await store(db, 'ab'[n] ?? ''))
    // Nothing is owed to them, nor were they written to today.
    await sql`truncate letters, sign_ups, sign_up_counts, letter_limits`.execute(db)
    await sql`vacuum analyze`.execute(db)
    await using sink = await openSmtpSink()
    await using service = startProgram('main', [], {
      DATABASE_URL: server.url,
      DATA_DIR: folder,
      PORT: '0',
      SECRET_KEY: '07'.repeat(32),
      SMTP_URL: `${sink.url}?requireTLS=false`,
      MAIL_FROM: 'Paper Round <round@example.net>',
      SIGN_UPS_PER_HOUR: 'client=1000000000,domain=1000000000,all=1000000000',
      TRUST_PROXY: '127.0.0.0/8',
      LOG_LEVEL: 'warn',
    })
    const url = announcedIn(await service.said('is ready')).site.replace('localhost', '127.0.0.1')
    const measured = []
    for (const path of PATHS) measured.push(await measure(url, path, addressesOf.get(path) ?? [], say))
    const all = measured.flatMap(({ path, comparisons }) => comparisons.map((one) => ({ path, ...one })))
    const corrected = correct(all)
    for (const { path, states, of, ms, p, corrected: holm } of corrected)
      say(
        `${path.padEnd(10)} ${states.padEnd(26)} ${of.padEnd(6)} ${ms.toFixed(3)} ms  p ${p.toFixed(4)}  ${holm.toFixed(3)}`,
      )
    return {
      samples: SAMPLES,
      comparisons: corrected.length,
      least_p: corrected[0]?.p ?? 1,
      least_p_corrected: corrected[0]?.corrected ?? 1,
      largest_difference_ms: Number(Math.max(...corrected.map(({ ms }) => ms)).toFixed(3)),
      answers: Object.fromEntries(measured.map(({ path, answers }) => [path, answers])),
      mails: sink.count(),
    }
  } finally {
    await db.destroy()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(22)} ${JSON.stringify(value)}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
const tells = result.least_p_corrected < TELLS || Object.values(result.answers).some((count) => count > 1)
if (tells) process.exitCode = 1
