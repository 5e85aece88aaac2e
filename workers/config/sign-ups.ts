/** The setting of sign-ups: how many are answered at once before they are held. */
import { type SignUpLimits, STANDARD_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import type { Settings } from './settings.ts'

export interface SignUpConfig {
  signUpLimits: SignUpLimits
}

const MOST = 1_000_000_000

export const readSignUps = ({ read }: Settings): SignUpConfig => ({
  signUpLimits: read('SIGN_UPS_PER_HOUR', STANDARD_LIMITS, readLimits),
})

/** `client=10,domain=20,all=300`, of which each may be left out. */
const readLimits = (text: string): SignUpLimits => {
  const limits = { ...STANDARD_LIMITS }
  for (const part of text.split(',')) {
    const [, name, count] = /^(client|domain|all)=(\d{1,10})$/.exec(part.trim()) ?? []
    if (name === undefined || Number(count) < 1 || Number(count) > MOST)
      throw new Error('write it as client=10,domain=20,all=300, of which each may be left out')
    limits[name as keyof SignUpLimits] = Number(count)
  }
  return limits
}
