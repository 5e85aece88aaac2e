/** Supervision by itself: restarts, their limit, and stops at any moment. The servers are stand-ins. */
import { expect, test } from 'vitest'
import { type Server, supervise } from '../../../src/adapters/postgres/supervision.ts'

const openServers = () => {
  const started: (Server & { end(how: string): void; stopped: boolean })[] = []
  const start = (): Server => {
    const { promise: ended, resolve } = Promise.withResolvers<string | null>()
    const server = {
      pid: started.length,
      ended,
      stopped: false,
      end: resolve,
      async stop() {
        server.stopped = true
        resolve(null)
      },
    }
    started.push(server)
    return server
  }
  return { started, start }
}

/** Resolves when the n-th call was made. */
const createCounter = () => {
  let calls = 0
  const waiting = new Map<number, () => void>()
  return {
    count: () => {
      calls++
      waiting.get(calls)?.()
    },
    calls: () => calls,
    reached: (n: number) => (calls >= n ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(n, resolve))),
  }
}

test('a server that ends again and again is started as often as there are pauses, and then given up', async () => {
  const servers = openServers()
  const restarted = createCounter()
  const lost = new Promise<[number, string]>((resolve) => {
    const stop = supervise(servers.start(), {
      restart: async () => servers.start(),
      onRestart: restarted.count,
      onLost: (...facts) => resolve(facts),
      pauses: [0, 1, 1],
    })
    void restarted.reached(99).then(stop)
  })
  for (let n = 0; n < 3; n++) {
    servers.started[n]?.end('SIGKILL')
    await restarted.reached(n + 1)
  }
  servers.started[3]?.end('SIGSEGV')
  expect(await lost).toEqual([3, 'SIGSEGV'])
  expect(servers.started).toHaveLength(4)
})

test('a start that fails counts, and its reason is told', async () => {
  const servers = openServers()
  let tries = 0
  const lost = await new Promise((resolve) => {
    supervise(servers.start(), {
      restart: async () => ({ error: `no memory, ${++tries}` }),
      onRestart: () => undefined,
      onLost: (...facts) => resolve(facts),
      pauses: [0, 1],
    })
    servers.started[0]?.end('SIGKILL')
  })
  expect(lost).toEqual([2, 'no memory, 2'])
})

test('a stop ends a pause, and a server whose start was under way', async () => {
  for (const pauses of [[60_000], [0]]) {
    const servers = openServers()
    const begun = createCounter()
    const gate = Promise.withResolvers<void>()
    const stop = supervise(servers.start(), {
      async restart() {
        begun.count()
        await gate.promise
        return servers.start()
      },
      onRestart: () => expect.unreachable('nothing runs again after a stop'),
      onLost: () => expect.unreachable('a stop is no loss'),
      pauses,
    })
    servers.started[0]?.end('SIGKILL')
    if (pauses[0] === 0) await begun.reached(1)
    const stopped = stop()
    gate.resolve()
    await stopped
    expect(servers.started.slice(1).every((server) => server.stopped)).toBe(true)
    expect(servers.started).toHaveLength(pauses[0] === 0 ? 2 : 1)
  }
})
