/** How the programs end when something is wrong: one line for each fault on stderr, and an exit code that means something. */
import { CommanderError } from 'commander'
import { UnusableDataFolder } from '../src/adapters/postgres/data-folder.ts'
import { UnusableQueue } from '../src/adapters/queue/backend.ts'
import { LittleSpace } from '../src/core/disk-space.ts'
import { UnreadablePapers } from '../src/core/papers/paper-file.ts'
import { SourceError } from '../src/core/papers/source-error.ts'
import { UnusableModel } from '../src/core/relevance/model-format.ts'
import { UnreadableList } from '../src/core/subscriber/list-columns.ts'
import { UnusableEdition } from '../src/newsletter/edition-control.ts'
import { UnusableHold } from '../src/newsletter/service-hold.ts'
import { ImportUnderWay } from '../src/newsletter/subscription/import.ts'
import { UnusableBackup } from '../src/store/backup/archive.ts'
import { MissingMonth } from '../src/store/months.ts'
import { OutdatedCode, UnusableDatabase } from '../src/store/schema.ts'
import { UnusableClock } from './clock.ts'
import { UnusableSettings } from './config/settings.ts'

/** A command cannot be carried out as it was written; the message says what would be right. */
export class UsageError extends Error {}

/** Errors that the user can correct, each with a message that says how. */
const USER_ERRORS = [
  UsageError,
  UnusableSettings,
  UnusableDataFolder,
  UnusableDatabase,
  MissingMonth,
  UnusableQueue,
  UnusableClock,
  UnreadablePapers,
  UnreadableList,
  ImportUnderWay,
  LittleSpace,
  UnusableModel,
  UnusableEdition,
  UnusableHold,
  UnusableBackup,
]
const PORT_IN_USE = 'EADDRINUSE'
/** SQLSTATE. */
const WRONG_PASSWORD = '28P01'

/** From Postgres's own message, which names the user. A shell would expand a `$` in double quotes, so there is none. */
const describeWrongPassword = (message: string): string => {
  const user = /"([^"]+)"/.exec(message)?.[1] ?? 'USER'
  return (
    `Postgres refuses the password of ${user}, and keeps the one that ${user} was made with; give it the one of your settings: ` +
    `psql -c "alter role ${user} password '…'", and with docker-compose.yml write before it: docker compose exec postgres`
  )
}

const linesOf = (error: unknown): { lines: readonly string[]; code: number } => {
  if (error instanceof UnusableSettings) return { lines: error.faults, code: 2 }
  // A code of its own, so that a supervisor can tell it from wrong settings: no further start of this version can succeed.
  if (error instanceof OutdatedCode) return { lines: [error.message], code: 3 }
  if (USER_ERRORS.some((kind) => error instanceof kind)) return { lines: [(error as Error).message], code: 2 }
  // No stack: when a source does not answer, the cause is not in our code.
  if (error instanceof SourceError) return { lines: [error.message], code: 1 }
  // The mailbox wraps the system's error about its port.
  const { code, port } = ((error as Error).cause ?? error) as { code?: string; port?: number }
  if (code === PORT_IN_USE)
    return {
      lines: [
        `port ${port} is in use; stop what uses it, or set PORT, MAILBOX_PORT, HEALTH_PORT or ADMIN_PORT to another`,
      ],
      code: 2,
    }
  // Of an output whose end matters, such as a backup.
  if (code === 'EPIPE') return { lines: ['whoever read the output ended before all of it was written'], code: 1 }
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') return { lines: [(error as Error).message], code: 2 }
  if (code === WRONG_PASSWORD) return { lines: [describeWrongPassword((error as Error).message)], code: 2 }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === '3D000')
    return { lines: [`the database cannot be reached: ${(error as Error).message || code}`], code: 2 }
  return { lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)], code: 1 }
}

/**
 * Lets a program go on in silence when nobody reads its output any more, as after `| head`: what it does is still done, and
 * what is open is closed. Without it the first line that is not read ends the process with a stack trace.
 */
export const ignoreClosedOutput = (): void => {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}

/**
 * Prints what was wrong and sets the exit code: 2 where the user can correct it, 3 where the database needs a newer
 * version, 1 where the fault is ours or a source's.
 */
export const endWith = (error: unknown, json = false): void => {
  if (error instanceof CommanderError) {
    // Commander has printed it already; a request for help is no error.
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  const { lines, code } = linesOf(error)
  if (json) console.error(JSON.stringify({ errors: lines }))
  else for (const line of lines) console.error(`paper-round: ${line}`)
  process.exitCode = code
}
