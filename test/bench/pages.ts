/**
 * What each kind of page weighs and takes in an archive of 10,000 papers: the page of 62 papers and the two years of
 * `../shared/data`, imported as an operator would, and copies up to that number, 500 of them on one day. The service runs in a
 * process of its own on the embedded Postgres; each request comes from another client on a kept connection. Times stand
 * beside those of `/healthz` in the same run, which tell the machine's share. Then, with the log of each request on, how many
 * requests its process answers with a second of processor time, whatever else the machine does (Linux).
 *
 * `--folder FOLDER` keeps the data there, and takes it from there the next time.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { Agent, type OutgoingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { PAGE_CARDS } from '../../src/newsletter/archive/card-list.ts'
import { BUSY_DAY, BUSY_PAPERS, clockFor, fillArchive, PAPERS } from '../support/fixtures/filled-archive.ts'
import { SHARED_DATA } from '../support/fixtures/large-archive.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { loadPages } from '../support/servers/page-load.ts'
import { median, percentile } from '../support/servers/sign-up-load.ts'

const REQUESTS = 200
const CLIENTS = 8
/** Feeds are read by programs, two days of papers at a time. */
const LIMITS = { bytes: 60_000, p95: 100 }
const isFeed = (kind: string): boolean => kind.includes('feed')
const TRIVIAL = '/healthz'

const random = createRandom(1)
const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
  ms: number
}

const openClient = (url: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  let clients = 0
  const ask = (path: string, more: OutgoingHttpHeaders = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const client = `2001:db8:${(clients >> 16).toString(16)}:${(clients++ & 0xffff).toString(16)}::1`
      const begun = performance.now()
      const headers = { accept: 'text/html', 'x-forwarded-for': client, ...more }
      const asked = request(url + path, { agent, headers }, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.once('end', () => {
          const ms = performance.now() - begun
          const body = Buffer.concat(parts).toString('utf8')
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body, ms })
        })
      })
      // The service had closed the kept connection just then, as any server may.
      asked.once('error', (error) => (asked.reusedSocket ? resolve(ask(path, more)) : reject(error)))
      asked.end()
    })
  return { ask, close: () => agent.destroy() }
}
type Client = ReturnType<typeof openClient>

const pathsIn = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, path = '']) => path.replaceAll('&amp;', '&'))),
]

const SEARCHES = [
  'q=diffusion+models',
  'q=agents',
  'q=language+model',
  'q=model',
  'q=%22reinforcement+learning%22',
  'q=gaussian+splatting+-avatar',
  'q=jailbreak+or+injection',
  'q=%E6%9C%BA%E5%99%A8%E5%AD%A6%E4%B9%A0',
  'q=video+generation&topic=video-generation',
  'topic=robotics',
  'author=Wang',
  'author=Zhang&q=diffusion',
  'q=benchmark&from=2026-01-01&to=2026-03-31',
]

/** The addresses of each kind, as its own sitemap and pages name them. */
const addressesOf = async ({ ask }: Client): Promise<Record<string, string[]>> => {
  const location = /<loc>https?:\/\/[^/]+(\/[^<]*)<\/loc>/g
  const maps = pathsIn((await ask('/sitemap.xml')).body, location)
  const lists = pathsIn((await ask('/sitemaps/lists.xml')).body, location)
  const months = maps.filter((path) => path.startsWith('/sitemaps/papers/'))
  const papers: string[] = []
  for (const path of months) papers.push(...pathsIn((await ask(path)).body, location))
  const some = shuffled(papers).slice(0, REQUESTS)
  const busy = Array.from(
    { length: Math.ceil(BUSY_PAPERS / PAGE_CARDS) },
    (_, n) => `/papers/${BUSY_DAY}?page=${n + 1}`,
  )
  const named: string[] = []
  for (const path of shuffled(papers.filter((one) => /\/26/.test(one))).slice(0, 60))
    named.push(...pathsIn((await ask(path)).body, /href="(\/authors\/[^"]+)"/g).slice(0, 2))
  const under = (start: string) => shuffled(lists.filter((path) => path.startsWith(start)))
  const pagesOf = (path: string) => [path, `${path}?page=2`]
  const feeds = ['all', ...DEFAULT_TOPICS.all.map(({ slug }) => slug)].flatMap((name) => [
    `/feeds/${name}.atom`,
    `/feeds/${name}.json`,
  ])
  return {
    home: ['/'],
    day: [...shuffled(busy), ...under('/papers/').slice(0, 100)],
    week: under('/weeks/').slice(0, 60).flatMap(pagesOf),
    month: under('/months/').flatMap(pagesOf),
    topics: ['/topics'],
    topic: under('/topics/'),
    author: [...new Set(named)],
    paper: [...some, '/papers/file:copy-0'],
    search: ['/search', ...SEARCHES.map((query) => `/search?${query}`)],
    'none found': ['/papers/2031-01-01', '/papers/2604.99999', '/weeks/2026-W54', '/search?q=-', '/nowhere'],
    about: ['/about', '/privacy'],
    api: ['/api/docs'],
    feeds: shuffled(feeds),
    'search feed': SEARCHES.map((query) => `/feeds/search.atom?${query}`),
    sitemap: maps.concat('/sitemap.xml'),
  }
}

