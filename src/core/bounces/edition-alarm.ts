/**
 * When an edition must be paused: it has so many bounces or complaints that providers would soon refuse the rest of it and
 * all later mail. Amazon SES reviews senders from 5% bounces and 0.1% complaints on; we pause before that.
 */

/** Counts of the digests of one edition. */
export interface EditionFeedback {
  /** Digests that a server took, or refused finally. */
  handed: number
  hard: number
  complaints: number
}

/** Shares of `handed` from which on an edition is paused. */
export const MAX_SHARES = { hard: 0.03, complaints: 0.0008 }
/** Fewer than these are chance: of 30 readers one bounce is 3%. */
export const MIN_COUNTS = { hard: 10, complaints: 3 }

/** Why an edition must be paused, in words for the operator; `null` where it may go on. */
export const alarmReason = ({ handed, hard, complaints }: EditionFeedback): string | null => {
  const share = (count: number) => `${((100 * count) / handed).toFixed(2)}%`
  if (handed <= 0) return null
  if (hard >= MIN_COUNTS.hard && hard / handed >= MAX_SHARES.hard)
    return `${hard} of ${handed} digests (${share(hard)}) went to addresses that do not exist`
  if (complaints >= MIN_COUNTS.complaints && complaints / handed >= MAX_SHARES.complaints)
    return `${complaints} of ${handed} readers (${share(complaints)}) complained`
  return null
}
