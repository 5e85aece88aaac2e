/** Unsubscribe links of a former system, which go on working for the readers that were imported with them. */
import { isLegacyToken, legacyHashes } from '../../core/subscriber/legacy-token.ts'
import { deriveToken } from '../../core/token.ts'
import { readLegacyOwner } from '../../store/legacy-links.ts'
import type { LinkPorts } from './token-owner.ts'

/** The token of our own unsubscribe link of whoever had this one; `null` where it is unknown. */
export const findLegacyLink = async (
  { db, keys }: Pick<LinkPorts, 'db' | 'keys'>,
  token: string,
): Promise<string | null> => {
  if (!isLegacyToken(token)) return null
  const owner = await readLegacyOwner(db, legacyHashes(keys, token))
  return owner === null ? null : deriveToken(keys, 'unsubscribe', owner)
}
