/** A process that answers `tick` every 100 ms on the database it is given, says so, and kills itself at the third. */
import { openQueue } from '../../src/adapters/queue.ts'

const [databaseUrl = ''] = process.argv.slice(2)
const queue = await openQueue({ databaseUrl, workers: 1, onError: () => undefined })
let times = 0
await queue.answer('tick', async () => {
  console.log('tick')
  times += 1
  if (times === 3) process.kill(process.pid, 'SIGKILL')
})
await queue.every('tick', 100)
