/**
 * Envelope senders that tell which mail bounced: one for each mail, derived from a key and not stored.
 *
 * `b-` and 40 characters of base32 for the mail's 16-byte id and 9 bytes of HMAC-SHA-256: 42 characters, where a local part
 * may have 64 (RFC 5321 4.5.3.1.1). Only lower-case letters and digits, since servers in between may change the case.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase32, encodeBase32 } from '../base32.ts'
import type { Keys } from '../token.ts'

const MAIL_STREAMS = ['deliveries', 'letters', 'announcement_mails'] as const

/** A mail, and the table of the outbox that has it. */
export interface MailReference {
  stream: (typeof MAIL_STREAMS)[number]
  /** A UUID. */
  id: string
}

const FORM = /^b-([a-z2-7]{40})$/
const ID_BYTES = 16
const MAC_BYTES = 9

const sign = (key: Buffer, stream: MailReference['stream'], id: Buffer): Buffer =>
  createHmac('sha256', key).update('bounce\0').update(stream).update('\0').update(id).digest().subarray(0, MAC_BYTES)

/** The envelope sender of one mail. Throws where its id is no UUID. */
export const deriveReturnPath = (keys: Keys, mail: MailReference, domain: string): string => {
  const id = Buffer.from(mail.id.replaceAll('-', ''), 'hex')
  if (id.length !== ID_BYTES) throw new Error('a mail’s id is a UUID')
  return `b-${encodeBase32(Buffer.concat([id, sign(keys[0], mail.stream, id)]))}@${domain}`
}

/** The mail that an envelope sender names, in any letter case; `null` where none of the keys has signed it. */
export const readReturnPath = (keys: Keys, address: string, domain: string): MailReference | null => {
  const at = address.lastIndexOf('@')
  if (address.slice(at + 1).toLowerCase() !== domain.toLowerCase()) return null
  const found = FORM.exec(address.slice(0, at).toLowerCase())?.[1]
  const bytes = found === undefined ? null : decodeBase32(found)
  if (bytes === null) return null
  const id = bytes.subarray(0, ID_BYTES)
  const given = bytes.subarray(ID_BYTES)
  for (const key of keys) {
    const stream = MAIL_STREAMS.find((one) => timingSafeEqual(given, sign(key, one, id)))
    if (stream === undefined) continue
    const hex = id.toString('hex')
    return {
      stream,
      id: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
    }
  }
  return null
}
