/**
 * A process that answers a bell on the queue it is given, says so, and kills itself in the middle of the third time. With
 * an interval it has the bell rung again and again.
 */
import { openQueue, QUEUE_NAMES } from '../../../src/adapters/queue/queue.ts'

const [databaseUrl = '', redisUrl = '', name = '', intervalMs = ''] = process.argv.slice(2)
const queueName = QUEUE_NAMES.find((one) => one === name)
if (queueName === undefined) throw new Error(`there is no bell ${name}`)
const queue = await openQueue({ databaseUrl, redisUrl: redisUrl || null, workers: 1, onError: () => undefined })
let times = 0
await queue.process(queueName, async () => {
  console.log(queueName)
  times += 1
  if (intervalMs === '' || times === 3) process.kill(process.pid, 'SIGKILL')
})
if (intervalMs !== '') await queue.schedule(queueName, Number(intervalMs))
console.log('answers')
