/**
 * An address in a form that only this service reads, for an hour: so that the page after a form can show what was typed, though
 * no cookie holds it and no URL says it. The page of another site that the form was on may go with it: nobody else can make a
 * page of ours link there.
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

/** What is sealed; either may be empty. */
export interface SealedAddress {
  email: string
  /** The URL of a page on another site to go back to. */
  returnTo: string
}

/** Stands in no address and in no URL. */
const SEPARATOR = '\n'

/** Letters, digits, `-` and `_`, some 120 characters for an address of usual length. The same for the same moment. */
export const sealAddress = (keys: Keys, { email, returnTo }: SealedAddress, now: Date): string => {
  const time = Buffer.alloc(TIME_OCTETS)
  time.writeBigInt64BE(BigInt(now.getTime()))
  const text = Buffer.from(returnTo === '' ? email : email + SEPARATOR + returnTo)
  const plain = Buffer.concat([time, text, Buffer.alloc(BLOCK - (text.length % BLOCK))])
  // Made from what is sealed, so that two different texts never share a nonce.
  const nonce = keyedHash(keys, `nonce\0${plain.toString('latin1')}`).subarray(0, NONCE_OCTETS)
  const cipher = createCipheriv(CIPHER, cipherKey(keys[0]), nonce)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
}

/** What was sealed; `null` where the text was not sealed with one of the keys, or too long ago. */
export const openSealedAddress = (keys: Keys, sealed: string, now: Date): SealedAddress | null => {
  const octets = Buffer.from(sealed, 'base64url')
  if (octets.length < NONCE_OCTETS + TIME_OCTETS + TAG_OCTETS) return null
  const nonce = octets.subarray(0, NONCE_OCTETS)
  const tag = octets.subarray(-TAG_OCTETS)
  for (const key of keys) {
    const decipher = createDecipheriv(CIPHER, cipherKey(key), nonce, { authTagLength: TAG_OCTETS }).setAuthTag(tag)
    try {
      const plain = Buffer.concat([decipher.update(octets.subarray(NONCE_OCTETS, -TAG_OCTETS)), decipher.final()])
      const age = now.getTime() - Number(plain.readBigInt64BE())
      if (age < 0 || age > SEALED_FOR) return null
      const [email = '', returnTo = ''] = plain.subarray(TIME_OCTETS).toString().replace(/\0+$/, '').split(SEPARATOR)
      return { email, returnTo }
    } catch {
      // Another key's, or no one's: the tag does not fit.
    }
  }
  return null
}
