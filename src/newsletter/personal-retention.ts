/**
 * Retention of personal data: erases those who left, and deletes client addresses and records of consent whose time is over.
 *
 * Who left is noted by the first maintenance that sees it, so that no way of leaving can forget to: all times here are a day
 * longer at most. The keyed hash of an erased address stays, since an address that must not be mailed cannot be known
 * otherwise; so do suppressions, which say why an address is not mailed.
 */
import { DAY } from '../core/calendar.ts'
import { type Retention, STANDARD_RETENTION } from '../core/subscriber/retention.ts'
import {
  deleteClients,
  deleteConsent,
  deleteUnconfirmedConsent,
  noteLeavers,
  readLeavers,
} from '../store/personal-retention.ts'
import type { DeleteOptions } from '../store/retention.ts'
import { type ErasurePorts, erase } from './subscription/personal-data.ts'

/** Rows that one statement deletes, and readers who are erased before it is looked again who has left. */
const BATCH = 1_000

export interface RetentionOptions {
  retention?: Retention
  /** Counts what would be done and does nothing. */
  dryRun?: boolean
  /** Ends after the statement that is under way. */
  signal?: AbortSignal
}

export interface RetainedData {
  /** Who left and is erased. */
  leavers: number
  /** Addresses of clients. */
  clients: number
  /** Records of consent. */
  consent: number
}

const BY_RETENTION = { source: 'retention', form: null, client: null }

/** Does what is due; a second time it finds nothing to do. */
export const deletePersonalData = async (
  ports: ErasurePorts,
  { retention = STANDARD_RETENTION, dryRun = false, signal }: RetentionOptions,
): Promise<RetainedData> => {
  const { db } = ports
  const now = ports.now()
  const ago = (days: number): Date => new Date(now.getTime() - days * DAY)
  const options: DeleteOptions = { limit: BATCH, dryRun }
  const inBatches = async (work: () => Promise<number>): Promise<number> => {
    let done = 0
    while (signal?.aborted !== true) {
      const count = await work()
      done += count
      if (dryRun || count < BATCH) break
    }
    return done
  }
  if (!dryRun) await inBatches(() => noteLeavers(db, now, BATCH))
  const leavers = await inBatches(async () => {
    const ids = await readLeavers(db, ago(retention.leavers), dryRun ? null : BATCH)
    if (!dryRun)
      for (const id of ids) {
        if (signal?.aborted) break
        await erase(ports, { id }, BY_RETENTION)
      }
    return ids.length
  })
  return {
    leavers,
    clients: await inBatches(() => deleteClients(db, ago(retention.clients), options)),
    consent:
      (await inBatches(() => deleteUnconfirmedConsent(db, ago(retention.unconfirmed), options))) +
      (await inBatches(() => deleteConsent(db, ago(retention.consent), options))),
  }
}
