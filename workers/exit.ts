/** How the programs end when something is wrong: one line for each fault on stderr, and an exit code that means something. */
import { CommanderError } from 'commander'
import { UnusableDataFolder } from '../src/adapters/postgres/data-folder.ts'
import { UnusableQueue } from '../src/adapters/queue/backend.ts'
import { UnreadablePapers } from '../src/core/papers/paper-file.ts'
import { SourceError } from '../src/core/papers/source-error.ts'
import { UnusableModel } from '../src/core/relevance/model.ts'
import { UnusableEdition } from '../src/newsletter/edition-control.ts'
import { MissingMonth } from '../src/store/months.ts'
import { OutdatedCode, UnusableDatabase } from '../src/store/schema.ts'
import { UnusableClock } from './clock.ts'
import { UnusableSettings } from './config/settings.ts'

/** What was asked for cannot be done as it was asked; the message says what would be right. */
export class UsageError extends Error {}

const FAULTS_OF_USE = [
  UsageError,
  UnusableSettings,
  UnusableDataFolder,
  UnusableDatabase,
  MissingMonth,
  UnusableQueue,
  UnusableClock,
  UnreadablePapers,
  UnusableModel,
  UnusableEdition,
]
const PORT_IN_USE = 'EADDRINUSE'

const linesOf = (error: unknown): { lines: readonly string[]; code: number } => {
  if (error instanceof UnusableSettings) return { lines: error.faults, code: 2 }
  // Of its own, so that whatever starts processes can tell it from settings: no start of this version will do.
  if (error instanceof OutdatedCode) return { lines: [error.message], code: 3 }
  if (FAULTS_OF_USE.some((kind) => error instanceof kind)) return { lines: [(error as Error).message], code: 2 }
  // Nobody's fault here: where a source is silent there is nothing to look up in our code.
  if (error instanceof SourceError) return { lines: [error.message], code: 1 }
  // What the mailbox says of its port has the system's own word as its cause.
  const { code, port } = ((error as Error).cause ?? error) as { code?: string; port?: number }
  if (code === PORT_IN_USE)
    return {
      lines: [`port ${port} is in use; stop what uses it, or set PORT, MAILBOX_PORT or HEALTH_PORT to another`],
      code: 2,
    }
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') return { lines: [(error as Error).message], code: 2 }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === '28P01' || code === '3D000')
    return { lines: [`the database cannot be reached: ${(error as Error).message || code}`], code: 2 }
  return { lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)], code: 1 }
}

/** Says what was wrong and sets the exit code: 2 where the user can mend it, 3 where a newer version
 * is needed for the database, 1 where we must mend it. */
export const endWith = (error: unknown, json = false): void => {
  if (error instanceof CommanderError) {
    // Commander has said it already; help asked for is no error.
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  const { lines, code } = linesOf(error)
  if (json) console.error(JSON.stringify({ errors: lines }))
  else for (const line of lines) console.error(`paper-round: ${line}`)
  process.exitCode = code
}
