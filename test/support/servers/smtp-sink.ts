/**
 * An SMTP server for tests: it takes every mail, or fails at any stage of a conversation as a test wants.
 *
 * Each message is on disk before it is answered with 250, so the log is what a test may rely on when processes die.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { converse, type SinkMessage, type SinkOptions } from './smtp-sink-session.ts'

export type { Fault, FaultContext, FaultStage, SinkMessage, SinkOptions } from './smtp-sink-session.ts'

export interface SmtpSink extends AsyncDisposable {
  port: number
  url: string
  messages: SinkMessage[]
  /** Each line of all conversations in the order in which they came, without the lines of messages. */
  commands: string[]
  count(): number
  /** `most`: the most conversations that went on at a time. */
  connections(): { opened: number; open: number; most: number }
  /** Resolves to the messages once there are `count`; fails after `withinMs`. */
  waitFor(count: number, withinMs?: number): Promise<SinkMessage[]>
  close(): Promise<void>
}

const HOST = '127.0.0.1'

export const openSmtpSink = async (options: SinkOptions = {}): Promise<SmtpSink> => {
  const log = options.log === undefined ? undefined : await openLog(options.log)
  const messages: SinkMessage[] = []
  const commands: string[] = []
  const sockets = new Set<Socket>()
  /** Sockets whose conversation has not ended; a client may be back before its last socket is seen to close here. */
  const talking = new Set<Socket>()
  const waiting = new Set<() => void>()
  let count = 0
  let opened = 0
  let most = 0

  const take: Parameters<typeof converse>[2]['take'] = async (message, origin) => {
    await log?.append(JSON.stringify(message))
    count++
    if (options.keep !== false) messages.push(message)
    options.onMessage?.(message, origin)
    for (const check of waiting) check()
  }
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    talking.add(socket)
    most = Math.max(most, talking.size)
    socket.on('close', () => {
      sockets.delete(socket)
      talking.delete(socket)
    })
    void converse(socket, ++opened, { options, take, commands, leave: () => talking.delete(socket) })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? HOST, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the sink has no port')

  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
    await log?.close()
  }
  return {
    port: address.port,
    url: `${options.tls?.implicit === true ? 'smtps' : 'smtp'}://${HOST}:${address.port}`,
    messages,
    commands,
    count: () => count,
    connections: () => ({ opened, open: sockets.size, most }),
    waitFor: (wanted, withinMs = 10_000) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (count < wanted) return
          end()
          resolve(messages)
        }
        const end = () => {
          clearTimeout(timer)
          waiting.delete(check)
        }
        const timer = setTimeout(() => {
          end()
          reject(new Error(`${count} of ${wanted} messages came within ${withinMs} ms`))
        }, withinMs)
        waiting.add(check)
        check()
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Appends lines and syncs them to disk. Lines that come during a sync share the next: one sync serves many connections. */
const openLog = async (path: string): Promise<{ append(line: string): Promise<void>; close(): Promise<void> }> => {
  const file: FileHandle = await open(path, 'a')
  let lines: string[] = []
  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  const write = async () => {
    next = undefined
    const batch = `${lines.join('\n')}\n`
    lines = []
    await file.appendFile(batch)
    await file.datasync()
  }
  return {
    append: (line) => {
      lines.push(line)
      next ??= writing = writing.then(write)
      return next
    },
    close: async () => {
      await writing
      await file.close()
    },
  }
}
