/** A process that starts the embedded Postgres in the folder it is given, says where it is, and stops it when told to. */
import { startEmbeddedPostgres } from '../../../src/adapters/postgres/embedded-postgres.ts'

const [folder = '', durable] = process.argv.slice(2)
const postgres = await startEmbeddedPostgres({ folder, durable: durable === 'durable' })
console.log(JSON.stringify({ url: postgres.url, pid: postgres.pid }))
process.stdin.resume().once('end', async () => {
  await postgres.stop()
  process.exit()
})
