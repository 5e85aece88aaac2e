/** An address under a keyed hash: whether it is the same can be told, but not which it is. */
import { type Keys, keyedHash } from '../token.ts'

/** The hash of an address in any letter case, 32 octets, under the newest key. */
export const addressHash = (keys: Keys, email: string): Buffer => keyedHash(keys, `address\0${email.toLowerCase()}`)

/** Its hashes under the newest key and all former ones, to look for it. */
export const addressHashes = (keys: Keys, email: string): Buffer[] => keys.map((key) => addressHash([key], email))
