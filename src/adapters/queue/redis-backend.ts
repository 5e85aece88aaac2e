/** The queue on Redis: for several machines, and for those who run a Redis anyway. */
import { Worker as BullWorker, Queue, type Telemetry } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import { MINUTE } from '../../core/calendar.ts'
import { type Backend, CONNECT_TIMEOUT, UnusableQueue } from './backend.ts'
import { JOB_OPTIONS, WORKER_OPTIONS } from './job-options.ts'
import { removeFormerKeys } from './key-prefix.ts'

/** Milliseconds; a command without a reply in this time fails, so that nobody waits long for a wake. */
const COMMAND_TIMEOUT = 3_000
/** Milliseconds; a worker's connection without any reply for so long is dead, since BullMQ sends a command every 10 s. */
const SOCKET_TIMEOUT = 30_000
const MAX_RECONNECT_DELAY = 1_000
/** Milliseconds; after an upgrade the version before may run for a while. */
const FORMER_KEYS_INTERVAL = 5 * MINUTE

/** The type of ioredis allows a reply mapping of `undefined`, which its constructor does not. */
type Settings = Omit<RedisOptions, 'replyMapping'>

const OPTIONS: Settings = {
  connectionName: 'paper-round queue',
  lazyConnect: true,
  connectTimeout: CONNECT_TIMEOUT,
  retryStrategy: (times) => Math.min(times * 50, MAX_RECONNECT_DELAY),
}

interface Options {
  redisUrl: string
  /** All keys begin with it: one Redis may serve others, too. */
  prefix: string
  /** A process that handles no queue starts without Redis: the next sweep finds what it would have woken others for. */
  required: boolean
  onError: (error: Error) => void
  /** Gets sentences for the operator about this Redis. */
  onNotice?: (notice: string) => void
  telemetry?: Telemetry
}

/**
 * Connects. Throws `UnusableQueue` when Redis refuses the login, when it might evict jobs as its memory is full, and, if
 * `required`, when it does not answer.
 */
export const openRedisBackend = async ({
  redisUrl,
  prefix,
  required,
  onError,
  onNotice = () => undefined,
  telemetry,
}: Options): Promise<Backend> => {
  const traced = telemetry === undefined ? {} : { telemetry }
  const connections: Redis[] = []
  const connect = (options: Settings): Redis => {
    const redis = new Redis(redisUrl, { ...OPTIONS, ...options })
    connections.push(redis)
    return redis
  }
  const disconnect = () => {
    for (const redis of connections) redis.disconnect()
  }

  // Producers fail fast and workers wait, so they cannot share a connection.
  const producer = connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT })
  try {
    await firstConnection(producer)
    for (const notice of await readNotices(producer)) onNotice(notice)
  } catch (error) {
    if (required || error instanceof UnusableQueue) {
      disconnect()
      if (error instanceof UnusableQueue) throw error
      throw new UnusableQueue(`REDIS_URL: Redis does not answer at ${hostOf(redisUrl)} (${errorText(error)})`)
    }
    onNotice(`Redis does not answer at ${hostOf(redisUrl)} (${errorText(error)}); mail waits until it does`)
  }
  producer.on('error', onError)
  const formerKeys = required ? watchFormerKeys(producer, onError) : null

  let shared: Redis | null = null
  const workers: BullWorker[] = []
  return {
    openJobQueue: (name) =>
      new Queue(name, {
        connection: producer,
        prefix,
        defaultJobOptions: JOB_OPTIONS,
        skipMetasUpdate: true,
        ...traced,
      }),
    startWorker(name, handler, concurrency) {
      shared ??= connect({ maxRetriesPerRequest: null, socketTimeout: SOCKET_TIMEOUT }).on('error', onError)
      const worker = new BullWorker(name, handler, {
        connection: shared,
        prefix,
        concurrency,
        ...traced,
        ...WORKER_OPTIONS,
      })
      workers.push(worker)
      return worker
    },
    requireConnection() {
      if (producer.status !== 'ready') throw new Error('Redis cannot be reached')
    },
    // Keys come into being by use.
    repair: async () => undefined,
    async close() {
      await formerKeys?.stop()
      disconnect()
    },
    async abandon() {
      await formerKeys?.stop()
      // Each worker has another connection of its own, on which it waits for jobs.
      await Promise.allSettled(workers.map((worker) => worker.disconnect()))
      disconnect()
    },
  }
}

