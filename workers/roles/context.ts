/** What every role of a process works with, opened once. */
import type { Queue } from '../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../src/adapters/queue/queue-names.ts'
import type { Log } from '../../src/core/log.ts'
import type { Keys } from '../../src/core/token.ts'
import type { AppOptions } from '../../src/http/app.ts'
import type { Database } from '../../src/store/database.ts'
import type { Config } from '../config/config.ts'

/** What the service stands on: found by `main`, or made by a test. */
export interface ServiceRuntime {
  databaseUrl: string
  keys: Keys
  smtpUrl: string
  /** The page of the embedded mailbox; `null` when mail leaves this machine. */
  mailboxUrl: string | null
  now: () => Date
  log: Log
  /** True when this process alone works on the database, so that leases of its predecessor are nobody's. */
  alone: boolean
}

export interface RoleContext {
  config: Config
  runtime: ServiceRuntime
  db: Database
  queue: Queue
  /** Never fails, and waits a moment at most: what a bell would have said is found by the sweep. */
  wake: (queueName: QueueName) => Promise<void>
  /** What operators look at, whatever the roles. */
  looks: Pick<AppOptions, 'ready' | 'editions' | 'metrics'>
}
