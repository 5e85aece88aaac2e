/**
 * Measures how fast an edition is sent, compared with what the mail server could take and with simpler programs, all in one
 * run and into the same sink: Postfix's `smtp-sink` where it is installed, else one of ours in a process of its own.
 * `--mails N` sends so many in each of our runs instead of 20,000, and fewer by the simpler programs where N is less than
 * they would send.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
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
import { startChild } from '../support/processes/child.ts'
import { findProgram } from '../support/processes/find-program.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startSmtpSinkProcess } from '../support/servers/smtp-sink-process.ts'

const RUNS = 3
const COHORTS = 200
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
    return { port: sink.port, name: 'a sink of ours', [Symbol.asyncDispose]: sink.stop }
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
const measureLimit = async (port: number, size: number): Promise<number | null> => {
  const program = findProgram('smtp-source')
  if (program === null) return null
  const begun = performance.now()
  const args = [
    '-s',
    `${SESSIONS}`,
    '-l',
    `${size}`,
    '-m',
    `${MAILS.ours}`,
    '-f',
    'round@example.org',
    '-t',
    'a@example.com',
  ]
  await promisify(execFile)(program, [...args, `127.0.0.1:${port}`])
  return (MAILS.ours / (performance.now() - begun)) * 1000
}

/** Node's options for a mailer in docker-compose.yml and the Dockerfile: ours is measured as it runs there. */
const readMailerOptions = async (): Promise<string> => {
  const file = await readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
  const preload = fileURLToPath(new URL('../../workers/preload.cjs', import.meta.url))
  return `-r ${preload} ${parse(file, { merge: true }).services.mailer.environment.NODE_OPTIONS}`
}

/** Starts `processes` senders at the same moment and waits for all. */
const measure = async (program: keyof typeof MAILS, databaseUrl: string, port: number, processes = 1) => {
  const args = [program, databaseUrl, `smtp://127.0.0.1:${port}?requireTLS=false`, String(MAILS[program])]
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
    cpuMs: measured.reduce((sum, one) => sum + one.cpu_ms, 0) / sent,
  }
}

const run = async (say: (line: string) => void): Promise<Record<string, number | null>> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    await using sink = await openSink()
    say(`into ${sink.name}, ${SESSIONS} sessions`)

    await oweEdition(db, MAILS.ours, COHORTS)
    const [first] = await claim(db, 'deliveries', 1)
    if (first === undefined) throw new Error('nothing is owed')
    const templates = await createMailTemplates(BENCH_SETTINGS)
    const compose = createComposer({ db, keys: BENCH_KEYS, ...BENCH_SETTINGS, ...templates, compileMessage })
    const size = (await compose(first)).message.length

    const limits: (number | null)[] = []
    const ours: Awaited<ReturnType<typeof measure>>[] = []
    const two: number[] = []
    const signed: number[] = []
    for (let n = 0; n < RUNS; n++) {
      limits.push(await measureLimit(sink.port, size))
      await oweEdition(db, MAILS.ours, COHORTS)
      ours.push(await measure('ours', server.url, sink.port))
      await oweEdition(db, MAILS.ours, COHORTS)
      two.push((await measure('ours', server.url, sink.port, 2)).perSecond)
      await oweEdition(db, MAILS.dkim, COHORTS)
      signed.push((await measure('dkim', server.url, sink.port)).perSecond)
      say(`run ${n + 1}: ${round(ours.at(-1)?.perSecond ?? 0)}/s, limit ${round(limits.at(-1) ?? 0)}/s`)
    }
    await oweEdition(db, MAILS.naive, COHORTS)
    const naive = await measure('naive', server.url, sink.port)
    await oweEdition(db, MAILS['mjml-each'], COHORTS)
    const mjmlEach = await measure('mjml-each', server.url, sink.port)
    await db.destroy()

    const rate = median(ours.map((one) => one.perSecond))
    const limit = limits.includes(null) ? null : median(limits.map(Number))
    return {
      messages_per_s: round(rate),
      limit_per_s: limit === null ? null : round(limit),
      ratio_to_limit: limit === null ? null : round(rate / limit, 2),
      naive_per_s: round(naive.perSecond),
      times_naive: round(rate / naive.perSecond, 1),
      mjml_each_per_s: round(mjmlEach.perSecond),
      times_mjml_each: round(rate / mjmlEach.perSecond),
      two_mailers_per_s: round(median(two)),
      dkim_per_s: round(median(signed)),
      rss_mb: Math.max(...ours.map((one) => one.rss)),
      cpu_ms_per_message: round(median(ours.map((one) => one.cpuMs)), 2),
      message_bytes: size,
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(20)} ${value ?? '(not measured)'}`)
if (options.json) console.log(JSON.stringify(result))
