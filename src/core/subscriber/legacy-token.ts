/** The end of a former system's unsubscribe link: what is taken for one, and the keyed hash under which it is stored. */
import { type Keys, keyedHash } from '../token.ts'

/** Shorter ones, and mere numbers, can be guessed by whoever tries. */
const LEGACY_TOKEN = /^(?=.*[^\d])[A-Za-z0-9._~=+@:-]{12,200}$/

export const isLegacyToken = (text: string): boolean => LEGACY_TOKEN.test(text)

/** The hashes of a token under the newest key and all former ones; 32 octets each. */
export const legacyHashes = (keys: Keys, token: string): [Buffer, ...Buffer[]] => {
  const [newest, ...former] = keys
  const hash = (key: Buffer): Buffer => keyedHash([key], `legacy\0${token}`)
  return [hash(newest), ...former.map(hash)]
}
