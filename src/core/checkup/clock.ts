/** Whether our clock agrees with those of the database and the site. */
import { SECOND } from '../calendar.ts'
import { type Finding, fault, fine, warning } from './check.ts'

/** Another clock: milliseconds that it is ahead of ours (negative: behind), and how exact that is. */
export interface OtherClock {
  whose: string
  ahead: number
  within: number
}

const WARN_FROM = 5 * SECOND
const FAULT_FROM = 60 * SECOND

export const checkClocks = (clocks: OtherClock[]): Finding => {
  const found = clocks
    .map(({ whose, ahead, within }) =>
      Math.abs(ahead) <= within
        ? `${whose} agrees`
        : `${whose} is ${Math.abs(ahead) / SECOND} s ${ahead > 0 ? 'ahead of' : 'behind'} ours`,
    )
    .join('; ')
  const apart = Math.max(0, ...clocks.map(({ ahead, within }) => Math.abs(ahead) - within))
  const mend = 'set the clocks of both machines by a time server: timedatectl set-ntp true'
  if (apart > FAULT_FROM)
    return fault(found, 'digests leave at wrong times, and Date in mails is wrong, which spam filters mark', mend)
  return apart > WARN_FROM ? warning(found, 'the clocks drift apart', mend) : fine(found)
}
