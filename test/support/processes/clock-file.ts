/** The file by which `moved-clock` moves the clocks of a program. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface ClockFile {
  path: string
  /** Milliseconds from the machine's clocks. */
  move(moved: { calendar: number; monotonic: number }): void
  close(): void
}

/** What a program is started with, so that it follows such a file, named by CLOCK_FILE. */
export const MOVED_CLOCK = fileURLToPath(new URL('moved-clock.ts', import.meta.url))

export const openClockFile = (path: string): ClockFile => {
  const file = openSync(path, 'w')
  const move = ({ calendar, monotonic }: { calendar: number; monotonic: number }) => {
    const both = Buffer.alloc(16)
    both.writeDoubleLE(calendar, 0)
    both.writeDoubleLE(monotonic, 8)
    writeSync(file, both, 0, 16, 0)
  }
  move({ calendar: 0, monotonic: 0 })
  return { path, move, close: () => closeSync(file) }
}
