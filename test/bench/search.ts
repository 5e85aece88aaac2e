/**
 * What a search costs in an archive of 100,000 papers: realistic queries, pages of papers and what is like them.
 *
 * The papers are those of `../shared/data` (the page of 62 papers and two years of history) with new ids until there are
 * enough; where that folder is absent they are made of the model's terms, which is said.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { addDays } from '../../src/core/calendar.ts'
import { readPaperPage as readTextPage } from '../../src/core/papers/paper-page.ts'
import { readFlatRow } from '../../src/core/papers/paper-row.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { SHIPPED_MODEL } from '../../src/core/relevance/relevance.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { settleSearchIndex } from '../../src/store/papers/search-index.ts'

const PAPERS = 100_000
const ROUNDS = 5
const LAST_DAY = '2026-04-15'
const PER_DAY = 60
const DATA = join(import.meta.dirname, '../../../shared/data')
const TARGET_P95 = 50

interface Text {
  title: string
  abstract: string
  authors: string[]
}

const random = createRandom(1)
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T

/** Common words come often, rare ones rarely. */
const madeUp = (): Text => {
  const { terms } = SHIPPED_MODEL.vocabulary
  const words = (count: number) =>
    Array.from({ length: count }, () => terms[Math.floor(terms.length ** random()) - 1] ?? '').join(' ')
  return { title: words(6), abstract: words(110), authors: [`${words(1)} ${words(1)}`, `${words(1)} ${words(1)}`] }
}

const readCorpus = (): { texts: Text[]; isReal: boolean } => {
  if (!existsSync(DATA)) return { texts: Array.from({ length: 8_000 }, madeUp), isReal: false }
  const context = { today: LAST_DAY, listDay: null, observedAt: null }
  const seed = readdirSync(join(DATA, 'seed')).flatMap(
    (file) => readTextPage(readFileSync(join(DATA, 'seed', file), 'utf8'), context).listings,
  )
  const history = readdirSync(DATA)
    .filter((file) => /^history.*\.jsonl\.gz$/.test(file))
    .flatMap((file) =>
      gunzipSync(readFileSync(join(DATA, file)))
        .toString('utf8')
        .trim()
        .split('\n'),
    )
    .map((line) => readFlatRow(JSON.parse(line), context))
  return { texts: [...seed, ...history].map(({ paper }) => paper), isReal: true }
}

const fill = async (db: Database, texts: readonly Text[]): Promise<void> => {
  const BATCH = 1_000
  for (let at = 0; at < PAPERS; at += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, PAPERS - at) }, (_, n) => {
      const number = at + n
      const { title, abstract, authors } = texts[number % texts.length] as Text
      const id = `file:${String(number).padStart(6, '0')}`
      return {
        id,
        day: addDays(LAST_DAY, -Math.floor(number / PER_DAY)),
        title,
        abstract,
        authors,
        upvotes: number % 97,
      }
    })
    const values = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(id text, day date, title text, abstract text, authors text[], upvotes int)`
    await db.transaction().execute(async (trx) => {
      await sql`set constraints all deferred`.execute(trx)
      await sql`insert into papers (id, revision, source, list_day, first_seen_at, eligible_at)
        select id, 1, 'file', day, day, day from ${values}`.execute(trx)
      await sql`insert into paper_texts (paper_id, revision, title, abstract, authors, categories, excerpt)
        select id, 1, title, abstract, authors, '{}', left(abstract, 300) from ${values}`.execute(trx)
      await sql`insert into observations (paper_id, observed_at, hour_known, upvotes, comments)
        select id, day + time '09:00', true, upvotes, 0 from ${values}`.execute(trx)
    })
  }
}

/** What people type: a subject, a name, the words of a title, a phrase, and now and then one common word. */
const queriesOf = (texts: readonly Text[]): string[] => {
  const subjects = [
    'diffusion models',
    'gui agents',
    'reinforcement learning',
    'code search',
    'contrastive learning',
    'robot manipulation',
    'video generation',
    'long context',
    'chain of thought',
    'rlhf',
    'mixture of experts',
    'sparse autoencoder',
    'speech recognition',
    'vision language model',
    '"world model"',
    'gaussian splatting -avatar',
    'jailbreak or injection',
    'theorem proving lean',
    'kv cache',
    'medical imaging',
    'model',
    'language',
    '机器学习',
  ]
  const titles = Array.from({ length: 15 }, () => pick(texts).title.split(/\s+/).slice(0, 5).join(' '))
  const names = Array.from({ length: 10 }, () => pick(pick(texts).authors.concat('Wang')))
  const words = Array.from({ length: 15 }, () => {
    const { abstract } = pick(texts)
    return pick(
      abstract
        .split(/\s+/)
        .filter((word) => word.length > 6)
        .concat('agents'),
    )
  })
  return [...subjects, ...titles, ...names, ...words].map((query) => query.slice(0, 300))
}

const percentiles = (times: number[]) => {
  const sorted = times.sort((a, b) => a - b)
  const at = (share: number) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1))
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const run = async (say: (line: string) => void) => {
  const { texts, isReal } = readCorpus()
  say(isReal ? `${texts.length} real papers, with new ids up to ${PAPERS}` : 'no ../shared/data: papers are made up')
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    await fill(db, texts)
    say('stored')
    const indexing = await timed(() => settleSearchIndex(db))
    await sql`vacuum analyze`.execute(db)
    say(`indexed in ${(indexing / 1000).toFixed(0)} s`)
    const archive = createArchive({ db, keys: [Buffer.alloc(32, 7)], now: () => new Date('2026-04-16T06:00:00Z') })
    const nothing = { topic: '', author: '', from: '', to: '', after: '' }
    const searches: number[] = []
    const slow: [number, string][] = []
    const queries = queriesOf(texts)
    for (let round = 0; round <= ROUNDS; round++)
      for (const q of queries) {
        const time = await timed(() => archive.search({ ...nothing, q }))
        // The first round fills the caches of the server.
        if (round > 0) searches.push(time)
        if (round === 1) slow.push([Number(time.toFixed(1)), q])
      }
    const pages: number[] = []
    for (let n = 0; n < 100; n++)
      pages.push(await timed(() => archive.readPaper(`file:${String(Math.floor(random() * PAPERS)).padStart(6, '0')}`)))
    const { rows } = await sql<{ mb: number }>`
      select round(pg_total_relation_size('paper_search') / 1048576.0)::int as mb`.execute(db)
    await db.destroy()
    const slowest = slow.sort(([a], [b]) => b - a).slice(0, 5)
    return {
      papers: PAPERS,
      isReal,
      queries: queries.length,
      search: percentiles(searches),
      paperPage: percentiles(pages),
      indexMegabytes: rows[0]?.mb ?? 0,
      indexSeconds: Math.round(indexing / 1000),
      slowest,
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
console.log(
  `A search, ms: p50 ${result.search.p50}, p95 ${result.search.p95} (at most ${TARGET_P95}), p99 ${result.search.p99}.`,
)
console.log(`A paper with those like it, ms: p50 ${result.paperPage.p50}, p95 ${result.paperPage.p95}.`)
for (const [ms, query] of result.slowest) console.log(`${ms} ms: ${query}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
