/**
 * How long a list of 1,000,000 subscribers takes to import, beside COPY of the same rows, and how much memory; and what a
 * kill half-way leaves.
 *
 * The list has addresses, topics, times, keywords and links of a former system, with one wrong row in a thousand. It is
 * imported by the command that an operator uses, as a process of its own, into the embedded Postgres as it runs in
 * production, fsync and all. What that stored is then copied by COPY into the same tables of another database with the same
 * indexes: the least that storing these rows can cost. `share` is the rows a second of the import as a share of COPY's. The
 * import that is killed (SIGKILL) is run again, and its tables are compared with those of the one that was not.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { Client } from 'pg'
import { from, to } from 'pg-copy-streams'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { type Program, startProgram } from '../support/processes/program.ts'

const ROWS = 1_000_000
/** One row in so many is wrong. */
const WRONG_EVERY = 1_000
/** The kill comes when so many rows are done. */
const KILL_AT = ROWS * 0.4
const TABLES = ['subscribers', 'consent_wordings', 'consent_records', 'legacy_links'] as const
const ZONES = ['Europe/London', 'America/New_York', 'Asia/Tokyo', 'UTC', 'Europe/Berlin', 'Asia/Kolkata']
const KEYWORDS = ['', '', '', '', '', '', 'Lean 4', 'sheet music', '"protein folding; tRNA"', 'KV cache']

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

const listRow = (n: number): string => {
  const email = n % WRONG_EVERY === 500 ? `nobody${n}` : `reader${n}@example${n % 50}.org`
  const topics = [
    DEFAULT_TOPICS.all[(n * 7) % DEFAULT_TOPICS.all.length]?.slug,
    ...(n % 3 === 0 ? [DEFAULT_TOPICS.all[(n * 11) % DEFAULT_TOPICS.all.length]?.slug] : []),
  ]
  const often = n % 4 === 0 ? 'weekly' : 'daily'
  return `${email},"${topics.join(',')}",${often},${n % 24},${ZONES[n % ZONES.length]},${KEYWORDS[n % KEYWORDS.length]},old-link-${(n * 7919).toString(36)}-${n}\n`
}

const writeList = (path: string): Promise<void> =>
  pipeline(
    Readable.from(
      (function* () {
        yield 'email,topics,frequency,hour,timezone,keywords,legacy_token\n'
        for (let n = 0; n < ROWS; n += 1_000) yield Array.from({ length: 1_000 }, (_, i) => listRow(n + i)).join('')
      })(),
    ),
    createWriteStream(path),
  )

/** What a process holds now, megabytes. */
const residentOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

/** Samples of a process's memory, ten a second, until it has ended. */
const watchMemory = async (program: Program): Promise<number[]> => {
  const samples: number[] = []
  let ended = false
  void program.end().then(() => {
    ended = true
  })
  while (!ended) {
    const held = await residentOf(program.pid)
    if (held > 0) samples.push(held)
    await delay(100)
  }
  return samples
}

