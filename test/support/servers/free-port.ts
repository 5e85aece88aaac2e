/** A port for a service whose own links a browser is to follow: the address has to be known before it starts. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below what Linux and macOS give to connections and to servers that take any port, so that none of those comes in between. */
const PORTS = { from: 20_000, below: 32_000 }

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export const findFreePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.below)
    const server = createServer()
    const outcome = once(server.listen(port, '127.0.0.1'), 'listening').then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE') throw error
        return false
      },
    )
    if (!(await outcome)) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
