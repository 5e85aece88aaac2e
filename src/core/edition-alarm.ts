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

const MOST_HARD = 0.03
const MOST_COMPLAINTS = 0.0008
/** Fewer are chance: of 30 readers one bounce is 3%. */
const FEWEST_HARD = 10
const FEWEST_COMPLAINTS = 3

/** Why the edition must stop, in words for the operator; `null` when it may go on. */
export const alarmOf = ({ handed, hard, complaints }: Returns): string | null => {
  const share = (count: number) => `${((100 * count) / handed).toFixed(2)}%`
  if (handed <= 0) return null
  if (hard >= FEWEST_HARD && hard / handed >= MOST_HARD)
    return `${hard} of ${handed} digests (${share(hard)}) went to addresses that do not exist`
  if (complaints >= FEWEST_COMPLAINTS && complaints / handed >= MOST_COMPLAINTS)
    return `${complaints} of ${handed} readers (${share(complaints)}) complained`
  return null
}
