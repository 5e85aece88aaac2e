/** The settings of caps: how many mails the relay is sent a second, an hour and a day, over all mailers. */
import type { Settings } from './settings.ts'

export interface CapConfig {
  /** `null`: no cap. */
  relayCaps: { perSecond: number | null; perHour: number | null; perDay: number | null }
}

const MOST = 1_000_000_000

export const readCaps = ({ read }: Settings): CapConfig => ({
  relayCaps: {
    perSecond: read('SMTP_PER_SECOND', null, readRate),
    perHour: read('SMTP_PER_HOUR', null, readCount),
    perDay: read('SMTP_PER_DAY', null, readCount),
  },
})

/** A number of mails a second, which may be less than one. */
export const readRate = (text: string): number => {
  const rate = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || rate < 0.001 || rate > 10_000)
    throw new Error('is a number of emails from 0.001 to 10000, such as 14 or 0.5')
  return rate
}

export const readCount = (text: string): number => {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > MOST) throw new Error('is a number of emails, such as 2000')
  return count
}
