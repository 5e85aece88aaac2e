/** What operators see of the queue, and waking it. It only wakes: what is owed stands in the database, and is counted there. */
import type { Actor } from '../../core/operator.ts'
import { recordAct } from '../../store/audit.ts'
import type { Database } from '../../store/database.ts'
import { readFigures } from '../figures.ts'

/** How a queue stands, as `adapters/queue` tells it. */
export interface QueueReport {
  name: string
  waiting: number
  active: number
  delayed: number
  failed: number
  completed: number
  isPaused: boolean
  /** Milliseconds; `null` where nothing waits. */
  lagMs: number | null
  schedule: { everyMs: number; next: Date | null } | null
  lastFailed: { id: string; at: Date; attempts: number; reason: string }[]
}

/** What is owed and ready: how much, and for how many seconds the oldest has been ready; `null` where nothing is. */
export interface Backlog {
  letters: { pending: number; oldest: number | null }
  deliveries: { pending: number; oldest: number | null }
  /** Seconds since the last tick; `null` before the first. */
  sinceTick: number | null
}

/** The board of all jobs, as `adapters/queue` opens it. */
export interface JobBoard {
  page(basePath: string): string
  readFile(path: string): Promise<{ type: string; content: Buffer } | null>
  read(path: string, query: Readonly<Record<string, unknown>>): Promise<{ status: number; body: unknown } | null>
}

export interface QueuePorts {
  db: Database
  now: () => Date
  /** Rejects where the queue cannot be reached. */
  readStates: () => Promise<QueueReport[]>
  openBoard: () => Promise<JobBoard>
  wake: (queueName: QueueName) => Promise<void>
}

export const QUEUES = ['tick', 'refresh', 'letters', 'deliveries'] as const
export type QueueName = (typeof QUEUES)[number]

export interface QueueAdministration {
  /** `queues` is `null` where the queue cannot be reached; `error` says why. */
  read(): Promise<{ queues: QueueReport[] | null; error: string | null; backlog: Backlog }>
  wake(by: Actor, name: QueueName): Promise<void>
  /** Opened once, when it is first asked for. */
  board(): Promise<JobBoard>
}

export const createQueueAdministration = ({
  db,
  now,
  readStates,
  openBoard,
  wake,
}: QueuePorts): QueueAdministration => {
  let board: Promise<JobBoard> | null = null
  return {
    async read() {
      const { letters, deliveries, oldestLetter, oldestDelivery, sinceTick } = await readFigures(db, now())
      const pending = ({ queued, deferred, sending }: { queued: number; deferred: number; sending: number }) =>
        queued + deferred + sending
      const backlog: Backlog = {
        letters: { pending: pending(letters), oldest: oldestLetter },
        deliveries: { pending: pending(deliveries), oldest: oldestDelivery },
        sinceTick,
      }
      try {
        return { queues: await readStates(), error: null, backlog }
      } catch (error) {
        return { queues: null, error: (error as Error).message, backlog }
      }
    },
    async wake(by, name) {
      await recordAct(db, { ...by, action: 'queue.woken', subject: `queue:${name}` }, now())
      await wake(name)
    },
    board() {
      board ??= openBoard().catch((error) => {
        board = null
        throw error
      })
      return board
    },
  }
}
