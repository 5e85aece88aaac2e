/** Whether our clock agrees with others. */
import { SECOND } from '../calendar.ts'
import { type Finding, fault, fine, warning } from './check.ts'

/** Another clock: `ahead` in milliseconds of ours, as exact as `within`. */
export interface OtherClock {
  whose: string
  ahead: number
  within: number
}

const NOTABLE = 5 * SECOND
const TOO_MUCH = 60 * SECOND

export const judgeClocks = (clocks: OtherClock[]): Finding => {
  const found = clocks
    .map(({ whose, ahead, within }) =>
      Math.abs(ahead) <= within
        ? `${whose} agrees`
        : `${whose} is ${Math.abs(ahead) / SECOND} s ${ahead > 0 ? 'ahead of' : 'behind'} ours`,
    )
    .join('; ')
  const apart = Math.max(0, ...clocks.map(({ ahead, within }) => Math.abs(ahead) - within))
  const mend = 'let both machines set their clocks by a time server: timedatectl set-ntp true'
  if (apart > TOO_MUCH)
    return fault(found, 'digests leave at wrong times, and Date in mails is wrong, which spam filters mark', mend)
  return apart > NOTABLE ? warning(found, 'the clocks drift apart', mend) : fine(found)
}
