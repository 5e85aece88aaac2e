/** What the roles of a process work with: given to the service at its start, and opened by it once for all of them. */
import type { Metrics } from '../../src/adapters/metrics.ts'
import type { Queue } from '../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../src/adapters/queue/queue-names.ts'
import type { Tracing } from '../../src/adapters/tracing/tracing.ts'
import type { Log } from '../../src/core/log.ts'
import type { AppOptions } from '../../src/http/app.ts'
import type { ErasurePorts } from '../../src/newsletter/subscription/personal-data.ts'
import type { Database } from '../../src/store/database.ts'
import type { Config } from '../config/config.ts'
import type { Runtime } from '../runtime.ts'

/** What the service is given: by `main`, or by a test. */
export interface ServiceContext extends Pick<Runtime, 'databaseUrl' | 'keys' | 'now' | 'alone'> {
  log: Log
  smtpUrl: string
  /** The page of the embedded mailbox; `null` when mail leaves this machine. */
  mailboxUrl: string | null
  requireSpace?: Runtime['requireSpace']
  /** Scheme and host of arXiv's API in place of arXiv's, for tests. */
  arxivUrl?: string
  /** The same of the interface of bioRxiv and medRxiv. */
  preprintUrl?: string
  /** Deletes mails to an address that are kept on this machine; left out where none are. */
  forgetMails?: ErasurePorts['forgetMails']
}

export interface RoleContext extends ServiceContext {
  config: Config
  db: Database
  queue: Queue
  /** Never rejects, and takes a moment at most: when the queue cannot be reached, the next sweep finds the work. */
  wake: (name: QueueName) => Promise<void>
  requireSpace: Runtime['requireSpace']
  /** What operators read of every process, whatever its roles. */
  operations: Pick<AppOptions, 'ready' | 'editions'> & { metrics: Metrics }
  /** `null` where nothing is traced. */
  tracing: Tracing | null
}
