/** The log of the processes: JSON lines, or short lines on a terminal. */
import { pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Log } from '../src/core/log.ts'
import type { Config } from './config/config.ts'

/** Whether the log is JSON, as everywhere but on a terminal. */
export const logsJson = (): boolean => !process.stderr.isTTY

/** Writes to stderr, so that the output of a command can be piped. */
export const createLog = (level: Config['logLevel']): Log => {
  const stream = logsJson()
    ? // Lines that come while one is written go out together; pino writes the rest when the process exits.
      pino.destination({ dest: 2, sync: false })
    : PinoPretty({ destination: 2, sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss' })
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}
