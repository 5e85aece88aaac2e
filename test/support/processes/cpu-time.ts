/** Processor time that processes have taken, read from Linux' `/proc`; there is none to read elsewhere. */
import { readdir, readFile } from 'node:fs/promises'
import { cpus } from 'node:os'

/** Milliseconds of a tick, in which the kernel reports processor time whatever its own timer (USER_HZ). */
const TICK = 10

interface ProcessTimes {
  parent: number
  /** Milliseconds that it took by itself. */
  own: number
  /** Milliseconds of its children that have ended and that it has waited for. */
  ended: number
}

/** Reads `/proc/PID/stat` (proc(5)); `null` where the process is gone, or there is no `/proc`. */
const readTimes = async (pid: number | string): Promise<ProcessTimes | null> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  // The name, in brackets, may contain anything; what follows it begins with the third field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = (...numbers: number[]) => numbers.reduce((sum, n) => sum + Number(fields[n - 3]), 0) * TICK
  return { parent: Number(fields[1]), own: ticks(14, 15), ended: ticks(16, 17) }
}

/** Milliseconds that a process and its children took so far, those included that have ended. */
export const readCpuTime = async (pid: number): Promise<number> => {
  for (;;) {
    const times = await readTimes(pid)
    if (times === null) return 0
    const others = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const children = (await Promise.all(others.map(readTimes))).filter((one) => one?.parent === pid)
    // A child that ends meanwhile would be counted twice, or not at all.
    if ((await readTimes(pid))?.ended !== times.ended) continue
    return children.reduce((sum, child) => sum + (child?.own ?? 0) + (child?.ended ?? 0), times.own + times.ended)
  }
}

/** Milliseconds that children of this process took which have ended. */
export const readEndedChildrenTime = async (): Promise<number> => (await readTimes('self'))?.ended ?? 0

/** Milliseconds so far that the machine's cores, all together, were busy and idle. */
export const readMachineTime = (): { busy: number; idle: number } => {
  const idle = cpus().reduce((sum, { times }) => sum + times.idle, 0)
  const all = cpus().reduce((sum, { times }) => sum + Object.values(times).reduce((a, b) => a + b, 0), 0)
  return { busy: all - idle, idle }
}

/** Processor time by process, in milliseconds of a core for each message; `null` where it cannot be read. */
export interface CoreMs {
  /** Our mailers, or `smtp-source`. */
  sender: number | null
  postgres: number | null
  sink: number | null
  /** Whatever else ran on the machine, the kernel's own work for none of them included. */
  others: number | null
  idle: number | null
}

export const CORE_MS = ['sender', 'postgres', 'sink', 'others', 'idle'] as const

/** Runs `work`, which sends `count` messages and resolves to the processor time that its senders took, and shares time out. */
export const shareOut = async <T extends { senderMs: number }>(
  count: number,
  pids: { postgres: number; sink: number },
  work: () => Promise<T>,
): Promise<T & { coreMs: CoreMs }> => {
  const read = async () => ({
    machine: readMachineTime(),
    postgres: await readCpuTime(pids.postgres),
    sink: await readCpuTime(pids.sink),
  })
  const before = await read()
  const done = await work()
  const after = await read()
  const [postgres, sink] = [after.postgres - before.postgres, after.sink - before.sink]
  const busy = after.machine.busy - before.machine.busy
  const each = (ms: number | null) => (ms === null || process.platform !== 'linux' ? null : ms / count)
  return {
    ...done,
    coreMs: {
      sender: each(done.senderMs),
      postgres: each(postgres),
      sink: each(sink),
      others: each(Math.max(0, busy - done.senderMs - postgres - sink)),
      idle: each(after.machine.idle - before.machine.idle),
    },
  }
}
