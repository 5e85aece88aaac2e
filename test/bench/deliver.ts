/**
 * Measures how fast an edition is sent, compared with what the mail server could take and with simpler programs, all in one
 * run and into the same sink: Postfix's `smtp-sink` where it is installed, else one of ours in a process of its own.
 * `--mails N` sends so many in each of our runs instead of 20,000, and fewer by the simpler programs where N is less than
 * they would send. Ours are measured with messages of the size that digests have, and with such as are padded to the size
 * that they had. Where the kernel tells it, the processor time of a message is given by process: `others` are whatever else
 * ran meanwhile, and with much of it the figures say little.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { parse } from 'yaml'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { compileMessage } from '../../src/adapters/smtp/message.ts'
import { createMailTemplates } from '../../src/adapters/templates/mail-templates.ts'
import { createComposer } from '../../src/newsletter/sending/mail.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { claim } from '../../src/store/outbox/claims.ts'
import { SENDING } from '../../workers/roles/mailer.ts'
import { BENCH_KEYS, BENCH_SETTINGS, oweEdition } from '../support/fixtures/owed-edition.ts'
import { padMessages } from '../support/fixtures/padded-message.ts'
import { startChild } from '../support/processes/child.ts'
import { CORE_MS, type CoreMs, readEndedChildrenTime, shareOut } from '../support/processes/cpu-time.ts'
import { findProgram } from '../support/processes/find-program.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startSmtpSinkProcess } from '../support/servers/smtp-sink-process.ts'

const RUNS = 3
const COHORTS = 200
/** Octets of a message before digests were made lighter: padded to them, what the way to the server costs can be compared. */
const OLD_SIZE = 42_000
const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, mails: { type: 'string', default: '20000' } },
  allowPositionals: true,
})
const mails = Number(options.mails)
if (!Number.isSafeInteger(mails) || mails < 1) throw new Error('--mails is a whole number from 1 on')
const MAILS = { ours: mails, dkim: mails, naive: Math.min(mails, 5_000), 'mjml-each': Math.min(mails, 500) }
const SESSIONS = SENDING.deliveries.lanes * SENDING.deliveries.connections
/** For `smtp-sink` to listen, milliseconds. */
const PATIENCE = 5_000

