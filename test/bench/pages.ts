/**
 * What each kind of page weighs and takes in an archive of 10,000 papers: the page of 62 papers and the two years of
 * `../shared/data`, imported as an operator would, and copies up to that number, 500 of them on one day. The service runs in a
 * process of its own on the embedded Postgres; each request comes from another client on a kept connection. Times stand
 * beside those of `/healthz` in the same run, which tell the machine's share.
 *
 * `--folder FOLDER` keeps the data there, and takes it from there the next time.
 */
import { existsSync, statSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { Agent, type OutgoingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { PAGE_CARDS } from '../../src/newsletter/archive/card-list.ts'
import { readCorpus, SHARED_DATA } from '../support/fixtures/large-archive.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { percentile } from '../support/servers/sign-up-load.ts'

const PAPERS = 10_000
const BEGINNING = '2026-05-05T15:00:00Z'
const BUSY_DAY = '2026-05-04'
const BUSY_PAPERS = 500
const MOST_AUTHORS = 573
const REQUESTS = 200
const CLIENTS = 8
/** Feeds are read by programs, two days of papers at a time. */
const LIMITS = { bytes: 60_000, p95: 100 }
const isFeed = (kind: string): boolean => kind.includes('feed')
const TRIVIAL = '/healthz'

/** The service's clock: data that is kept has seen later times with each run. */
const clockFor = (folder: string): string =>
  new Date(Date.parse(BEGINNING) + Date.now() - statSync(folder).birthtimeMs).toISOString()

const random = createRandom(1)
const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)

/** The recorded papers as files to import; none where the folder is absent. */
const writeRecorded = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true })
  if (!existsSync(SHARED_DATA)) return
  for (const part of ['', 'seed', 'hf-api'])
    for (const file of await readdir(join(SHARED_DATA, part)))
      if (/^history.*\.jsonl\.gz$|\.txt$|^\d{4}-\d\d-\d\d\.json$/.test(file))
        await copyFile(join(SHARED_DATA, part, file), join(folder, file))
}

/** So many papers more: copies under ids of their own, the first of one day, one with very many authors. */
const writeCopies = async (folder: string, count: number): Promise<void> => {
  const { texts } = readCorpus()
  const rows = Array.from({ length: count }, (_, n) => {
    const { title, abstract, authors } = texts[n % texts.length] ??
      texts[0] ?? { title: 'Nothing', abstract: '', authors: [] }
    const day = new Date(Date.parse(BUSY_DAY) - (n < BUSY_PAPERS ? 0 : n % 700) * 86_400_000)
    return {
      id: `copy-${n}`,
      title,
      abstract,
      authors: n === 0 ? Array.from({ length: MOST_AUTHORS }, (_, at) => `Author Number ${at}`) : authors,
      list_day: day.toISOString().slice(0, 10),
      upvotes: n === 0 ? 1_000 : n % 97,
    }
  })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'copies.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
}

const importInto = async (data: string, folder: string, clock: string): Promise<number> => {
  await using program = startProgram('admin', ['papers', 'import', folder, '--json'], { DATA_DIR: data, CLOCK: clock })
  const { code, stdout, stderr } = await program.end()
  if (code !== 0) throw new Error(`the import ended with ${code}: ${stderr}`)
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { added: number }).added
}

const fill = async (folder: string, say: (line: string) => void): Promise<void> => {
  const data = join(folder, 'data')
  if (existsSync(data)) return
  await writeRecorded(join(folder, 'recorded'))
  const recorded = existsSync(SHARED_DATA) ? await importInto(data, join(folder, 'recorded'), clockFor(folder)) : 0
  say(recorded > 0 ? `${recorded} recorded papers are imported` : 'no ../shared/data: all papers are made up')
  await writeCopies(join(folder, 'copies'), PAPERS - recorded)
  say(`and ${await importInto(data, join(folder, 'copies'), clockFor(folder))} copies`)
}

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

const run = async (kept: string | undefined, say: (line: string) => void) => {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'paper-round-bench-')))
  try {
    await fill(folder, say)
    const none = join(folder, 'none')
    await mkdir(none, { recursive: true })
    await using service = startProgram('main', [], {
      DATA_DIR: join(folder, 'data'),
      CLOCK: clockFor(folder),
      PORT: '0',
      MAILBOX_PORT: '0',
      PAPER_SOURCES: `file:${none}`,
      TRUST_PROXY: '127.0.0.0/8',
      LOG_LEVEL: 'warn',
    })
    const url = announcedIn(await service.said('ready', 120_000)).site.replace('localhost', '127.0.0.1')
    const client = openClient(url)
    try {
      return { papers: PAPERS, isReal: existsSync(SHARED_DATA), limits: LIMITS, ...(await measure(client, say)) }
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
