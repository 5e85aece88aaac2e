/** A TCP proxy between two programs that can be slow, silent, cut or half dead, and can be led elsewhere. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface TcpProxy extends AsyncDisposable {
  port: number
  /** Where connections made from now on lead: a port of the loopback. */
  leadTo(port: number): void
  /** What everything that passes is held up by, milliseconds. */
  setLatency(ms: number): void
  /** While set, whatever is sent is taken and never arrives. */
  swallow(on: boolean): void
  /** While set, connections are reset as soon as they are made. */
  refuse(on: boolean): void
  /** Resets every connection that there is. Returns how many there were. */
  cut(): number
  /** The server loses every connection that there is, and its client is not told. Returns how many there were. */
  halve(): number
}

/** How the proxy treats what passes at this moment. */
interface Condition {
  /** Milliseconds. */
  latency: number
  /** Whether everything sent is taken and dropped. */
  swallowing: boolean
}

/** Passes what one socket receives on to the other. */
const forward = (from: Socket, to: Socket, condition: Condition): void => {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const pass = (chunk: Buffer | null) => {
    if (to.destroyed) return
    if (chunk === null) to.end()
    else to.write(chunk)
  }
  const enqueue = (chunk: Buffer | null) => {
    if (condition.swallowing) return
    if (condition.latency === 0 && waiting === 0) return pass(chunk)
    const due = performance.now() + condition.latency
    waiting++
    // One behind the other, so that nothing overtakes when the latency falls.
    last = last
      .then(() => delay(Math.max(0, due - performance.now())))
      .then(() => {
        waiting--
        pass(chunk)
      })
  }
  from.on('data', enqueue)
  from.on('end', () => enqueue(null))
}

export const openTcpProxy = async (target: number): Promise<TcpProxy> => {
  let leadsTo = target
  const condition: Condition = { latency: 0, swallowing: false }
  let refusing = false
  const pairs = new Set<{ client: Socket; server: Socket; halved: boolean }>()

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => undefined) // That a connection breaks is what this is for.
    if (refusing) return void client.resetAndDestroy()
    const server = connect({ host: '127.0.0.1', port: leadsTo, allowHalfOpen: true, noDelay: true })
    server.on('error', () => client.resetAndDestroy())
    const pair = { client, server, halved: false }
    pairs.add(pair)
    forward(client, server, condition)
    forward(server, client, condition)
    client.on('close', () => {
      pairs.delete(pair)
      server.destroy()
    })
    server.on('close', () => {
      if (!pair.halved) client.destroy()
    })
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')

  const cut = () => {
    const count = pairs.size
    for (const { client, server } of pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    return count
  }
  return {
    port: (listener.address() as AddressInfo).port,
    leadTo(port) {
      leadsTo = port
    },
    setLatency(ms) {
      condition.latency = ms
    },
    swallow(on) {
      condition.swallowing = on
    },
    refuse(on) {
      refusing = on
    },
    cut,
    halve() {
      for (const pair of pairs) {
        pair.halved = true
        pair.server.resetAndDestroy()
      }
      return pairs.size
    },
    async [Symbol.asyncDispose]() {
      cut()
      listener.close()
      await once(listener, 'close')
    },
  }
}
