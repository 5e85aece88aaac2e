/**
 * When an edition must not go on: so much of it comes back that providers would soon turn away the rest, and all that
 * follows. Amazon SES looks at senders from 5% bounces and 0.1% complaints on; we stop before.
 */
export interface Returns {
  /** Digests that a server took, or refused for good. */
  handed: number
  hard: number
  complaints: number
}

/** Shares of what was handed over. */
export const MOST_RETURNS = { hard: 0.03, complaints: 0.0008 }
/** Fewer are chance: of 30 readers one bounce is 3%. */
export const FEWEST_RETURNS = { hard: 10, complaints: 3 }

/** Why the edition must stop, in words for the operator; `null` when it may go on. */
export const alarmOf = ({ handed, hard, complaints }: Returns): string | null => {
  const share = (count: number) => `${((100 * count) / handed).toFixed(2)}%`
  if (handed <= 0) return null
  if (hard >= FEWEST_RETURNS.hard && hard / handed >= MOST_RETURNS.hard)
    return `${hard} of ${handed} digests (${share(hard)}) went to addresses that do not exist`
  if (complaints >= FEWEST_RETURNS.complaints && complaints / handed >= MOST_RETURNS.complaints)
    return `${complaints} of ${handed} readers (${share(complaints)}) complained`
  return null
}