/** Times of so many requests, by so many clients at once, over the addresses in turn. */
const timesOf = async ({ ask }: Client, addresses: readonly string[], clients: number): Promise<number[]> => {
  const times: number[] = []
  let asked = 0
  const work = async () => {
    while (asked < REQUESTS) {
      const path = addresses[asked++ % addresses.length] ?? ''
      const { status, ms } = await ask(path)
      if (status >= 500 || status === 429) throw new Error(`${path} answered ${status}`)
      times.push(ms)
    }
  }
  await Promise.all(Array.from({ length: clients }, work))
  return times
}

const percentiles = (times: number[], trivial: number[]) => {
  const at = (percent: number) => percentile(times, percent)
  const ratio = (percent: number) => Number((at(percent) / percentile(trivial, percent)).toFixed(1))
  return {
    p50_ms: Number(at(50).toFixed(1)),
    p95_ms: Number(at(95).toFixed(1)),
    p50_ratio: ratio(50),
    p95_ratio: ratio(95),
  }
}

/** What the page makes a browser fetch besides: stylesheet, scripts and icon. */
const ASSET = /<(?:link rel="(?:stylesheet|icon)"|script)[^>]*(?:href|src)="([^"]+)"/g

/** The heaviest of some addresses, with what it refers to, and whether each is revalidated. */
const weigh = async ({ ask }: Client, addresses: readonly string[]) => {
  let heaviest = { path: '', bytes: 0, body: '' }
  let tagged = 0
  let revalidated = 0
  const unchanged: number[] = []
  for (const path of addresses) {
    const { status, headers, body } = await ask(path)
    const bytes = Buffer.byteLength(body)
    if (bytes > heaviest.bytes) heaviest = { path, bytes, body }
    if (status !== 200 || headers.etag === undefined) continue
    tagged++
    const again = await ask(path, { 'if-none-match': String(headers.etag) })
    if (again.status === 304 && again.body === '') revalidated++
    unchanged.push(again.ms)
  }
  let whole = heaviest.bytes
  for (const path of pathsIn(heaviest.body, ASSET)) whole += Buffer.byteLength((await ask(path)).body)
  return {
    heaviest: heaviest.path,
    bytes: heaviest.bytes,
    whole_bytes: whole,
    tagged,
    revalidated,
    unchanged_p50_ms: unchanged.length === 0 ? null : Number(percentile(unchanged, 50).toFixed(1)),
  }
}

