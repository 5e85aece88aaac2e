/**
 * 10,000 random requests to each family of routes (those whose paths begin alike), made from the routes' own schemas, at a
 * service in a process of its own on the embedded Postgres: how many answers are at fault, and whether its memory stays
 * flat. `--requests N` sends N to each family, `--family /preview` to that one alone.
 *
 * The families are gone through several times, with a part of their requests each time: the first round compiles code and
 * fills caches, and whatever is kept for each request makes every later one end higher. The heap is what is left after a
 * collection; `resident` includes what V8 keeps for later.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createMail } from '../support/browser/mailbox-reader.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { type Program, startProgram } from '../support/processes/program.ts'
import {
  collectTokens,
  type FuzzedRequest,
  faultOf,
  openSender,
  requestsTo,
  shareOf,
} from '../support/servers/fuzzed-requests.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

const option = (name: string): string | undefined =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined
const REQUESTS = Number(option('--requests') ?? 10_000)
const FAMILY = option('--family')
const ROUNDS = 5
/** Faults that are told with their requests. */
const MOST_SAID = 20
const ADMIN_TOKEN = 'f'.repeat(64)
const CONNECTIONS = 4
const MEGABYTE = 1024 * 1024

const familyOf = (url: string): string =>
  /\.|^\/(?:healthz|readyz|metrics)$/.test(url) ? 'files and health' : `/${url.split('/')[1]}`

/** Megabytes after a collection. */
interface Memory {
  heap: number
  external: number
  resident: number
}

const createMemoryReader = (service: Program) => {
  let collections = 0
  return async (): Promise<Memory> => {
    const end = `after collection ${++collections}.`
    service.signal('SIGWINCH')
    const line = (await service.said(end)).split('\n').find((one) => one.endsWith(end)) ?? ''
    const [heap = 0, external = 0, resident = 0] = (line.match(/\d+/g) ?? []).map((bytes) => Number(bytes) / MEGABYTE)
    return { heap, external, resident }
  }
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const papers = join(folder, 'papers')
  await writeDays(papers, ['2026-04-10', '2026-04-13', '2026-04-14'])
  const settings = {
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    MAILBOX_PORT: '0',
    CLOCK: '2026-04-14T05:00:00Z',
    PAPER_SOURCES: `file:${papers}`,
    ADMIN_TOKEN,
    ADMIN_PORT: '0',
    TRUST_PROXY: '127.0.0.0/8',
    WEBHOOK_POSTMARK_LOGIN: 'user:a-rather-long-password',
    LOG_LEVEL: 'error',
  }
  const preload = join(import.meta.dirname, '../support/processes/collected-heap.ts')
  await using service = startProgram('main', [], settings, { preload })
  const readMemory = createMemoryReader(service)
  await using routes = await openTestSite({ adminToken: ADMIN_TOKEN })
  const { site, mailbox } = announcedIn(await service.said('is ready'))
  const url = site.replace('localhost', '127.0.0.1')
  const tokens = await collectTokens({ url, mail: createMail(mailbox.replace('localhost', '127.0.0.1')) })
  const sender = openSender(url)
  const families = Map.groupBy(routes.app.routeTable, ({ url }) => familyOf(url))
  const faults: string[] = []
  const ends: Memory[] = []
  let sent = 0
  const sendAll = async (requests: FuzzedRequest[]): Promise<void> => {
    for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
      const fault = faultOf(request, await sender.send(request))
      if (fault !== null && faults.push(fault) <= MOST_SAID) say(`${fault}: ${JSON.stringify(request)}`)
      sent++
    }
  }
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      for (const [family, members] of families) {
        if (family !== (FAMILY ?? family)) continue
        const shares = members.reduce((sum, route) => sum + shareOf(route), 0)
        for (const route of members) {
          const count = Math.round((REQUESTS * shareOf(route)) / shares / ROUNDS)
          const requests = fc.sample(requestsTo(route, tokens, ADMIN_TOKEN), count)
          await Promise.all(Array.from({ length: CONNECTIONS }, () => sendAll(requests)))
        }
        const { heap } = await readMemory()
        say(`${round} ${family.padEnd(16)} ${sent} sent, ${faults.length} at fault, heap ${heap.toFixed(1)} MB`)
      }
      ends.push(await readMemory())
    }
  } finally {
    sender.close()
    await service.end('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
  if (service.stderr() !== '') say(service.stderr().slice(0, 2_000))
  return {
    families: families.size,
    sent,
    faults: faults.length,
    heap_mb: ends.map(({ heap }) => Number(heap.toFixed(1))),
    external_mb: ends.map(({ external }) => Number(external.toFixed(1))),
    resident_mb: ends.map(({ resident }) => Math.round(resident)),
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(16)} ${JSON.stringify(value)}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
if (result.faults > 0) process.exitCode = 1
