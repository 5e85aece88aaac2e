/** The programs of `workers/` as processes of their own, with the settings they are given and nothing else of ours. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { requireNamelessLog } from '../log-check.ts'

export interface Ended {
  /** `null` when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

export interface Program extends AsyncDisposable {
  pid: number
  stderr(): string
  /** Its output so far, on both streams. */
  output(): string
  /** Resolves to all of its output once this text is in it, on either stream; rejects with the output if it ends before. */
  said(text: string, withinMs?: number): Promise<string>
  /** Resolves when it has ended, by itself or by this signal. */
  end(signal?: NodeJS.Signals): Promise<Ended>
  /** Sends a signal and waits for nothing; one that has ended gets none. */
  signal(signal: NodeJS.Signals): void
  /** Kills it where it still runs, and waits for nothing. */
  kill(): void
}

const PATIENCE = 60_000
/** Of our own environment: where programs and temporary files are, and what a test run has compiled already. */
const OF_THE_RUN = Object.fromEntries(
  ['PATH', 'TMPDIR', 'NODE_COMPILE_CACHE', 'NODE_OPTIONS', 'COMPILED_MJML'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }),
)

/**
 * A program of `workers/`; killed at the end of the test at the latest. `input` is its standard input, and `root` the folder
 * that holds the code, where it is not this one; `preload` is a module loaded before it; `node` the Node that runs it; `folder` its
 * working directory, whose file of settings it reads; by default none is read.
 */
export const startProgram = (
  file: 'main' | 'admin' | 'eval' | 'train',
  words: string[],
  settings: Record<string, string> = {},
  {
    input = '',
    root = fileURLToPath(new URL('../../..', import.meta.url)),
    preload = null as string | null,
    node = process.execPath,
    folder = null as string | null,
  } = {},
): Program => {
  const script = join(root, file === 'eval' || file === 'train' ? 'test/evaluation' : 'workers', `${file}.ts`)
  const before = preload === null ? [] : ['--import', pathToFileURL(preload).href]
  const child = spawn(node, [...before, script, ...words], {
    env: { ...OF_THE_RUN, ...(folder === null ? { ENV_FILE: '' } : {}), ...settings },
    cwd: folder ?? process.cwd(),
    stdio: 'pipe',
  })
  child.stdin.on('error', () => undefined).end(input)
  let stdout = ''
  let stderr = ''
  /** Called whenever there is more output. */
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    notify()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    notify()
  })
  const closed = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  const end = (signal?: NodeJS.Signals) => {
    if (signal !== undefined) child.kill(signal)
    return closed
  }
  return {
    pid: child.pid as number,
    stderr: () => stderr,
    output: () => stdout + stderr,
    said: (text, withinMs = PATIENCE) =>
      new Promise((resolve, reject) => {
        const refuse = (why: string) =>
          reject(new Error(`${file} ${words.join(' ')} ${why} “${text}”:\n${stdout}${stderr}`))
        const stop = () => {
          clearTimeout(timer)
          listeners.delete(listener)
        }
        const listener = () => {
          if (!`${stdout}${stderr}`.includes(text)) return
          stop()
          resolve(stdout + stderr)
        }
        const timer = setTimeout(() => {
          stop()
          refuse('did not say')
        }, withinMs)
        listeners.add(listener)
        listener()
        void closed.then(() => {
          stop()
          refuse('ended before it said')
        })
      }),
    end,
    signal: (signal) => void child.kill(signal),
    kill: () => void child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      const { stderr: log } = await end('SIGKILL')
      if (file === 'main') requireNamelessLog(log.split('\n'))
    },
  }
}

/** Runs a program to its end. */
export const runProgram = (...args: Parameters<typeof startProgram>): Promise<Ended> => startProgram(...args).end()
