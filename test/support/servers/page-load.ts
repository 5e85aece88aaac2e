/** Requests for pages on kept connections, for benchmarks: as many as a process answers with a second of processor time. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

/** Linux counts a process's time in hundredths of a second. */
const TICKS_PER_SECOND = 100

/** Seconds of processor time that a process has used so far, all of its threads together. Linux alone. */
export const processorSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * A connection that asks for one page after the other. It reads no more of an answer than its status and where it ends,
 * so that it takes little of the machine from what is measured.
 */
const openConnection = async (host: string, port: number) => {
  const socket: Socket = connect(port, host)
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let parts: Buffer[] = []
  let head: { status: number; end: number } | null = null
  let size = 0
  let settle: { resolve(status: number): void; reject(error: Error): void } | null = null
  socket.on('data', (part) => {
    parts.push(part)
    size += part.length
    if (head === null) {
      const whole = Buffer.concat(parts)
      parts = [whole]
      const at = whole.indexOf(HEAD_END)
      if (at < 0) return
      const text = whole.toString('latin1', 0, at)
      const length = Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? 0)
      head = { status: Number(text.slice(9, 12)), end: at + HEAD_END.length + length }
    }
    if (size < head.end) return
    const { status } = head
    head = null
    parts = []
    size = 0
    settle?.resolve(status)
  })
  const fail = (error: Error) => settle?.reject(error)
  socket.on('error', fail).on('close', () => fail(new Error('the site closed a connection')))
  return {
    /** Resolves to the status of the answer. */
    ask: (request: string): Promise<number> =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(request, 'latin1')
      }),
    close: () => {
      settle = null
      socket.destroy()
    },
  }
}

let clients = 0

/** Requests each come from another client, where the service trusts us as its proxy, so that no budget ends them. */
export const requestFor = (path: string): string => {
  const client = `2001:db8:${((clients >> 16) & 0xffff).toString(16)}:${(clients++ & 0xffff).toString(16)}::1`
  return `GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\nx-forwarded-for: ${client}\r\n\r\n`
}

/**
 * Asks for pages over so many connections, for so many seconds or until a signal. `per_core_s`: how many the process of `pid` answered with a
 * second of processor time, which other work on the machine does not change; `per_s`: how many a second there were.
 */
export const loadPages = async (
  { url, pid }: { url: string; pid: number },
  nextPath: () => string,
  { connections = 16, seconds = 3, signal }: { connections?: number; seconds?: number; signal?: AbortSignal } = {},
): Promise<{ per_core_s: number; per_s: number }> => {
  const { hostname, port } = new URL(url)
  const all = await Promise.all(Array.from({ length: connections }, () => openConnection(hostname, Number(port))))
  const [begun, used] = [performance.now(), processorSeconds(pid)]
  let answers = 0
  const work = async ({ ask }: (typeof all)[number]) => {
    const goesOn = () => (signal === undefined ? performance.now() - begun < seconds * 1000 : !signal.aborted)
    while (goesOn()) {
      const path = nextPath()
      const status = await ask(requestFor(path))
      if (status !== 200) throw new Error(`${path} answered ${status}`)
      answers++
    }
  }
  try {
    await Promise.all(all.map(work))
  } finally {
    for (const one of all) one.close()
  }
  return {
    per_core_s: Math.round(answers / (processorSeconds(pid) - used)),
    per_s: Math.round(answers / ((performance.now() - begun) / 1000)),
  }
}