const quarters = (samples: number[]): number[] =>
  [0.25, 0.5, 0.75, 1].map((part) =>
    round(Math.max(...samples.slice(Math.floor(samples.length * (part - 0.25)), Math.ceil(samples.length * part))), 0),
  )

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  const admin = openDatabase(server.url, { connections: 1, name: 'bench', onError: () => undefined })
  const list = join(folder, 'list.csv')
  const importInto = (url: string, report: string): Program =>
    startProgram(
      'admin',
      [
        '--json',
        'subscribers',
        'import',
        list,
        '--consent',
        'form on lab.example.org, 2019 to 2026',
        '--refused',
        join(folder, report),
      ],
      {
        DATABASE_URL: url,
        DATA_DIR: join(folder, 'data'),
        SECRET_KEY: '7'.repeat(64),
        NODE_ENV: 'development',
        CLOCK: '2026-04-15T12:00:00Z',
      },
    )
  const create = async (name: string): Promise<string> => {
    await sql`create database ${sql.id(name)}`.execute(admin)
    await migrate(urlOf(name))
    return urlOf(name)
  }
  /** All that an import stores, but for what is drawn at random. */
  const digestOf = async (url: string) => {
    const db = openDatabase(url, { connections: 1, name: 'bench', onError: () => undefined })
    const { rows } = await sql<{ n: number; addresses: number; records: number; links: number; all: string }>`
      select count(*)::int as n, count(distinct lower(email))::int as addresses,
        (select count(*)::int from consent_records) as records, (select count(*)::int from legacy_links) as links,
        (select md5(string_agg(h, '' order by h)) from (select md5((s.email, s.topics, s.keywords, s.frequency, s.hour,
          s.time_zone, l.token_hash)::text) as h from subscribers s left join legacy_links l on l.subscriber_id = s.id) one) as all
      from subscribers`.execute(db)
    await db.destroy()
    return rows[0]
  }
  try {
    await writeList(list)
    say(`${ROWS} rows, ${round((await stat(list)).size / 1e6)} MB`)

    const whole = await create('whole')
    const begun = performance.now()
    const program = importInto(whole, 'whole.csv')
    const samples = await watchMemory(program)
    const ended = await program.end()
    const seconds = (performance.now() - begun) / 1000
    if (ended.code !== 0) throw new Error(ended.stderr)
    const imported = JSON.parse(ended.stdout) as { imported: number; refused: number; links: number }
    say(`imported ${imported.imported} in ${round(seconds)} s, memory by quarter ${quarters(samples).join(', ')} MB`)

    const copied = await copyTables(whole, await create('copied'), folder)
    say(`COPY of the same rows: ${round(copied)} s`)

    const killed = await create('killed')
    const first = importInto(killed, 'killed.csv')
    const done = await waitForRows(killed, KILL_AT)
    await first.end('SIGKILL')
    const again = await importInto(killed, 'killed.csv').end()
    if (again.code !== 0) throw new Error(again.stderr)
    const resumed = JSON.parse(again.stdout) as { imported: number; refused: number; resumedFrom: number }
    say(`killed at ${done} rows, gone on after ${resumed.resumedFrom}`)
    const [one, other] = [await digestOf(whole), await digestOf(killed)]
    const report = await readFile(join(folder, 'whole.csv'), 'utf8')
    return {
      rows: ROWS,
      seconds: round(seconds),
      rows_per_second: Math.round(ROWS / seconds),
      copy_seconds: round(copied),
      copy_rows_per_second: Math.round(imported.imported / copied),
      share: round(copied / seconds, 2),
      rss_mb_by_quarter: quarters(samples),
      rss_mb_most: round(Math.max(...samples), 0),
      imported: imported.imported,
      refused: imported.refused,
      links: imported.links,
      killed_after: resumed.resumedFrom,
      resumed_imported: resumed.imported,
      double_rows: (other?.n ?? 0) - (other?.addresses ?? 0),
      same_tables: JSON.stringify(one) === JSON.stringify(other),
      same_report: report === (await readFile(join(folder, 'killed.csv'), 'utf8')),
      records: other?.records,
    }
  } finally {
    await admin.destroy()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Waits until an import has committed so many rows; returns how many. */
const waitForRows = async (url: string, rows: number): Promise<number> => {
  const db = openDatabase(url, { connections: 1, name: 'bench', onError: () => undefined })
  try {
    for (;;) {
      const progress = await db.selectFrom('subscriber_imports').select('rows_done').executeTakeFirst()
      if ((progress?.rows_done ?? 0) >= rows) return progress?.rows_done ?? 0
      await delay(100)
    }
  } finally {
    await db.destroy()
  }
}

/** Copies the tables of an import into another database by COPY, one after the other; returns the seconds that storing took. */
const copyTables = async (source: string, target: string, folder: string): Promise<number> => {
  const [reader, writer] = [new Client({ connectionString: source }), new Client({ connectionString: target })]
  await Promise.all([reader.connect(), writer.connect()])
  let seconds = 0
  for (const table of TABLES) {
    const file = join(folder, `${table}.copy`)
    await pipeline(reader.query(to(`copy ${table} to stdout`)), createWriteStream(file))
    const begun = performance.now()
    await pipeline(createReadStream(file), writer.query(from(`copy ${table} from stdin`)))
    seconds += (performance.now() - begun) / 1000
    await rm(file)
  }
  await Promise.all([reader.end(), writer.end()])
  return seconds
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(20)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
