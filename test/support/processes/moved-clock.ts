/**
 * Loaded into a program before it starts (`--import`): its clocks are those of the machine, moved by what the file at
 * CLOCK_FILE says at this moment, so that time can pass for a program at once, even while it is stopped.
 *
 * The file holds two numbers of milliseconds (float64, little-endian): how far the calendar's clock (`Date`) is moved, and
 * how far the monotonic one (`performance.now`). Timers that run already are not moved.
 */
import { openSync, readSync } from 'node:fs'

const file = openSync(process.env.CLOCK_FILE ?? '', 'r')
const moved = Buffer.alloc(16)
const readMoved = (at: 0 | 8): number => {
  // A file and not a message: a program that goes on after a stop must not find the time it was stopped at.
  readSync(file, moved, 0, 16, 0)
  return moved.readDoubleLE(at)
}

const machine = { Date: globalThis.Date, monotonic: performance.now.bind(performance) }

globalThis.Date = class extends machine.Date {
  constructor(...given: [] | [number]) {
    if (given.length === 0) super(machine.Date.now() + readMoved(0))
    else super(...given)
  }
  static override now(): number {
    return machine.Date.now() + readMoved(0)
  }
} as DateConstructor
performance.now = () => machine.monotonic() + readMoved(8)
