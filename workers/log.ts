/** The log of the processes: pino, JSON lines on stdout where machines read, short lines where a person looks on. */
import { pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Log } from '../src/core/log.ts'
import type { Config } from './config/config.ts'

/** Writes to stderr, so that what a command prints can be piped. */
export const createLog = (level: Config['logLevel']): Log => {
  const stream = process.stderr.isTTY
    ? PinoPretty({ destination: 2, sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss' })
    : // Lines that come while one is being written go out together; at an exit pino writes what is left.
      pino.destination({ dest: 2, sync: false })
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}
