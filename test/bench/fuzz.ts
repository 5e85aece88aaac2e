/**
 * 10,000 random requests to each family of routes (those whose paths begin alike), made from the routes' own schemas, at a
 * service in a process of its own on the embedded Postgres: how many answers are at fault, and whether its memory stays
 * flat. `heap_mb` is the least that it held of several looks after each family, about what is left after a collection.
 * `--requests N` sends N to each family.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createMail } from '../support/browser/mailbox-reader.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { collectTokens, faultOf, openSender, requestsTo, shareOf } from '../support/servers/fuzzed-requests.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

const given = process.argv.indexOf('--requests')
const REQUESTS = given < 0 ? 10_000 : Number(process.argv[given + 1])
const LOOK_EVERY = 500
const ADMIN_TOKEN = 'f'.repeat(64)
const CONNECTIONS = 4
const MEGABYTE = 1024 * 1024

const familyOf = (url: string): string =>
  /\.|^\/(?:healthz|readyz|metrics)$/.test(url) ? 'files and health' : `/${url.split('/')[1]}`

const readMemory = async (site: string): Promise<{ heap: number; rss: number }> => {
  const answer = await fetch(`${site}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  const text = await answer.text()
  const figure = (name: string) => Number(new RegExp(`^paper_round_${name} (\\S+)$`, 'm').exec(text)?.[1]) / MEGABYTE
  return { heap: figure('nodejs_heap_size_used_bytes'), rss: figure('process_resident_memory_bytes') }
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const papers = join(folder, 'papers')
  await writeDays(papers, ['2026-04-10', '2026-04-13', '2026-04-14'])
  await using service = startProgram('main', [], {
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    MAILBOX_PORT: '0',
    CLOCK: '2026-04-14T05:00:00Z',
    PAPER_SOURCES: `file:${papers}`,
    ADMIN_TOKEN,
    TRUST_PROXY: '127.0.0.0/8',
    WEBHOOK_POSTMARK_LOGIN: 'user:a-rather-long-password',
    LOG_LEVEL: 'error',
  })
  await using routes = await openTestSite({ adminToken: ADMIN_TOKEN })
  const { site, mailbox } = announcedIn(await service.said('is ready'))
  const url = site.replace('localhost', '127.0.0.1')
  const tokens = await collectTokens({ url, mail: createMail(mailbox.replace('localhost', '127.0.0.1')) })
  const sender = openSender(url)
  const families = Map.groupBy(routes.app.routeTable, ({ url }) => familyOf(url))
  const faults: string[] = []
  const heaps: number[] = []
  let sent = 0
  let rss = 0
  try {
    for (const [family, members] of families) {
      const shares = members.reduce((sum, route) => sum + shareOf(route), 0)
      const looks: number[] = []
      for (const route of members) {
        const count = Math.round((REQUESTS * shareOf(route)) / shares)
        const requests = fc.sample(requestsTo(route, tokens, ADMIN_TOKEN), count)
        const work = async () => {
          for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
            const answer = await sender.send(request)
            const fault = faultOf(request, answer)
            if (fault !== null) faults.push(`${fault}: ${JSON.stringify(request)}`)
            if (++sent % LOOK_EVERY === 0) {
              const memory = await readMemory(url)
              looks.push(memory.heap)
              rss = Math.max(rss, memory.rss)
            }
          }
        }
        await Promise.all(Array.from({ length: CONNECTIONS }, work))
      }
      const heap = Math.min(...looks, (await readMemory(url)).heap)
      heaps.push(heap)
      say(`${family.padEnd(16)} ${sent} sent, ${faults.length} at fault, heap ${heap.toFixed(0)} MB`)
    }
  } finally {
    sender.close()
    await service.end('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
  for (const fault of faults.slice(0, 10)) say(fault)
  if (service.stderr() !== '') say(service.stderr().slice(0, 2_000))
  return {
    families: families.size,
    sent,
    faults: faults.length,
    first_heap_mb: Math.round(heaps[0] ?? 0),
    last_heap_mb: Math.round(heaps.at(-1) ?? 0),
    most_rss_mb: Math.round(rss),
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(16)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
if (result.faults > 0) process.exitCode = 1