const measure = async (client: Client, say: (line: string) => void) => {
  const kinds = await addressesOf(client)
  // Compiles what every page uses.
  await timesOf(
    client,
    Object.values(kinds).map(([first = '/']) => first),
    1,
  )
  const trivial = { one: await timesOf(client, [TRIVIAL], 1), eight: await timesOf(client, [TRIVIAL], CLIENTS) }
  const measured: Record<string, object> = {}
  for (const [kind, addresses] of Object.entries(kinds)) {
    const one = percentiles(await timesOf(client, addresses, 1), trivial.one)
    const eight = percentiles(await timesOf(client, addresses, CLIENTS), trivial.eight)
    const weight = await weigh(client, addresses)
    const isHeavy = weight.bytes > LIMITS.bytes && !isFeed(kind)
    const isOver = isHeavy || one.p95_ms > LIMITS.p95 || eight.p95_ms > LIMITS.p95
    measured[kind] = { addresses: addresses.length, ...weight, one, eight, over: isOver }
    say(
      [
        kind.padEnd(12),
        `${(weight.bytes / 1000).toFixed(1)} kB, whole ${(weight.whole_bytes / 1000).toFixed(1)} kB`.padEnd(30),
        `1 client ${one.p50_ms}/${one.p95_ms} ms (x${one.p50_ratio}/${one.p95_ratio})`.padEnd(40),
        `${CLIENTS} clients ${eight.p50_ms}/${eight.p95_ms} ms (x${eight.p50_ratio}/${eight.p95_ratio})`.padEnd(42),
        `304: ${weight.revalidated} of ${weight.tagged}`,
        isOver ? ` OVER: ${weight.heaviest}` : '',
      ].join(' '),
    )
  }
  return {
    trivial: { one: percentiles(trivial.one, trivial.one), eight: percentiles(trivial.eight, trivial.eight) },
    kinds: measured,
  }
}

/** What is asked for again and again, and previews of which each is another. */
const RATED: Record<string, (n: number) => string> = {
  healthz: () => TRIVIAL,
  home: () => '/',
  day: () => `/papers/${BUSY_DAY}`,
  topic: () => '/topics/agents',
  feed: () => '/feeds/all.atom',
  preview: () => '/preview?topics=agents',
  'any preview': (n) => `/preview?topics=agents&keywords=word+${n}`,
}
const RATE_ROUNDS = 3

/** `per_core_s`: the median of rounds in which the kinds take turns; `ratio`: to `/healthz`. */
const measureRates = async (service: { url: string; pid: number }, say: (line: string) => void) => {
  let asked = 0
  const rounds: Record<string, number[]> = {}
  for (let round = 0; round <= RATE_ROUNDS; round++)
    for (const [kind, path] of Object.entries(RATED)) {
      const { per_core_s } = await loadPages(service, () => path(asked++), { seconds: 2 })
      // The first round compiles what the others use.
      if (round > 0) rounds[kind] = [...(rounds[kind] ?? []), per_core_s]
    }
  const trivial = median(rounds.healthz ?? [])
  const rates: Record<string, { per_core_s: number; ratio: number }> = {}
  for (const [kind, values] of Object.entries(rounds)) {
    const perCore = median(values)
    rates[kind] = { per_core_s: perCore, ratio: Number((perCore / trivial).toFixed(3)) }
    say(`${kind.padEnd(12)} ${perCore} requests for a second of processor time (x${rates[kind].ratio} of ${TRIVIAL})`)
  }
  return rates
}

const run = async (kept: string | undefined, say: (line: string) => void) => {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'paper-round-bench-')))
  try {
    await fillArchive(folder, say)
    const none = join(folder, 'none')
    await mkdir(none, { recursive: true })
    await using service = startProgram('main', [], {
      DATA_DIR: join(folder, 'data'),
      CLOCK: clockFor(folder),
      PORT: '0',
      MAILBOX_PORT: '0',
      PAPER_SOURCES: `file:${none}`,
      TRUST_PROXY: '127.0.0.0/8',
      LOG_LEVEL: 'info',
    })
    const url = announcedIn(await service.said('ready', 120_000)).site.replace('localhost', '127.0.0.1')
    const client = openClient(url)
    try {
      const measured = await measure(client, say)
      const rates = await measureRates({ url, pid: service.pid }, say)
      return { papers: PAPERS, isReal: existsSync(SHARED_DATA), limits: LIMITS, ...measured, rates }
    } finally {
      client.close()
      await service.end('SIGTERM')
    }
  } finally {
    if (kept === undefined) await rm(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, folder: { type: 'string' } },
})
const result = await run(values.folder, console.log)
if (values.json) console.log(JSON.stringify(result))
