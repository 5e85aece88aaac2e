/** The embedded PostgreSQL server, run from the npm packages: its start and its stop. */
import { spawn } from 'node:child_process'
import { mkdir, open, readFile, realpath, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createCluster, giveTo, readPassword, refuseUnusableCluster, USER } from './cluster.ts'
import { identify, worksIn } from './process.ts'
import { absent, type Binaries, findBinaries, findRunner, type Runner, UnusableDataFolder } from './programs.ts'
import { type Server, supervise } from './supervision.ts'

export interface EmbeddedPostgres {
  /** It contains the password: for our pools only, never for a log. It stays the same when the server is started again. */
  url: string
  /** Of the server that was started first. */
  pid: number
  /** Stops the server in order and waits for it. Pools must be closed first: what they still run is aborted. */
  stop(): Promise<void>
}

interface Options {
  /** Holds the cluster, its password and the server's log; created where it is missing. */
  folder: string
  /** `false` only for tests: then a crash of the machine may lose or destroy the data. */
  durable: boolean
  /** Called with sentences for the operator who watches the start. */
  onNotice?: (notice: string) => void
  /**
   * Where it is there, a server that ended by itself is started again, at the same address, and this is called when that
   * cannot be done or does not last: the database is gone then.
   */
  onLost?: ((error: UnusableDataFolder) => void) | undefined
}

/** Greater than any process number (`pid_max` is 2^22 at most). */
const NO_PROCESS = 2 ** 31 - 2
const POLL = 10
/** Milliseconds after which a start is given up; recovery after a crash may take long. */
const START_TIMEOUT = 120_000
const NOTICE_AFTER = 3_000
const STOP_TIMEOUT = 8_000
const ATTEMPTS = 20

/**
 * Starts the server on a free port of 127.0.0.1 and waits until it takes connections; the first time, the cluster is
 * created. Only for the owner of the folder: a server that a dead owner left behind is stopped. Errors:
 * `UnusableDataFolder`.
 */
