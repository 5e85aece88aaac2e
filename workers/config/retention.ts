/** The settings of how long personal data is kept, in days. */
import { RETENTION_BOUNDS, type Retention, STANDARD_RETENTION } from '../../src/core/subscriber/retention.ts'
import type { SettingName, Settings } from './settings.ts'

export interface RetentionConfig {
  retention: Retention
}

const NAMES: Record<keyof Retention, SettingName> = {
  unconfirmed: 'KEEP_UNCONFIRMED',
  leavers: 'KEEP_LEAVERS',
  consent: 'KEEP_CONSENT',
  clients: 'KEEP_CONSENT_CLIENTS',
}

export const readRetention = ({ read, fault }: Settings): RetentionConfig => {
  const days = (of: keyof Retention) => read(NAMES[of], STANDARD_RETENTION[of], (text) => readDays(text, of))
  const retention = {
    unconfirmed: days('unconfirmed'),
    leavers: days('leavers'),
    consent: days('consent'),
    clients: days('clients'),
  }
  // The record of the erasure would be gone before the erasure.
  if (retention.consent < retention.leavers)
    fault(
      'KEEP_CONSENT',
      `is at least KEEP_LEAVERS, which is ${retention.leavers}: both count from when somebody leaves`,
    )
  return { retention }
}

const readDays = (text: string, of: keyof Retention): number => {
  const [least, most] = RETENTION_BOUNDS[of]
  const days = Number(text)
  if (!/^\d{1,5}$/.test(text) || days < least || days > most)
    throw new Error(`is a number of days from ${least} to ${most}`)
  return days
}
