/**
 * A process that publishes what is due and prints what it took, so that the memory measured is of publishing alone:
 *
 *     node test/support/processes/publishing-process.ts DATABASE_URL INSTANT
 *
 * Prints one line of JSON: {"seconds","rss_mb","cpu_s","subscribers","owed","digests"}; `rss_mb` is the peak.
 */
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { openDatabase } from '../../../src/store/database.ts'

const [databaseUrl = '', at = ''] = process.argv.slice(2)
const db = openDatabase(databaseUrl, { connections: 4, name: 'bench', onError: (error) => console.error(error) })
const log = { info: () => undefined, warn: console.error, error: console.error }
const begun = performance.now()
const published = await publishDue({ db, log, wake: async () => undefined }, new Date(at))
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
console.log(
  JSON.stringify({
    seconds: (performance.now() - begun) / 1000,
    rss_mb: Math.round(maxRSS / 1024),
    cpu_s: (userCPUTime + systemCPUTime) / 1e6,
    ...published,
  }),
)
await db.destroy()
