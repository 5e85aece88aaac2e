/**
 * How long `POST /subscribe` takes while 40 clients each ask for one preview after the other, every one of another choice, and
 * while 40 ask for the front page: the site in a process of its own on the embedded Postgres with fsync, with the sample of
 * papers. The clients are a process of their own. `calm`: nobody else asks for anything.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { announcedIn } from '../support/processes/announced.ts'
import { startChild } from '../support/processes/child.ts'
import { startProgram } from '../support/processes/program.ts'
import { openPoster, percentile } from '../support/servers/sign-up-load.ts'

const CLIENTS = 40
const SIGN_UPS = 200
const EVERY_MS = 50
const WARM_UP = 50

/** What the other clients ask for; `*` is another number each time. */
const LOADS: Record<string, string | null> = {
  calm: null,
  previews: '/preview?topics=agents&keywords=word+*',
  'front page': '/',
}

let people = 0
const measure = async ({ url, pid }: { url: string; pid: number }, path: string | null) => {
  const poster = openPoster(url, 1)
  await using clients =
    path === null ? null : startChild('page-clients-process.ts', [url, String(pid), String(CLIENTS), path])
  const took: number[] = []
  for (let n = 0; n < WARM_UP + SIGN_UPS; n++) {
    const at = performance.now()
    const status = await poster.post(`reader${people++}@example.org`)
    if (status !== 202) throw new Error(`a sign-up was answered ${status}`)
    if (n >= WARM_UP) took.push(performance.now() - at)
    await delay(EVERY_MS)
  }
  const answered = clients?.line()
  await clients?.end()
  poster.close()
  const { per_s = 0 } = answered === undefined ? {} : (JSON.parse(await answered) as { per_s: number })
  return {
    p50_ms: Number(percentile(took, 50).toFixed(1)),
    p95_ms: Number(percentile(took, 95).toFixed(1)),
    p99_ms: Number(percentile(took, 99).toFixed(1)),
    max_ms: Number(Math.max(...took).toFixed(1)),
    pages_per_s: per_s,
  }
}

const run = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  try {
    await using service = startProgram('main', [], {
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      MAILBOX_PORT: '0',
      PAPER_SOURCES: 'sample',
      SIGN_UPS_PER_HOUR: 'client=1000000000,domain=1000000000,all=1000000000',
      TRUST_PROXY: '127.0.0.0/8',
      LOG_LEVEL: 'info',
    })
    const url = announcedIn(await service.said('ready', 120_000)).site.replace('localhost', '127.0.0.1')
    const measured: Record<string, Awaited<ReturnType<typeof measure>>> = {}
    for (const [name, path] of Object.entries(LOADS)) measured[name] = await measure({ url, pid: service.pid }, path)
    await service.end('SIGTERM')
    return measured
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run()
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(12)} ${JSON.stringify(value)}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
