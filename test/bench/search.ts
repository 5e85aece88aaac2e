/**
 * What a search costs in an archive of 100,000 papers: realistic queries, pages of papers and what is like them.
 *
 * `--folder FOLDER` keeps the database there, and takes it from there the next time.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import type { SearchRequest } from '../../src/newsletter/archive/search.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { fillArchive, idOf, readCorpus, type Text } from '../support/fixtures/large-archive.ts'

const PAPERS = 100_000
const ROUNDS = 5
const TARGET_P95 = 50

const random = createRandom(1)
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T

const NOTHING: SearchRequest = { q: '', topic: '', author: '', from: '', to: '', after: '' }

/**
 * What people ask for: a subject, a name, the words of a title, a phrase, now and then one common word, and some of it within
 * a topic, an author or some days.
 */
const requestsOf = (texts: readonly Text[]): SearchRequest[] => {
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
    '"reinforcement learning"',
    '"chain of thought" reasoning',
    '"language model"',
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
  const filtered: Partial<SearchRequest>[] = [
    { topic: 'robotics' },
    { topic: 'robotics', q: 'manipulation policy' },
    { topic: 'agents', q: 'model' },
    { author: 'Wang' },
    { author: pick(pick(texts).authors.concat('Wang')) },
    { author: 'Zhang', q: 'diffusion' },
    { from: '2026-03-01', to: '2026-03-31', q: 'language model' },
    { to: '2022-12-31', q: 'agents' },
    { to: '2022-12-31', q: 'model' },
  ]
  return [
    ...[...subjects, ...titles, ...names, ...words].map((query) => ({ ...NOTHING, q: query.slice(0, 300) })),
    ...filtered.map((request) => ({ ...NOTHING, ...request })),
  ]
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

/** A database of all papers: that of a folder where it has one, else a new one, which is removed unless it has a folder. */
const openPapers = async (texts: readonly Text[], kept: string | undefined, say: (line: string) => void) => {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'paper-round-bench-')))
  const isNew = !existsSync(join(folder, 'postgres'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
  await migrate(server.url)
  const db = openDatabase(server.url, { connections: 4, name: 'bench', onError: () => undefined })
  const filling = isNew ? await timed(() => fillArchive(db, texts, PAPERS)) : 0
  if (isNew) say(`filled in ${(filling / 1000).toFixed(0)} s`)
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await server.stop()
      if (kept === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

const run = async (kept: string | undefined, say: (line: string) => void) => {
  const { texts, isReal } = readCorpus()
  say(isReal ? `${texts.length} real papers, with new ids up to ${PAPERS}` : 'no ../shared/data: papers are made up')
  await using papers = await openPapers(texts, kept, say)
  const { db } = papers
  const archive = createArchive({ db, keys: [Buffer.alloc(32, 7)], now: () => new Date('2026-04-16T06:00:00Z') })
  const searches: number[] = []
  /** Of each request its quickest round: what it takes where the machine does nothing else. */
  const best = new Map<SearchRequest, number>()
  const slow: [number, SearchRequest][] = []
  const requests = requestsOf(texts)
  for (let round = 0; round <= ROUNDS; round++)
    for (const request of requests) {
      const time = await timed(async () => {
        const found = await archive.search(request)
        if (found !== null && 'problem' in found) throw new Error(`${found.problem}: ${JSON.stringify(request)}`)
      })
      // The first round fills the caches of the server.
      if (round > 0) {
        searches.push(time)
        best.set(request, Math.min(time, best.get(request) ?? time))
      }
      if (round === 1) slow.push([Number(time.toFixed(1)), request])
    }
  const pages: number[] = []
  for (let n = 0; n < 100; n++) pages.push(await timed(() => archive.readPaper(idOf(Math.floor(random() * PAPERS)))))
  const { rows } = await sql<{ mb: number }>`
    select round(pg_total_relation_size('paper_search') / 1048576.0)::int as mb`.execute(db)
  const slowest = slow
    .sort(([a], [b]) => b - a)
    .slice(0, 10)
    .map(([ms, request]) => ({
      ms,
      ...Object.fromEntries(Object.entries(request).filter(([, value]) => value !== '')),
    }))
  return {
    papers: PAPERS,
    isReal,
    requests: requests.length,
    search: percentiles(searches),
    searchAtBest: percentiles([...best.values()]),
    paperPage: percentiles(pages),
    indexMegabytes: rows[0]?.mb ?? 0,
    slowest,
  }
}

const { values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, folder: { type: 'string' } },
})
const result = await run(values.folder, console.log)
console.log(
  `A search, ms: p50 ${result.search.p50}, p95 ${result.search.p95} (at most ${TARGET_P95}), p99 ${result.search.p99}.`,
)
console.log(`Each at the best of ${ROUNDS} rounds: p50 ${result.searchAtBest.p50}, p95 ${result.searchAtBest.p95}.`)
console.log(`A paper with those like it, ms: p50 ${result.paperPage.p50}, p95 ${result.paperPage.p95}.`)
for (const { ms, ...request } of result.slowest) console.log(`${ms} ms: ${JSON.stringify(request)}`)
if (values.json) console.log(JSON.stringify(result))
