/** A `redis-server` of the PATH as a process on a free port of the loopback, with a folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findFreePort } from '../servers/free-port.ts'

/** A Redis server of our own, whatever it runs in. What it wrote to its folder is there again after a restart. */
export interface RedisServer {
  url: string
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Starts it again at the same address; ends it in order before where it still runs. */
  restart(): Promise<void>
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

const READY = 'Ready to accept connections'
/** Somebody else may take the port between the moment it was found free and the start. */
const ATTEMPTS = 5

/** `config` is what stands on its command line, such as `['--appendonly', 'yes']`. */
export const startRedisProcess = async (program: string, config: string[]): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-redis-'))
  let port = await findFreePort()
  const start = async () => {
    const options = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...config]
    const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    const killOrphan = () => child.kill('SIGKILL')
    process.once('exit', killOrphan)
    void ended.then(() => process.off('exit', killOrphan))
    let output = ''
    for await (const line of createInterface({ input: child.stdout })) {
      output += `${line}\n`
      if (!line.includes(READY)) continue
      // It keeps logging, and a full pipe would stop it.
      child.stdout.resume()
      return async (signal: NodeJS.Signals) => {
        child.kill(signal)
        await ended
      }
    }
    throw new Error(`redis-server did not start:\n${output}`)
  }

  const startSomewhere = async (attempts: number): ReturnType<typeof start> => {
    try {
      return await start()
    } catch (error) {
      if (attempts === 1 || !/Address already in use/.test(String(error))) throw error
      port = await findFreePort()
      return startSomewhere(attempts - 1)
    }
  }

  let end = await startSomewhere(ATTEMPTS)
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
