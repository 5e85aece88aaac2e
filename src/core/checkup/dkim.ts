/** Checks that the key that a domain publishes for DKIM is the one that we sign with (RFC 6376 3.6.1). */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Finding, fault, fine, warning } from './check.ts'
import { type LookupResult, lookupFailed, recordsOf, txtRecord } from './lookup.ts'
import { readTagList } from './tag-list.ts'

export interface DkimPublicKey {
  domain: string
  selector: string
  /** The public half of the key that signs. */
  publicKey: KeyObject
}

/** Bits of an RSA key: RFC 8301 makes verifiers refuse fewer than 1,024, and signers use 2,048. */
const MIN_BITS = 1024
const GOOD_BITS = 2048

/** The name at which a key is published: `selector._domainkey.domain`. */
export const dkimNameOf = ({ domain, selector }: Pick<DkimPublicKey, 'domain' | 'selector'>): string =>
  `${selector}._domainkey.${domain}`

/** The TXT record that publishes a key, as it stands in a zone. */
export const dkimRecordOf = (key: DkimPublicKey): string => {
  const der = key.publicKey.export({ type: 'spki', format: 'der' })
  // Ed25519 is published bare, the 32 octets at the end of its SPKI (RFC 8463 4.2).
  const bare = key.publicKey.asymmetricKeyType === 'ed25519' ? der.subarray(-32) : der
  const kind = key.publicKey.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'rsa'
  return txtRecord(dkimNameOf(key), `v=DKIM1; k=${kind}; p=${bare.toString('base64')}`)
}

/** The key in a record's `p`; `null` where that is none. */
const readPublished = (kind: string, base64: string): KeyObject | null => {
  const bytes = Buffer.from(base64, 'base64')
  const spki = kind === 'ed25519' ? Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes]) : bytes
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      return createPublicKey({ key: spki, format: 'der', type })
    } catch {
      // RFC 6376 asks for SPKI; some publish PKCS #1, which verifiers accept. Neither: no key.
    }
  }
  return null
}

export const checkDkim = (key: DkimPublicKey, result: LookupResult<string[]>): Finding => {
  const name = dkimNameOf(key)
  if (result.kind === 'failed') return lookupFailed(name, result.reason)
  const mend = dkimRecordOf(key)
  const records = recordsOf(result).map((strings) => strings.join(''))
  const [record] = records
  if (record === undefined) return fault(`no key at ${name}`, 'no signature of ours can be verified', mend)
  if (records.length > 1)
    return fault(`${records.length} records at ${name}`, 'verifiers use none of several keys (RFC 6376 3.6.2.2)', mend)
  const tags = readTagList(record)
  const published = tags?.get('p')?.replace(/\s+/g, '')
  if (tags === null || published === undefined || (tags.get('v') ?? 'DKIM1') !== 'DKIM1')
    return fault(`a record at ${name} that is no key`, 'no signature of ours can be verified', mend)
  if (published === '') return fault(`a revoked key at ${name} (p is empty)`, 'every signature of ours fails', mend)
  const kind = tags.get('k') ?? 'rsa'
  const found = readPublished(kind, published)
  if (found === null) return fault(`a damaged key at ${name}`, 'no signature of ours can be verified', mend)
  if (!found.equals(key.publicKey))
    return fault(
      `a key at ${name} that is not the public half of DKIM_PRIVATE_KEY`,
      'every signature of ours fails',
      `${mend} (or set the private key that belongs to the published one)`,
    )
  return checkKeyUse(key, tags, kind, mend)
}

const checkKeyUse = (key: DkimPublicKey, tags: Map<string, string>, kind: string, mend: string): Finding => {
  const listed = (tag: string, wanted: string[]): boolean => {
    const values = tags
      .get(tag)
      ?.split(':')
      .map((value) => value.trim().toLowerCase())
    return values === undefined || values.some((value) => wanted.includes(value))
  }
  const name = dkimNameOf(key)
  if (!listed('h', ['sha256']) || !listed('s', ['*', 'email']))
    return fault(`our key at ${name}, not for mail signed with SHA-256 (h or s)`, 'every signature of ours fails', mend)
  const bits = key.publicKey.asymmetricKeyDetails?.modulusLength
  const found = `our key at ${name}, ${kind}${bits === undefined ? '' : ` of ${bits} bits`}`
  const renew = `openssl genrsa -out dkim.pem ${GOOD_BITS}; set DKIM_PRIVATE_KEY to its path and a new DKIM_SELECTOR, and look again`
  if (bits !== undefined && bits < MIN_BITS) return fault(found, `verifiers ignore keys below ${MIN_BITS} bits`, renew)
  if (
    tags
      .get('t')
      ?.split(':')
      .some((flag) => flag.trim() === 'y')
  )
    return warning(
      `${found}, with t=y`,
      't=y says that the domain is testing DKIM: receivers may ignore the signature',
      mend,
    )
  if (bits !== undefined && bits < GOOD_BITS)
    return warning(found, `mailbox providers recommend ${GOOD_BITS} bits`, renew)
  if (bits === undefined)
    return warning(found, 'many receivers cannot verify anything but RSA (RFC 8463 is young)', renew)
  return fine(found)
}