export const startEmbeddedPostgres = async (options: Options): Promise<EmbeddedPostgres> => {
  const { durable, onNotice: notice = () => undefined } = options
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  const folder = await realpath(options.folder)
  const binaries = await findBinaries(folder)
  const cluster = join(folder, 'cluster')
  const isNew = await refuseUnusableCluster(cluster, binaries.major)
  const runner = await findRunner(folder, binaries, isNew)
  if (!isNew) await stopOrphan(cluster, notice)
  await giveTo(folder, runner.owner)
  if (isNew) await createCluster(folder, binaries, runner, durable)
  const password = await readPassword(folder)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const start = { folder, binaries, runner, durable, port, notice }
    const server = await launch(start)
    if ('stop' in server) {
      const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`
      const { onLost } = options
      return {
        url,
        pid: server.pid,
        stop: once(onLost === undefined ? server.stop : keepRunning(server, start, onLost)),
      }
    }
    // Another program has taken the port meanwhile, or the last child of a killed server has not ended yet.
    if (attempt === ATTEMPTS || !/could not bind|in use/i.test(server.error))
      throw new UnusableDataFolder(`the embedded Postgres does not start: ${server.error || 'it gave no reason'}`)
    await delay(POLL * attempt)
  }
}

const once = (stop: () => Promise<void>): (() => Promise<void>) => {
  let stopped: Promise<void> | null = null
  return () => {
    stopped ??= stop()
    return stopped
  }
}

/** Starts the server again on its port whenever it ends by itself. Returns what stops it for good. */
const keepRunning = (
  server: Server,
  start: Launch,
  onLost: (error: UnusableDataFolder) => void,
): (() => Promise<void>) => {
  const { folder, notice } = start
  return supervise(server, {
    async restart(signal) {
      await forgetServer(join(folder, 'cluster'))
      return launch(start, signal)
    },
    onRestart: () => notice('The embedded Postgres runs again.'),
    onLost: (restarts, why) =>
      onLost(
        new UnusableDataFolder(
          `the embedded Postgres ended, and starting it again ${restarts} times did not help (${why}); see that the ` +
            `machine has memory and disk space to spare, and what ${join(folder, 'server.log')} says; then start again`,
        ),
      ),
  })
}

/** The server's `postmaster.pid`: its process number in line 1, its state in line 8 (`miscinit.c`, `pidfile.h`). */
const readPidFile = async (cluster: string): Promise<{ pid: number; state: string } | null> => {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(absent))?.split('\n')
  const pid = Number(lines?.[0])
  return lines === undefined || !(pid > 0) ? null : { pid, state: lines[7]?.trim() ?? '' }
}

/** Stops the server that a killed program left running on this cluster. */
const stopOrphan = async (cluster: string, notice: (text: string) => void): Promise<void> => {
  const found = await readPidFile(cluster)
  if (found === null) return
  const isGone = async () => (await identify(found.pid)) === null
  if (!(await isGone()) && (await worksIn(found.pid, cluster))) {
    notice('The last run ended without stopping its Postgres; it is stopped now.')
    if (!(await endServer(found.pid, isGone)))
      throw new UnusableDataFolder(
        `process ${found.pid}, the Postgres that the last run left in ${cluster}, cannot be stopped`,
      )
  }
  await forgetServer(cluster)
}

/**
 * Takes the number of a dead server out of its `postmaster.pid`: Postgres refuses to start while the number is in use, be it
 * by a zombie or by another program that has got it. The rest of the note must stay: by it Postgres knows whether children
 * of the dead server are still at work.
 */
const forgetServer = async (cluster: string): Promise<void> => {
  const path = join(cluster, 'postmaster.pid')
  const note = await readFile(path, 'utf8').catch(absent)
  if (note !== null) await writeFile(path, note.replace(/^\d+/, String(NO_PROCESS)))
}

/** SIGINT aborts connections and ends in order; SIGQUIT leaves recovery to the next start. Returns whether it ended. */
const endServer = async (pid: number, isGone: () => Promise<boolean>): Promise<boolean> => {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    const until = performance.now() + STOP_TIMEOUT
    while (performance.now() < until) {
      if (await isGone()) return true
      await delay(POLL)
    }
  }
  return false
}

interface Launch {
  folder: string
  binaries: Binaries
  runner: Runner
  durable: boolean
  port: number
  notice: (text: string) => void
}

/**
 * Starts the server and waits until it takes connections; resolves to why it does not. Once `signal` is aborted it is stopped
 * instead. A server that is started again goes on with the log of the one before.
 */
const launch = async (options: Launch, signal?: AbortSignal): Promise<Server | { error: string }> => {
  const { folder, binaries, runner, notice } = options
  const cluster = join(folder, 'cluster')
  const logPath = join(folder, 'server.log')
  if (signal === undefined) await rename(logPath, join(folder, 'server.log.previous')).catch(absent)
  const log = await open(logPath, 'a', 0o600)
  const [command = '', ...args] = [...runner.prefix, join(runner.bin, 'postgres'), '-D', cluster, ...settings(options)]
  // A session of its own: Ctrl-C in a terminal then reaches only us, and we close our pools before we stop the server.
  const child = spawn(command, args, {
    cwd: folder,
    env: binaries.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    ...runner.identity,
  })
  let how: string | null = null
  let expected = true
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => {
      how = String(error)
      resolve(expected ? null : how)
    })
    child.once('exit', (code, killedBy) => {
      how = String(killedBy ?? code)
      if (!expected) notice(`The embedded Postgres ended by itself (${how}); ${logPath} may say why.`)
      resolve(expected ? null : how)
    })
  })
  await log.close()
  const { pid } = child
  const stop = async () => {
    expected = true
    child.ref()
    if (pid !== undefined && how === null) await endServer(pid, async () => how !== null)
  }
  const begun = performance.now()
  let noticed = false
  for (;;) {
    const found = await readPidFile(cluster)
    if (how === null && found?.pid === pid && found?.state === 'ready') break
    const waited = performance.now() - begun
    if (waited > START_TIMEOUT || signal?.aborted) await stop()
    if (how !== null) return { error: lastWords(await readFile(logPath, 'utf8')) }
    if (waited > NOTICE_AFTER && !noticed) notice('Postgres is taking its time, maybe after a crash …')
    noticed ||= waited > NOTICE_AFTER
    await delay(POLL)
  }
  expected = false
  // The program may end when it has nothing else to do.
  child.unref()
  return { pid: pid as number, ended, stop }
}

const settings = ({ durable, port }: Launch): string[] =>
  Object.entries({
    listen_addresses: '127.0.0.1',
    port,
    // Over TCP only: the path of a socket must be short, and that of a data folder may be long.
    unix_socket_directories: '',
    max_connections: 100,
    // Touched as far as they are needed. With less, an edition of many readers writes the same pages again and again.
    shared_buffers: '256MB',
    wal_buffers: '16MB',
    max_wal_size: '2GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Messages about statements can quote addresses, so only our program logs them, redacted.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    ...(durable
      ? { fsync: 'on', synchronous_commit: 'on' }
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }),
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])

/** Why the server ended: the line of its log that names the error, not those that only tell of the start. */
const lastWords = (log: string): string => {
  const lines = log.trim().split('\n')
  const fault = lines.findLast((line) => /FATAL|PANIC|could not/.test(line)) ?? lines.at(-1) ?? ''
  return fault.replace(/^.*?(FATAL|PANIC|LOG|WARNING): +/, '')
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(address)))
    })
  })
