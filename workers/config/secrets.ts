/** The settings that nobody else may know: the keys of the links, and the operator's token. None is ever repeated. */
import type { Keys } from '../../src/core/token.ts'
import type { Settings } from './settings.ts'

export interface SecretConfig {
  /** The newest first; `null`: the key that is kept in the data folder. */
  secretKeys: Keys | null
  /** The bearer token that opens the operator's pages; `null`: there are no such pages. */
  adminToken: string | null
}

export const readSecrets = (settings: Settings): SecretConfig => ({
  secretKeys: readKeys(settings),
  adminToken: settings.read('ADMIN_TOKEN', null, readAdminToken),
})

const HEX_KEY = /^[0-9a-f]{64,}$/i

const readKeys = ({ get, fault }: Settings): Keys | null => {
  const key = get('SECRET_KEY')
  const previous =
    get('SECRET_KEY_PREVIOUS')
      ?.split(',')
      .map((part) => part.trim()) ?? []
  if (key !== null && !HEX_KEY.test(key))
    fault('SECRET_KEY', 'is not 64 hex digits; make one with: openssl rand -hex 32')
  if (previous.length > 0 && key === null) fault('SECRET_KEY_PREVIOUS', 'needs SECRET_KEY, the newest of the keys')
  if (previous.some((part) => !HEX_KEY.test(part)))
    fault('SECRET_KEY_PREVIOUS', 'is not a comma list of former keys, each of 64 hex digits')
  if (key === null) return null
  const [newest, ...older] = [key, ...previous]
    .filter((part) => HEX_KEY.test(part))
    .map((part) => Buffer.from(part, 'hex'))
  return newest === undefined ? null : [newest, ...older]
}

/** A shorter token could be guessed. */
const readAdminToken = (text: string): string => {
  if (!/^[\x21-\x7e]{32,}$/.test(text))
    throw new Error('is not 32 characters or more without spaces; make one with: openssl rand -hex 32')
  return text
}