interface Measured {
  sent: number
  seconds: number
  cpu_ms: number
  rss_mb: number
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const round = (value: number, digits = 0): number => Number(value.toFixed(digits))

const openSink = async () => {
  const program = findProgram('smtp-sink')
  if (program === null) {
    const sink = await startSmtpSinkProcess({})
    return { port: sink.port, pid: sink.pid, name: 'a sink of ours', [Symbol.asyncDispose]: sink.stop }
  }
  const port = await findFreePort()
  // It does not run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(program, [...user, `127.0.0.1:${port}`, '1000'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const until = performance.now() + PATIENCE
  while (!(await answers(port))) {
    if (performance.now() > until) throw new Error('smtp-sink does not answer')
    await delay(20)
  }
  return {
    port,
    pid: child.pid ?? 0,
    name: 'smtp-sink',
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** Messages per second of Postfix's own `smtp-source`, with as many sessions as ours; `null` where it is not installed. */
const measureLimit = async (port: number, size: number) => {
  const program = findProgram('smtp-source')
  if (program === null) return { perSecond: null, senderMs: 0 }
  const args = ['-s', `${SESSIONS}`, '-l', `${size}`, '-m', `${MAILS.ours}`]
  const envelope = ['-f', 'round@example.org', '-t', 'a@example.com']
  const begun = performance.now()
  const endedBefore = await readEndedChildrenTime()
  await promisify(execFile)(program, [...args, ...envelope, `127.0.0.1:${port}`])
  return {
    perSecond: (MAILS.ours / (performance.now() - begun)) * 1000,
    senderMs: (await readEndedChildrenTime()) - endedBefore,
  }
}

/** Node's options for a mailer in docker-compose.yml and the Dockerfile: ours is measured as it runs there. */
const readMailerOptions = async (): Promise<string> => {
  const file = await readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
  const preload = fileURLToPath(new URL('../../workers/preload.cjs', import.meta.url))
  return `-r ${preload} ${parse(file, { merge: true }).services.mailer.environment.NODE_OPTIONS}`
}

interface Sending {
  processes?: number
  /** Octets by which each message is longer than its template makes it. */
  padding?: number
}

/** Starts `processes` senders at the same moment and waits for all. */
const measure = async (
  program: keyof typeof MAILS,
  databaseUrl: string,
  port: number,
  { processes = 1, padding = 0 }: Sending = {},
) => {
  const url = `smtp://127.0.0.1:${port}?requireTLS=false`
  const args = [program, databaseUrl, url, String(MAILS[program]), String(padding)]
  const prefix = program === 'ours' || program === 'dkim' ? ['env', `NODE_OPTIONS=${await readMailerOptions()}`] : []
  const children = Array.from({ length: processes }, () => startChild('delivery-process.ts', args, prefix))
  for (const child of children) if ((await child.line()) !== 'ready') throw new Error(`${program} is not ready`)
  for (const child of children) child.write('go\n')
  const measured = await Promise.all(children.map(async (child) => JSON.parse(await child.line()) as Measured))
  for (const child of children) await child.end()
  const sent = measured.reduce((sum, one) => sum + one.sent, 0)
  if (sent !== MAILS[program]) throw new Error(`${program} sent ${sent} of ${MAILS[program]}`)
  return {
    perSecond: sent / Math.max(...measured.map((one) => one.seconds)),
    rss: Math.max(...measured.map((one) => one.rss_mb)),
    senderMs: measured.reduce((sum, one) => sum + one.cpu_ms, 0),
  }
}

const MEASURES = ['limit', 'ours', 'two', 'dkim', 'limit_small', 'ours_small'] as const
type Measure = (typeof MEASURES)[number]
type Run = Record<Measure, { perSecond: number | null; rss?: number; coreMs: CoreMs }>

const medianOf = (runs: Run[], pick: (run: Run) => number | null | undefined): number | null => {
  const values = runs.map(pick)
  return values.some((value) => value == null) ? null : median(values.map(Number))
}
const ratio = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null ? null : round(part / whole, 2)

/** A table of all runs and their medians: what was sent a second, and the processor time of a message by process. */
const tableOf = (runs: Run[], sizes: { old: number; now: number }): string[] => {
  const names: Record<Measure, string> = {
    limit: `smtp-source, ${sizes.old} octets`,
    ours: `one mailer, ${sizes.old} octets`,
    two: `two mailers, ${sizes.old} octets`,
    dkim: `one that signs, ${sizes.old} octets`,
    limit_small: `smtp-source, ${sizes.now} octets`,
    ours_small: `one mailer, ${sizes.now} octets`,
  }
  const cell = (value: number | null, digits: number) => (value === null ? '-' : value.toFixed(digits)).padStart(9)
  const columns = [...runs.map((_, n) => `run ${n + 1}`), 'median'].map((name) => name.padStart(9)).join('')
  const row = (name: string, digits: number, pick: (run: Run) => number | null) =>
    `${name.padEnd(36)}${[...runs.map(pick), medianOf(runs, pick)].map((value) => cell(value, digits)).join('')}`
  return MEASURES.flatMap((measure) => [
    `${names[measure].padEnd(36)}${columns}`,
    row('  messages a second', 0, (run) => run[measure].perSecond),
    ...CORE_MS.map((process) => row(`  core-ms a message: ${process}`, 3, (run) => run[measure].coreMs[process])),
  ])
}

const run = async (say: (line: string) => void): Promise<Record<string, number | null>> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    await using sink = await openSink()
    say(`into ${sink.name}, ${SESSIONS} sessions, ${availableParallelism()} cores`)

    await oweEdition(db, MAILS.ours, COHORTS)
    const [first] = await claim(db, 'deliveries', 1)
    if (first === undefined) throw new Error('nothing is owed')
    const templates = await createMailTemplates(BENCH_SETTINGS)
    const sizeWith = async (octets: number): Promise<number> => {
      const ports = { db, keys: BENCH_KEYS, ...BENCH_SETTINGS, ...templates }
      return (await createComposer({ ...ports, compileMessage: padMessages(compileMessage, octets) })(first)).message
        .length
    }
    const now = await sizeWith(0)
    const padding = Math.max(0, OLD_SIZE - now)
    const sizes = { old: await sizeWith(padding), now }

    const pids = { postgres: server.pid, sink: sink.pid }
    const ours = async (program: 'ours' | 'dkim', sending: Sending) => {
      await oweEdition(db, MAILS[program], COHORTS)
      return shareOut(MAILS[program], pids, () => measure(program, server.url, sink.port, sending))
    }
    const limit = (size: number) => shareOut(MAILS.ours, pids, () => measureLimit(sink.port, size))
    const runs: Run[] = []
    for (let n = 0; n < RUNS; n++) {
      runs.push({
        limit: await limit(sizes.old),
        ours: await ours('ours', { padding }),
        two: await ours('ours', { padding, processes: 2 }),
        dkim: await ours('dkim', { padding }),
        limit_small: await limit(sizes.now),
        ours_small: await ours('ours', {}),
      })
      say(`run ${n + 1} of ${RUNS} is done`)
    }
    for (const line of tableOf(runs, sizes)) say(line)

    await oweEdition(db, MAILS.naive, COHORTS)
    const naive = await measure('naive', server.url, sink.port)
    await oweEdition(db, MAILS['mjml-each'], COHORTS)
    const mjmlEach = await measure('mjml-each', server.url, sink.port)
    await db.destroy()

    const rate = (measure: Measure) => medianOf(runs, (one) => one[measure].perSecond)
    const times = (other: number, digits: number) => round((rate('ours_small') ?? 0) / other, digits)
    const coreMs = (measure: Measure) =>
      Object.fromEntries(
        CORE_MS.map((process) => {
          const value = medianOf(runs, (one) => one[measure].coreMs[process])
          return [`${measure}_${process}_core_ms`, value === null ? null : round(value, 3)]
        }),
      )
    return {
      message_bytes: sizes.now,
      messages_per_s: round(rate('ours_small') ?? 0),
      limit_per_s: rate('limit_small') === null ? null : round(rate('limit_small') ?? 0),
      ratio_to_limit: ratio(rate('ours_small'), rate('limit_small')),
      old_size_bytes: sizes.old,
      old_size_per_s: round(rate('ours') ?? 0),
      old_size_limit_per_s: rate('limit') === null ? null : round(rate('limit') ?? 0),
      old_size_ratio_to_limit: ratio(rate('ours'), rate('limit')),
      two_mailers_per_s: round(rate('two') ?? 0),
      two_mailers_to_one: ratio(rate('two'), rate('ours')),
      dkim_per_s: round(rate('dkim') ?? 0),
      dkim_to_unsigned: ratio(rate('dkim'), rate('ours')),
      naive_per_s: round(naive.perSecond),
      times_naive: times(naive.perSecond, 1),
      mjml_each_per_s: round(mjmlEach.perSecond),
      times_mjml_each: times(mjmlEach.perSecond, 0),
      rss_mb: Math.max(...runs.flatMap((one) => [one.ours.rss ?? 0, one.ours_small.rss ?? 0])),
      ...coreMs('ours'),
      ...coreMs('limit'),
      ...coreMs('ours_small'),
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(28)} ${value ?? '(not measured)'}`)
if (options.json) console.log(JSON.stringify(result))
