/** A receiver of signed mail: it verifies what arrived, and the name server that it asks knows one public key. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'

export interface AttemptResult {
  /** `pass` or, in one word, what is wrong. */
  result: string
  /** `d=` of the signature. */
  domain: string
}

/** Publishes a key under these names (`selector._domainkey.domain`); a message gets a verdict for each signature. */
export const createReceiver = (key: KeyObject, names: string[]): ((wire: Buffer) => Promise<AttemptResult[]>) => {
  const record = `v=DKIM1; k=rsa; p=${createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')}`
  const resolver = async (name: string, type: string) => {
    if (!names.includes(name) || type !== 'TXT') throw Object.assign(new Error(name), { code: 'ENOTFOUND' })
    return [[record]]
  }
  return async (wire) => {
    const { results } = await dkimVerify(wire, { resolver })
    return results.map(({ status, signingDomain }) => ({ result: status.result, domain: signingDomain ?? '' }))
  }
}
