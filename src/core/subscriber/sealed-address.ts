/**
 * An address in a form that only this service reads, for an hour: so that the page after a form can show what was typed, though
 * no cookie holds it and no URL says it.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { HOUR } from '../calendar.ts'
import { type Keys, keyedHash } from '../token.ts'

/** Milliseconds until a sealed address can no longer be read. */
export const SEALED_FOR = HOUR

const CIPHER = 'aes-256-gcm'
const NONCE_OCTETS = 12
const TAG_OCTETS = 16
const TIME_OCTETS = 8
/** Addresses are padded to a multiple of this, so that the length says little of them. */
const BLOCK = 32

const cipherKey = (key: Buffer): Buffer => keyedHash([key], 'sealed address')

/** Letters, digits, `-` and `_`, some 120 characters for an address of usual length. The same for the same moment. */
export const sealAddress = (keys: Keys, address: string, now: Date): string => {
  const time = Buffer.alloc(TIME_OCTETS)
  time.writeBigInt64BE(BigInt(now.getTime()))
  const text = Buffer.from(address)
  const plain = Buffer.concat([time, text, Buffer.alloc(BLOCK - (text.length % BLOCK))])
  // Made from what is sealed, so that two different texts never share a nonce.
  const nonce = keyedHash(keys, `nonce\0${plain.toString('latin1')}`).subarray(0, NONCE_OCTETS)
  const cipher = createCipheriv(CIPHER, cipherKey(keys[0]), nonce)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
}

/** The address; `null` where the text was not sealed with one of the keys, or too long ago. */
export const openSealedAddress = (keys: Keys, sealed: string, now: Date): string | null => {
  const octets = Buffer.from(sealed, 'base64url')
  if (octets.length < NONCE_OCTETS + TIME_OCTETS + TAG_OCTETS) return null
  const nonce = octets.subarray(0, NONCE_OCTETS)
  const tag = octets.subarray(-TAG_OCTETS)
  for (const key of keys) {
    const decipher = createDecipheriv(CIPHER, cipherKey(key), nonce, { authTagLength: TAG_OCTETS }).setAuthTag(tag)
    try {
      const plain = Buffer.concat([decipher.update(octets.subarray(NONCE_OCTETS, -TAG_OCTETS)), decipher.final()])
      const age = now.getTime() - Number(plain.readBigInt64BE())
      return age >= 0 && age <= SEALED_FOR ? plain.subarray(TIME_OCTETS).toString().replace(/\0+$/, '') : null
    } catch {
      // Another key's, or no one's: the tag does not fit.
    }
  }
  return null
}
