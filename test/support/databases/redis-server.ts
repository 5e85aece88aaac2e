/** A Redis server for tests: a process on a free port of the loopback with a folder of its own, or a container. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Origin } from '../browser/origins.ts'
import { findFreePort } from '../servers/free-port.ts'

/** A Redis server of our own, whatever it runs in. What it wrote to its folder is there again after a restart. */
export interface RedisServer {
  url: string
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Starts it again at the same address; ends it in order before where it still runs. */
  restart(): Promise<void>
  /** Ends it for good, and removes its folder. */
  stop(): Promise<void>
}

const READY = 'Ready to accept connections'
/** Somebody else may take the port between the moment it was found free and the start. */
const TRIES = 5

/** `config` is what stands on its command line, such as `['--appendonly', 'yes']`. */
export const startRedis = async (
  origin: Extract<Origin, { kind: 'program' | 'container' }>,
  config: string[],
): Promise<RedisServer> => {
  if (origin.kind === 'program') return startProcess(origin.path, config)
  // Loaded only where it is used: it takes longer than most tests.
  const { startRedisContainer } = await import('./containers.ts')
  return startRedisContainer(config)
}

const startProcess = async (program: string, config: string[]): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-redis-'))
  let port = await findFreePort()
  const start = async () => {
    const words = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...config]
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = once(child, 'exit')
    const orphan = () => child.kill('SIGKILL')
    process.once('exit', orphan)
    void gone.then(() => process.off('exit', orphan))
    let said = ''
    for await (const line of createInterface({ input: child.stdout })) {
      said += `${line}\n`
      if (!line.includes(READY)) continue
      // It goes on talking, and must not be stopped by a full pipe.
      child.stdout.resume()
      return async (signal: NodeJS.Signals) => {
        child.kill(signal)
        await gone
      }
    }
    throw new Error(`redis-server did not start:\n${said}`)
  }

  const startSomewhere = async (tries: number): ReturnType<typeof start> => {
    try {
      return await start()
    } catch (error) {
      if (tries === 1 || !/Address already in use/.test(String(error))) throw error
      port = await findFreePort()
      return startSomewhere(tries - 1)
    }
  }

  let end = await startSomewhere(TRIES)
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM')
      end = await start()
    },
    async stop() {
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
