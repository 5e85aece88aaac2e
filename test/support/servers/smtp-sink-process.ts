/**
 * The sink as a process of its own, for tests in which the service is killed: what it took is on disk before it answers.
 *
 *     node test/support/servers/smtp-sink-process.ts --port 0 [--log FILE] [--host ADDRESS] [--hold-at N] [--with-parent]
 *
 * prints `{"port":N}` on one line once it listens. With `--hold-at N` the Nth message is stored and never answered, so its
 * sender cannot know its outcome. With `--with-parent` the process ends when its standard input does.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { openSmtpSink, type SinkMessage } from './smtp-sink.ts'

export interface SmtpSinkProcess extends AsyncDisposable {
  port: number
  url: string
  pid: number
  /** The messages in the log so far. */
  messages(): Promise<SinkMessage[]>
  /** Resolves to the messages once there are `count`; fails after `withinMs`. */
  waitFor(count: number, withinMs?: number): Promise<SinkMessage[]>
  stop(): Promise<void>
}

const POLL_MS = 5

/** Starts the process and resolves when it listens. It has a process group of its own, so it survives the service's. */
export const startSmtpSinkProcess = async (options: {
  /** Without it messages are counted in the process and not to be seen from outside. */
  log?: string
  port?: number
  holdAt?: number
}): Promise<SmtpSinkProcess> => {
  const args = ['--port', String(options.port ?? 0), '--with-parent']
  if (options.log !== undefined) args.push('--log', options.log)
  if (options.holdAt !== undefined) args.push('--hold-at', String(options.holdAt))
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'smtp-sink-process.ts'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the sink ended with ${code} before it listened`)))
    createInterface(child.stdout).once('line', (line) => resolve(Number(JSON.parse(line).port)))
  })

  const messages = async () => (options.log === undefined ? [] : readSinkLog(options.log))
  const stop = async () => {
    child.kill('SIGKILL')
    await gone
  }
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    messages,
    waitFor: async (count, withinMs = 10_000) => {
      const until = performance.now() + withinMs
      for (;;) {
        const taken = await messages()
        if (taken.length >= count) return taken
        if (performance.now() > until) throw new Error(`${taken.length} of ${count} messages came in ${withinMs} ms`)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** The messages of a sink's log. A last line without its line end does not count: its message was never answered. */
export const readSinkLog = async (log: string): Promise<SinkMessage[]> =>
  (await readFile(log, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as SinkMessage)

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      log: { type: 'string' },
      'hold-at': { type: 'string' },
      'with-parent': { type: 'boolean', default: false },
    },
  })
  const holdAt = Number(values['hold-at'] ?? Number.NaN)
  let stored = 0
  const sink = await openSmtpSink({
    host: values.host,
    port: Number(values.port),
    keep: false,
    ...(values.log === undefined ? {} : { log: values.log }),
    ...(Number.isNaN(holdAt)
      ? {}
      : { fault: ({ stage }) => (stage === 'accepted' && ++stored === holdAt ? 'hang' : undefined) }),
  })
  process.stdout.write(`${JSON.stringify({ port: sink.port })}\n`)
  if (values['with-parent']) {
    process.stdin.resume()
    process.stdin.once('close', () => process.exit())
    process.stdin.once('end', () => process.exit())
  }
}

if (import.meta.main) await main()
