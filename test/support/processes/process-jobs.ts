/**
 * A process that answers a bell on the queue it is given, says so, and kills itself in the middle of the third time. With
 * an interval it has the bell rung again and again.
 */
import { BELLS, openQueue } from '../../../src/adapters/queue/queue.ts'

const [databaseUrl = '', redisUrl = '', name = '', intervalMs = ''] = process.argv.slice(2)
const bell = BELLS.find((one) => one === name)
if (bell === undefined) throw new Error(`there is no bell ${name}`)
const queue = await openQueue({ databaseUrl, redisUrl: redisUrl || null, workers: 1, onError: () => undefined })
let times = 0
await queue.answer(bell, async () => {
  console.log(bell)
  times += 1
  if (intervalMs === '' || times === 3) process.kill(process.pid, 'SIGKILL')
})
if (intervalMs !== '') await queue.every(bell, Number(intervalMs))
console.log('answers')
