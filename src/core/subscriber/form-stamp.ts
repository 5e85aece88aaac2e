/**
 * When a form was shown, signed, in a field of it: what comes back faster than a person types came from a program. There is
 * no latest time, so a form that was left open for days still works.
 */
import { timingSafeEqual } from 'node:crypto'
import { type Keys, keyedHash } from '../token.ts'

/** Milliseconds from showing a form to its coming back, for somebody whose browser fills it in. */
export const FASTEST = 2_000

const FORM = /^([0-9a-z]{6,10})\.([A-Za-z0-9_-]{22})$/

const sign = (keys: Keys, key: Buffer, at: string): Buffer =>
  keyedHash([key, ...keys.slice(1)], `form\0${at}`).subarray(0, 16)

/** Letters, digits, a dot, `-` and `_`. */
export const stampForm = (keys: Keys, now: Date): string => {
  const at = now.getTime().toString(36)
  return `${at}.${sign(keys, keys[0], at).toString('base64url')}`
}

/** Whether a stamp is forged, or the form came back too soon. */
export const isHasty = (keys: Keys, stamp: string, now: Date): boolean => {
  const [, at = '', mac = ''] = FORM.exec(stamp) ?? []
  const given = Buffer.from(mac, 'base64url')
  const ours = given.length === 16 && keys.some((key) => timingSafeEqual(given, sign(keys, key, at)))
  return !ours || now.getTime() - Number.parseInt(at, 36) < FASTEST
}
