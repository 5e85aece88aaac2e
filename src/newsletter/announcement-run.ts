/**
 * What the tick does for announcements: addresses those whose time has come, chunk by chunk, calls off what waits of those
 * that were canceled, and closes those that are finished. Killed at any point, the next tick goes on.
 */
import type { Log } from '../core/log.ts'
import { balanceAnnouncement, cancelMails, readAnnouncementsToBalance } from '../store/announcement-mails.ts'
import { addressNext, readAnnouncement, readCanceledAnnouncements, readUnaddressed } from '../store/announcements.ts'
import type { Database, MailQueue } from '../store/database.ts'
import { readHold } from '../store/service-hold.ts'

interface RunPorts {
  db: Database
  log: Log
  wake: (queueName: MailQueue) => Promise<void>
}

/** Subscribers, or mails, of one statement. */
const CHUNK = 5_000
/** Chunks of one tick, so that editions that fall due meanwhile wait for some seconds at most. */
const CHUNKS_A_TICK = 60

export const runAnnouncements = async (ports: RunPorts, now: Date): Promise<void> => {
  await finishCanceled(ports)
  await addressAnnouncements(ports, now)
  await closeAnnouncements(ports)
}

/**
 * Writes a mail for each reader of the announcements whose time has come by `now`; nothing while the service is held. Of
 * several schedulers one does it at a time.
 */
export const addressAnnouncements = async ({ db, log, wake }: RunPorts, now: Date): Promise<void> => {
  if ((await readHold(db)) !== null) return
  let chunks = 0
  for (const id of await readUnaddressed(db, now)) {
    let owed = 0
    for (let done = false; !done && chunks < CHUNKS_A_TICK; chunks++) {
      const chunk = await addressNext(db, id, CHUNK)
      if (chunk === null) break
      owed += chunk.owed
      done = chunk.done
      // Mailers begin with the first chunk, and share the rest.
      if (chunk.owed > 0) await wake('deliveries')
      if (done) log.info({ announcement: id, owed }, 'announcement addressed')
    }
  }
}

/** Calls off what waits of canceled announcements, also what a mailer puts back later. */
export const finishCanceled = async ({ db }: Pick<RunPorts, 'db'>): Promise<void> => {
  for (const id of await readCanceledAnnouncements(db)) while ((await cancelMails(db, id, CHUNK)) === CHUNK);
}

/** Draws the balance of announcements of which nothing is pending. */
const closeAnnouncements = async ({ db, log }: RunPorts): Promise<void> => {
  for (const id of await readAnnouncementsToBalance(db)) {
    const { due, missing, complete } = await db.transaction().execute(async (trx) => {
      await readAnnouncement(trx, id, true)
      return balanceAnnouncement(trx, id)
    })
    if (complete) log.info({ announcement: id, due }, 'announcement complete')
    else if (missing !== 0) log.error({ announcement: id, due, missing }, 'an announcement does not add up')
  }
}
