/** Keeps a server running: starts it again when it ended by itself, and gives it up when that does not help. */
import { setTimeout as delay } from 'node:timers/promises'
import { MINUTE, SECOND } from '../../core/calendar.ts'

/** A server that runs, or ran. */
export interface Server {
  pid: number
  /** Resolves when it has ended: to how, where nobody had stopped it; to `null` otherwise. */
  ended: Promise<string | null>
  /** Stops it in order and waits for it. */
  stop(): Promise<void>
}

interface SupervisionPorts {
  /** Starts the server anew at the same address; resolves to why it does not start. A start is given up once `signal` is aborted. */
  restart: (signal: AbortSignal) => Promise<Server | { error: string }>
  /** Called when the server runs again. */
  onRestart: () => void
  /** Called once, when the server is given up: how often it was started again in vain, and why the last time. */
  onLost: (restarts: number, why: string) => void
  /** Milliseconds before the first restart within `WITHIN`, the second, and so on; after the last it is given up. */
  pauses?: readonly number[]
}

/**
 * A server that was killed for want of memory is started at once. One that ends again and again gets a little longer each
 * time, for whatever took the memory may end meanwhile.
 */
const PAUSES = [0, SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
/** Restarts of longer ago do not count. */
const WITHIN = 10 * MINUTE

/** Supervises a server that runs, until it is stopped by the function that is returned. */
export const supervise = (first: Server, ports: SupervisionPorts): (() => Promise<void>) => {
  const { restart, onRestart, onLost, pauses = PAUSES } = ports
  const stopping = new AbortController()
  const restarts: number[] = []
  let current: Server | null = first

  /** The server that was started in place of the one that ended; `null` where there is none. */
  const replace = async (how: string): Promise<Server | null> => {
    let why = how
    while (!stopping.signal.aborted) {
      while (restarts.length > 0 && performance.now() - (restarts[0] ?? 0) > WITHIN) restarts.shift()
      const pause = pauses[restarts.length]
      if (pause === undefined) {
        onLost(restarts.length, why)
        return null
      }
      restarts.push(performance.now())
      // An abort ends the pause early, and the loop ends by it.
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return null
      const started = await restart(stopping.signal)
      if ('error' in started) {
        why = started.error
        continue
      }
      if (stopping.signal.aborted) await started.stop()
      else onRestart()
      return started
    }
    return null
  }

  const run = async (): Promise<void> => {
    while (current !== null) {
      const how = await current.ended
      current = how === null ? null : await replace(how)
    }
  }
  const running = run()

  return async () => {
    stopping.abort()
    await current?.stop()
    await running
  }
}
