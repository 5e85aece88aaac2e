/**
 * How long `POST /subscribe` takes while 40 clients each ask for one preview after the other, every one of another choice, and
 * while 40 ask for the front page: the site in a process of its own on the embedded Postgres with fsync, with the sample of
 * papers. `calm`: nobody else asks for anything.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { openPoster, percentile } from '../support/servers/sign-up-load.ts'

const CLIENTS = 40
const SIGN_UPS = 100
const EVERY_MS = 50
const WARM_UP = 50

let asked = 0
/** A path that no client has asked for before, or everybody's. */
const LOADS: Record<string, (() => string) | null> = {
  calm: null,
  previews: () => `/preview?topics=agents&keywords=word+${asked}&hour=${asked % 24}`,
  'front page': () => '/',
}

let people = 0
const measure = async (url: string, path: (() => string) | null) => {
  const poster = openPoster(url, 1)
  let goesOn = true
  let answers = 0
  const work = async () => {
    while (goesOn && path !== null) {
      // Each of another client, so that no budget ends it.
      const headers = { 'x-forwarded-for': `2001:db8:1:${(asked++ & 0xffff).toString(16)}::1` }
      const answer = await fetch(url + path(), { headers })
      await answer.text()
      if (answer.status !== 200) throw new Error(`${answer.url} answered ${answer.status}`)
      answers++
    }
  }
  const working = Promise.all(Array.from({ length: path === null ? 0 : CLIENTS }, work))
  const took: number[] = []
  const begun = performance.now()
  for (let n = 0; n < WARM_UP + SIGN_UPS; n++) {
    const at = performance.now()
    const status = await poster.post(`reader${people++}@example.org`)
    if (status !== 202) throw new Error(`a sign-up was answered ${status}`)
    if (n >= WARM_UP) took.push(performance.now() - at)
    await delay(EVERY_MS)
  }
  const perSecond = answers / ((performance.now() - begun) / 1000)
  goesOn = false
  await working
  poster.close()
  return {
    p50_ms: Number(percentile(took, 50).toFixed(1)),
    p95_ms: Number(percentile(took, 95).toFixed(1)),
    max_ms: Number(Math.max(...took).toFixed(1)),
    pages_per_s: Math.round(perSecond),
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
      LOG_LEVEL: 'warn',
    })
    const url = announcedIn(await service.said('ready', 120_000)).site.replace('localhost', '127.0.0.1')
    const measured: Record<string, Awaited<ReturnType<typeof measure>>> = {}
    for (const [name, path] of Object.entries(LOADS)) measured[name] = await measure(url, path)
    await service.end('SIGTERM')
    return measured
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run()
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(12)} ${JSON.stringify(value)}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
