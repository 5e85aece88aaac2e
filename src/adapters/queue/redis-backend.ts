/** The queue on Redis: for several machines, and where one is there anyway. */
import { Worker as BullWorker, Queue } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import { type Backend, JOB_OPTIONS, PATIENCE_TO_CONNECT, UnusableQueue, WORKER_OPTIONS } from './backend.ts'

/** Its keys begin so: one Redis may serve others, too. */
const PREFIX = 'paper-round'
/** A command that is not answered in this time fails; nobody waits for a ring. */
const PATIENCE = 3_000
/** A connection that brought nothing for so long, though something was asked, is dead: BullMQ asks every 10 s at most. */
const SILENCE = 30_000
const LONGEST_PAUSE = 1_000

/** Its own type allows a reply mapping of `undefined`, which its constructor does not. */
type Settings = Omit<RedisOptions, 'replyMapping'>

const OPTIONS: Settings = {
  connectionName: 'paper-round queue',
  lazyConnect: true,
  connectTimeout: PATIENCE_TO_CONNECT,
  retryStrategy: (times) => Math.min(times * 50, LONGEST_PAUSE),
}

interface Options {
  redisUrl: string
  /** A process that answers no bell goes on without Redis: what it rings for is found by the next sweep. */
  required: boolean
  onError: (error: Error) => void
  /** Hears, in a sentence, what an operator should know of this Redis. */
  onNotice?: (notice: string) => void
}

/**
 * Connects. Throws `UnusableQueue` where Redis refuses the login, or might throw jobs away when its memory is full, or,
 * when `required`, where it does not answer.
 */
export const openRedisBackend = async ({
  redisUrl,
  required,
  onError,
  onNotice = () => undefined,
}: Options): Promise<Backend> => {
  const connections: Redis[] = []
  const connect = (options: Settings): Redis => {
    const redis = new Redis(redisUrl, { ...OPTIONS, ...options })
    connections.push(redis)
    return redis
  }
  const disconnect = () => {
    for (const redis of connections) redis.disconnect()
  }

  // Producers fail fast and workers wait: they cannot share a connection.
  const producer = connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: PATIENCE })
  try {
    await firstConnection(producer)
    for (const notice of await examine(producer)) onNotice(notice)
  } catch (error) {
    if (required || error instanceof UnusableQueue) {
      disconnect()
      if (error instanceof UnusableQueue) throw error
      throw new UnusableQueue(`REDIS_URL: Redis does not answer at ${placeOf(redisUrl)} (${reasonOf(error)})`)
    }
    onNotice(`Redis does not answer at ${placeOf(redisUrl)} (${reasonOf(error)}); mail waits until it does`)
  }
  producer.on('error', onError)

  let shared: Redis | null = null
  const workers: BullWorker[] = []
  return {
    openJobs: (queueName) =>
      new Queue(queueName, {
        connection: producer,
        prefix: PREFIX,
        defaultJobOptions: JOB_OPTIONS,
        skipMetasUpdate: true,
      }),
    startWorker(queueName, handler, concurrency) {
      shared ??= connect({ maxRetriesPerRequest: null, socketTimeout: SILENCE }).on('error', onError)
      const worker = new BullWorker(queueName, handler, {
        connection: shared,
        prefix: PREFIX,
        concurrency,
        ...WORKER_OPTIONS,
      })
      workers.push(worker)
      return worker
    },
    requireConnection() {
      if (producer.status !== 'ready') throw new Error('Redis cannot be reached')
    },
    // Redis makes its keys by itself.
    repair: async () => undefined,
    async close() {
      disconnect()
    },
    async abandon() {
      // Each worker has a connection of its own besides, to wait on.
      await Promise.allSettled(workers.map((worker) => worker.disconnect()))
      disconnect()
    },
  }
}

/**
 * Looks at a Redis without leaving anything with it: `trouble` is why it cannot be used, `notice` what an operator should
 * know of it; both name what to set.
 */
export const examineRedis = async (redisUrl: string): Promise<{ error: string | null; notice: string | null }> => {
  const settings = { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: PATIENCE }
  const redis = new Redis(redisUrl, { ...OPTIONS, ...settings, retryStrategy: () => null })
  try {
    await firstConnection(redis)
    redis.on('error', () => undefined) // The command under way fails by itself.
    const [notice = null] = await examine(redis)
    return { error: null, notice }
  } catch (error) {
    if (error instanceof UnusableQueue) return { error: error.message, notice: null }
    return { error: `REDIS_URL: Redis does not answer at ${placeOf(redisUrl)} (${reasonOf(error)})`, notice: null }
  } finally {
    redis.disconnect()
  }
}

/** Resolves once connected. The first failure counts, though attempts go on behind it. */
const firstConnection = async (redis: Redis): Promise<void> => {
  let first: Error | undefined
  redis.on('error', (error: Error) => {
    first ??= error
  })
  try {
    await redis.connect()
  } catch (error) {
    // The connection says that it is closed, the event before it said why.
    const cause = first ?? (error as Error)
    throw refusal(cause) ?? cause
  } finally {
    redis.removeAllListeners('error')
  }
}

/** Where Redis is, without what one needs to get in. */
const placeOf = (redisUrl: string): string => new URL(redisUrl).host

/** Node tries every address of a host, and says of all of them together nothing but a code. */
const reasonOf = (error: unknown): string => {
  const { message, code } = error as { message: string; code?: string }
  return message || code || 'no reason given'
}

/** A login that Redis does not take will not be taken later either. */
const refusal = (error: Error): UnusableQueue | null =>
  /^(WRONGPASS|NOAUTH|ERR AUTH|NOPERM)/.test(error.message)
    ? new UnusableQueue(`REDIS_URL: Redis refuses the login: ${error.message}`)
    : null

/** What there is to know of a Redis before jobs are left with it; throws where it cannot be relied on. */
const examine = async (redis: Redis): Promise<string[]> => {
  let info: string
  try {
    info = await redis.info()
  } catch (error) {
    throw refusal(error as Error) ?? error
  }
  const fact = (name: string): string | undefined => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim()
  // Any other policy removes keys when memory runs out: a queue with holes, of which BullMQ would know nothing.
  const policy = fact('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction')
    throw new UnusableQueue(
      `REDIS_URL: its maxmemory-policy is ${policy}, so Redis would throw the queue away bit by bit when its memory is ` +
        'full; set: maxmemory-policy noeviction',
    )
  if (fact('aof_enabled') === '1' || (await savesSnapshots(redis))) return []
  return [
    'Redis keeps nothing over a restart (no appendonly, no save). No mail is lost by that, only delayed by a minute; to ' +
      'have neither, set: appendonly yes',
  ]
}

const savesSnapshots = async (redis: Redis): Promise<boolean> => {
  try {
    const [, save = ''] = (await redis.config('GET', 'save')) as string[]
    return save !== ''
  } catch (error) {
    // Where Redis is a service of somebody's, CONFIG is often forbidden, and keeping it theirs.
    if (/unknown command|NOPERM/i.test((error as Error).message)) return true
    throw error
  }
}
