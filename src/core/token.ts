/**
 * The tokens of emailed links: derived from a key, never stored, so that a copy of the database yields no usable link.
 *
 * A token is `base64url(16-byte public id ‖ first 16 bytes of HMAC-SHA-256(key, purpose ‖ id ‖ epoch))`, 43 characters,
 * which quoted-printable leaves as they are and which stays below Fastify's limit of 100 for a parameter.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/**
 * What a link is for. `account`, `address` and `undo` name a letter and work once, for a limited time; `preferences`,
 * `feed`, `saved` (the feed of a reading list), `vote` and `account` end when their subscriber's epoch is raised, and those
 * that stop mail never do. `curator` names a curator, and ends when theirs is raised or they are removed, and `group` a
 * group, whose maker can renew it.
 */
export const PURPOSES = [
  'confirm',
  'preferences',
  'unsubscribe',
  'view',
  'never',
  'account',
  'address',
  'undo',
  'feed',
  'vote',
  'curator',
  'announcements',
  'group',
  'saved',
] as const
export type Purpose = (typeof PURPOSES)[number]

/** The newest key first; older ones are accepted, so that links in delivered mail survive a rotation. */
export type Keys = readonly [Buffer, ...Buffer[]]

export const TOKEN_LENGTH = 43
export const TOKEN_BYTES = 32
const FORM = /^[A-Za-z0-9_-]{43}$/

const bytesOf = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')

/** Making a key object takes several times as long as using it, and every mail uses it three times. */
const keyObjects = new WeakMap<Buffer, KeyObject>()
const keyObjectOf = (key: Buffer): KeyObject => {
  const known = keyObjects.get(key)
  if (known !== undefined) return known
  const made = createSecretKey(key)
  keyObjects.set(key, made)
  return made
}

const sign = (key: Buffer, purpose: Purpose, id: Buffer, epoch: number): Buffer =>
  createHmac('sha256', keyObjectOf(key))
    .update(purpose)
    .update('\0')
    .update(id)
    .update(String(epoch))
    .digest()
    .subarray(0, 16)

/** The token of a public id for one purpose; throws when `id` is no UUID. A higher epoch invalidates all tokens of lower ones. */
export const deriveToken = (keys: Keys, purpose: Purpose, id: string, epoch = 0): string => {
  const bytes = bytesOf(id)
  if (bytes.length !== 16) throw new Error('a public id is a UUID')
  return Buffer.concat([bytes, sign(keys[0], purpose, bytes, epoch)]).toString('base64url')
}

/** The public id in a token, which proves nothing yet; `null` for a text that cannot be a token. */
export const readTokenId = (token: string): string | null => {
  if (!FORM.test(token)) return null
  const bytes = Buffer.from(token, 'base64url')
  // The 43rd character has four unused bits: only the spelling with zeros counts.
  if (bytes.length !== 32 || bytes.toString('base64url') !== token) return null
  const hex = bytes.subarray(0, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Whether we made a token for this purpose and epoch, with any of the keys. Compares in constant time. */
export const provesToken = (keys: Keys, purpose: Purpose, token: string, epoch = 0): boolean => {
  const id = readTokenId(token)
  if (id === null) return false
  const given = Buffer.from(token, 'base64url').subarray(16)
  return keys.some((key) => timingSafeEqual(given, sign(key, purpose, bytesOf(id), epoch)))
}

/** A keyed hash of a text (32 octets), for counting by an address without storing it in readable form. */
export const keyedHash = (keys: Keys, text: string): Buffer =>
  createHmac('sha256', keyObjectOf(keys[0])).update(text).digest()

/** Characters of a token in base32, as it stands in an address. */
const ADDRESS_TOKEN_LENGTH = 52

/**
 * Placeholders of a token's length and alphabet: a mail is rendered once with them, and each subscriber's message has the
 * real tokens in their place.
 */
export const TOKEN_PLACEHOLDERS = {
  confirm: 'CONFIRM_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  preferences: 'PREFERENCES_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  unsubscribe: 'UNSUBSCRIBE_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  view: 'VIEW_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  never: 'NEVER_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  account: 'ACCOUNT_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  address: 'ADDRESS_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  undo: 'UNDO_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  vote: 'VOTE_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  curator: 'CURATOR_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  announcements: 'ANNOUNCEMENTS_TOKEN'.padEnd(TOKEN_LENGTH, '_'),
  unsubscribeAddress: 'UNSUBSCRIBE_ADDRESS'.padEnd(ADDRESS_TOKEN_LENGTH, '_'),
} as const satisfies Partial<Record<Purpose | 'unsubscribeAddress', string>>
