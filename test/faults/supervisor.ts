/**
 * The roles of the service as processes of their own, under what systemd or Docker would do: one that ends is started
 * again. A role that cannot start, because its database is away at that moment, ends with an exit code; that is its
 * contract, so it is counted and not held against the service. A role that was ready and then ended by itself is.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Program, startProgram } from '../support/processes/program.ts'

export const ROLES = ['api', 'scheduler-1', 'scheduler-2', 'mailer-1', 'mailer-2'] as const
export type RoleName = (typeof ROLES)[number]

/** `mailer` of `mailer-2`: what the program is told to be. */
export const roleOf = (name: RoleName): string => name.replace(/-\d$/, '')

interface Options {
  /** The folder that holds the code of the service, where it is not this one. */
  root?: string
  /** A module loaded before the program. */
  preload: string
  settingsOf: (name: RoleName) => Record<string, string>
  /** Hears what becomes of the processes, in a few words. */
  onEvent: (what: string) => void
  /** Hears of each start that failed and is repeated. */
  onFailedStart: (name: RoleName) => void
}

interface Process {
  name: RoleName
  program: Program
  /** We are the ones who end it. */
  expected: boolean
  /** Characters of its log that were read by `readLogs`. */
  read: number
}

const READY = 'is ready'
/** A busy machine may take so long to start a program, milliseconds; and a database may be away for a while. */
const START_WITHIN = 120_000
/** As systemd's RestartSec, and Docker's first wait. */
const RESTART_AFTER = 100
/** Lines of a role's log that are quoted where it ended by itself. */
const LAST_LINES = 12

/**
 * Runs the roles, and starts each again that ends, as systemd or Docker would. Long, for starting, killing, freezing and
 * reading act on one table of processes.
 */
export const openSupervisor = (options: Options) => {
  /** All that were ever started, the newest of a role last. */
  const processes: Process[] = []
  const unexpectedEnds: string[] = []
  let closing = false

  const newestOf = (name: RoleName): Process => {
    const found = processes.findLast((one) => one.name === name)
    if (found === undefined) throw new Error(`${name} was not started`)
    return found
  }

  const start = (name: RoleName): void => {
    const { root, preload } = options
    const program = startProgram('main', [roleOf(name)], options.settingsOf(name), {
      preload,
      ...(root === undefined ? {} : { root }),
    })
    const one: Process = { name, program, expected: false, read: 0 }
    processes.push(one)
    options.onEvent(`${name} started (pid ${program.pid})`)
    void restartAfterEnd(one)
  }

  const restartAfterEnd = async (one: Process): Promise<void> => {
    const { name, program } = one
    const { code, stderr } = await program.end()
    options.onEvent(`${name} ended (pid ${program.pid}, code ${code})`)
    if (closing || one.expected) return
    const wasReady = program.output().includes(READY)
    if (!wasReady && code !== 0 && code !== null) options.onFailedStart(name)
    else {
      const log = stderr.trim().split('\n').slice(-LAST_LINES).join(' / ')
      unexpectedEnds.push(`${name} ended by itself (${code}): ${log}`)
    }
    await delay(RESTART_AFTER)
    if (!closing && newestOf(name) === one) start(name)
  }

  return {
    start,
    /** Resolves when the newest process of the role is ready, however often it had to be started; fails after two minutes. */
    async whenReady(name: RoleName): Promise<void> {
      const until = performance.now() + START_WITHIN
      for (;;) {
        const one = newestOf(name)
        try {
          await one.program.said(READY, Math.max(1, until - performance.now()))
          return
        } catch (error) {
          if (performance.now() >= until) throw error
          await delay(RESTART_AFTER)
        }
      }
    },
    /** Ends a role as a power cut would, and starts it again. Resolves when the old process is gone. */
    async kill(name: RoleName): Promise<void> {
      const one = newestOf(name)
      one.expected = true
      await one.program.end('SIGKILL')
      if (newestOf(name) === one) start(name)
    },
    /** Stops the newest process of a role, or lets it go on; one that has ended is left alone. */
    signal: (name: RoleName, signal: 'SIGSTOP' | 'SIGCONT'): void => {
      newestOf(name).program.signal(signal)
    },
    /** The roles that ended by themselves since the last call, each with the end of its log. */
    takeUnexpectedEnds: (): string[] => unexpectedEnds.splice(0),
    /** What every process wrote to its log since the last call. */
    readLogs: (): { name: RoleName; text: string }[] =>
      processes.map((one) => {
        const text = one.program.stderr().slice(one.read)
        one.read += text.length
        return { name: one.name, text }
      }),
    /** Ends everything without waiting. */
    killAll(): void {
      closing = true
      for (const { program } of processes) program.kill()
    },
    async [Symbol.asyncDispose]() {
      closing = true
      await Promise.all(processes.map(({ program }) => program.end('SIGKILL')))
    },
  }
}

export type Supervisor = ReturnType<typeof openSupervisor>
