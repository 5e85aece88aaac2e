/** A TypeScript file run as a process of its own, that reads and writes lines; killed at the end of the test at the latest. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Child extends AsyncDisposable {
  pid: number
  /** The next line of its output; rejects with its stderr when it ends instead. */
  line(): Promise<string>
  write(text: string): void
  /** Sends a signal and waits until the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Closes its input, and waits for its end. */
  end(): Promise<void>
}

/** `script` is relative to this folder; `prefix` is a command that runs another, such as `setpriv`. */
export const startChild = (script: string, args: string[], prefix: string[] = []): Child => {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const [command = '', ...rest] = [...prefix, process.execPath, file, ...args]
  const child = spawn(command, rest, { stdio: 'pipe' })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const gone = once(child, 'exit')
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await gone
  }
  return {
    pid: child.pid as number,
    async line() {
      const next = await lines.next()
      if (next.done) throw new Error(`${script} ended: ${errors}`)
      return next.value
    },
    write: (text) => child.stdin.write(text),
    kill,
    async end() {
      child.stdin.end()
      await gone
    },
    [Symbol.asyncDispose]: () => kill('SIGKILL'),
  }
}