/** Removes what a version before left in this Redis, as soon as no process of it runs any more. */
const watchFormerKeys = (producer: Redis, onError: (error: Error) => void): { stop(): Promise<void> } => {
  let looking: Promise<void> | null = null
  const look = async (): Promise<void> => {
    if (await removeFormerKeys(producer)) clearInterval(timer)
  }
  const begin = (): void => {
    if (producer.status === 'ready')
      looking ??= look()
        .catch(onError)
        .finally(() => {
          looking = null
        })
  }
  const timer = setInterval(begin, FORMER_KEYS_INTERVAL).unref()
  begin()
  return {
    async stop() {
      clearInterval(timer)
      await looking
    },
  }
}

/**
 * Examines a Redis without storing anything in it: `error` is why it cannot be used, `notice` what an operator should
 * know about it; both name what to set.
 */
export const examineRedis = async (redisUrl: string): Promise<{ error: string | null; notice: string | null }> => {
  const settings = { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT }
  const redis = new Redis(redisUrl, { ...OPTIONS, ...settings, retryStrategy: () => null })
  try {
    await firstConnection(redis)
    redis.on('error', () => undefined) // The command under way fails by itself.
    const [notice = null] = await readNotices(redis)
    return { error: null, notice }
  } catch (error) {
    if (error instanceof UnusableQueue) return { error: error.message, notice: null }
    return { error: `REDIS_URL: Redis does not answer at ${hostOf(redisUrl)} (${errorText(error)})`, notice: null }
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
    // The connection only says that it is closed; the event before said why.
    const cause = first ?? (error as Error)
    throw refusedLogin(cause) ?? cause
  } finally {
    redis.removeAllListeners('error')
  }
}

/** Where Redis is, without its login. */
const hostOf = (redisUrl: string): string => new URL(redisUrl).host

/** Node tries every address of a host, and gives nothing but a code for all of them together. */
const errorText = (error: unknown): string => {
  const { message, code } = error as { message: string; code?: string }
  return message || code || 'no reason given'
}

/** The error for a login that Redis refuses, which it will not accept later either; `null` for any other error. */
const refusedLogin = (error: Error): UnusableQueue | null =>
  /^(WRONGPASS|NOAUTH|ERR AUTH|NOPERM)/.test(error.message)
    ? new UnusableQueue(`REDIS_URL: Redis refuses the login: ${error.message}`)
    : null

/** Returns notices for the operator. Throws `UnusableQueue` when jobs could get lost in this Redis. */
const readNotices = async (redis: Redis): Promise<string[]> => {
  let info: string
  try {
    info = await redis.info()
  } catch (error) {
    throw refusedLogin(error as Error) ?? error
  }
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim()
  // Any other policy removes keys when memory runs out: jobs would be missing, and BullMQ would not notice.
  const policy = field('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction')
    throw new UnusableQueue(
      `REDIS_URL: its maxmemory-policy is ${policy}, so Redis would evict parts of the queue when its memory is full; ` +
        'set: maxmemory-policy noeviction',
    )
  if (field('aof_enabled') === '1' || (await savesSnapshots(redis))) return []
  return [
    'Redis keeps nothing over a restart (no appendonly, no save). No mail is lost by that, but some is a minute late; ' +
      'to avoid it, set: appendonly yes',
  ]
}

const savesSnapshots = async (redis: Redis): Promise<boolean> => {
  try {
    const [, save = ''] = (await redis.config('GET', 'save')) as string[]
    return save !== ''
  } catch (error) {
    // A hosted Redis often forbids CONFIG, and then persistence is its host's concern.
    if (/unknown command|NOPERM/i.test((error as Error).message)) return true
    throw error
  }
}
