/** Other processes of this machine: whether one still runs, since when, and in which folder. */
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A process that cannot be confused with a later one of the same number. */
export interface ProcessIdentity {
  pid: number
  /** Opaque; the same for as long as the process lives, another for any process that gets its number later. */
  began: string
}

/** The identity of a live process; `null` where there is none, or only a zombie. */
export const identify = async (pid: number): Promise<ProcessIdentity | null> => {
  const began = process.platform === 'linux' ? await beganOnLinux(pid) : await beganByPs(pid)
  return began === null ? null : { pid, began }
}

/** Whether that same process still runs. Where the system hides it from us, only its number decides. */
export const isRunning = async ({ pid, began }: ProcessIdentity): Promise<boolean> => {
  const found = await identify(pid)
  if (found !== null) return found.began === began
  return isHidden(pid)
}

/** Whether a process has this folder (an absolute path without links) as the one that it works in. */
export const worksIn = async (pid: number, folder: string): Promise<boolean> => {
  if (process.platform !== 'linux') return ((await ps('args=', pid)) ?? '').includes(folder)
  try {
    // By identity and not by name: the folder may have been moved since.
    const [there, here] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(folder)])
    return there.dev === here.dev && there.ino === here.ino
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return false
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    // The folder of a process with more rights is hidden; its command line is not.
    return ((await readProc(`/proc/${pid}/cmdline`)) ?? '').split('\0').includes(folder)
  }
}

/** Field 22 of `stat` counts from the boot, so that it says little without the boot's own id (proc(5)). */
const beganOnLinux = async (pid: number): Promise<string | null> => {
  const stat = await readProc(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The second field is the program's name in parentheses and may hold anything, spaces and parentheses too.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields[18]
  if (ticks === undefined || state === 'Z' || state === 'X') return null
  return `${((await readProc('/proc/sys/kernel/random/boot_id')) ?? '').trim()} ${ticks}`
}

const beganByPs = async (pid: number): Promise<string | null> => {
  const [, state, began] = /^(\S+)\s+(.+)$/.exec((await ps('stat=,lstart=', pid)) ?? '') ?? []
  return began === undefined || state?.startsWith('Z') ? null : began
}

const ps = async (format: string, pid: number): Promise<string | null> => {
  try {
    const { stdout } = await run('/bin/ps', ['-ww', '-o', format, '-p', String(pid)], {
      env: { LC_ALL: 'C', TZ: 'UTC' },
    })
    return stdout.trim() || null
  } catch (error) {
    // Status 1 is how `ps` says that there is no such process.
    if ((error as { code?: unknown }).code === 1) return null
    throw error
  }
}

const readProc = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // ESRCH: it ended between the opening and the reading.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return null
    throw error
  }
}

/** A process of another user may be hidden (`hidepid`); a signal that is refused still proves that it is there. */
const isHidden = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // It accepts our signal, so it is not hidden: it is a zombie or has just ended.
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
