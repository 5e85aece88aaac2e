/**
 * A process that handles one queue and prints its name at each run. It kills itself in the middle of the first run; with
 * an interval it schedules the queue, and kills itself in the middle of the third run.
 */
import { openQueue } from '../../../src/adapters/queue/queue.ts'
import { QUEUE_NAMES } from '../../../src/adapters/queue/queue-names.ts'

const [databaseUrl = '', redisUrl = '', name = '', intervalMs = ''] = process.argv.slice(2)
const queueName = QUEUE_NAMES.find((one) => one === name)
if (queueName === undefined) throw new Error(`there is no queue ${name}`)
const queue = await openQueue({
  databaseUrl,
  redisUrl: redisUrl || null,
  // As in `queue.test.ts`: given, so that on Redis no database is needed.
  keyPrefix: 'paper-round-test',
  workers: 1,
  onError: () => undefined,
})
let runs = 0
await queue.process(queueName, async () => {
  console.log(queueName)
  runs += 1
  if (intervalMs === '' || runs === 3) process.kill(process.pid, 'SIGKILL')
})
if (intervalMs !== '') await queue.schedule(queueName, Number(intervalMs))
console.log('ready')
