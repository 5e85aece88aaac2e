/**
 * Common refusals: when a relay refuses many readers of many destinations in the same words, it is the relay's matter, and
 * what was taken for the readers' own before that was known is undone: they have not failed and are not suppressed.
 */
import type { Log } from '../../core/log.ts'
import { wordsOfReply } from '../../core/sending/refusal-words.ts'
import { type Database, MAIL_STREAMS } from '../../store/database.ts'
import { readCommonRefusals, readRefused, requeueRefused } from '../../store/outbox/common-refusals.ts'
import { REFUSED_LIKE_OTHERS } from '../../store/outbox/conditions.ts'
import { removeSuppression } from '../feedback/suppressions.ts'

const BY = { whom: 'service', why: 'the mail server refused everybody in the same words' }

/**
 * Undoes what a common refusal did before it was found out, for each relay that has one. May be done again and again: what
 * is undone is not found any more. `now` is the service's clock. Returns how many mails there were.
 */
export const undoCommonRefusals = async (
  { db, log }: { db: Database; log: Log },
  now: Date,
): Promise<{ mails: number; suppressions: number }> => {
  const undone = { mails: 0, suppressions: 0 }
  for (const { relay, reason } of await readCommonRefusals(db))
    for (const stream of MAIL_STREAMS) {
      const refused = await readRefused(db, stream, relay)
      const same = refused.filter(({ said, email }) => wordsOfReply(said, email) === wordsOfReply(reason, email))
      if (same.length === 0) continue
      // First the readers: a mail to somebody suppressed is skipped when it is claimed.
      for (const { email } of same.filter(({ suppressed }) => suppressed))
        if ((await removeSuppression(db, now, email, BY)) !== null) undone.suppressions++
      undone.mails += await requeueRefused(db, stream, same, REFUSED_LIKE_OTHERS + reason)
    }
  if (undone.mails > 0)
    log.warn(undone, 'mails failed before their refusal was found to be the mail server’s: that is undone')
  return undone
}
