/**
 * DKIM signatures (RFC 6376): rsa-sha256, with headers canonicalised `relaxed` and the body `simple`.
 *
 * A body in quoted-printable, or of lines that `message` found plain, has nothing that a relaying server would correct, so
 * `simple` is as robust as `relaxed` there, and the body is hashed as it is. Every header of a mail is signed, so no list of names can become outdated. Those
 * that a mail may have only once are named once more than it has them, so that adding a second one breaks the signature
 * (RFC 6376 8.15). Nothing here reads a clock: the same mail gets the same signature again.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'

/** The key that signs, and where its public half is published. */
export interface SigningKey {
  /** `d=`, aligned with the sender's domain. */
  domain: string
  /** `s=`: the public key is at `selector._domainkey.domain`. */
  selector: string
  privateKey: KeyObject
}

export interface Signer {
  /** The `DKIM-Signature` field with its line end, to stand before all other headers. */
  sign(parts: SignedParts): Promise<string>
}

export interface SignedParts {
  /** Names of the headers in `canonical`, in lower case and in their order. */
  names: readonly string[]
  /** The headers as `canonicalHead` returns them. */
  canonical: Buffer
  /** SHA-256 of the body, base64. */
  bodyHash: string
  /** `t=`: the mail's own date. */
  date: Date
}

/** RFC 8301 3.2: verifiers must support 1024 to 4096 bits, and treat shorter keys as no signature. */
const BITS = { least: 1024, most: 4096 }

/**
 * Reads an RSA private key in PEM. Throws an `Error` whose message says what is wrong with the key and repeats nothing of
 * it. Ed25519 (RFC 8463) is not supported yet, since the large mailbox providers do not verify it.
 */
export const readDkimKey = (pem: string): KeyObject => {
  if (/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) throw new Error('is the public key; the private one is wanted')
  if (/-----BEGIN ENCRYPTED|ENCRYPTED\r?\n/.test(pem)) throw new Error('is locked with a passphrase; it must be open')
  const key = parseKey(pem)
  if (key === null) throw new Error(`is no private key in PEM; ${ADVICE}`)
  if (key.asymmetricKeyType !== 'rsa') throw new Error(`is a key of the kind ${key.asymmetricKeyType}; ${ADVICE}`)
  const bits = bitsOf(key)
  if (bits < BITS.least || bits > BITS.most)
    throw new Error(`has ${bits} bits, and ${BITS.least} to ${BITS.most} are verified; ${ADVICE}`)
  return key
}

const ADVICE = 'make one with: openssl genrsa 2048'

const parseKey = (pem: string): KeyObject | null => {
  try {
    return createPrivateKey(pem)
  } catch {
    // The library's message could repeat a part of the key, and helps nobody.
    return null
  }
}

/** Length of an RSA key in bits; Gmail and others recommend 2048. */
export const bitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0

/** RFC 5322 3.6: headers that a mail may have once at most, those that ours do not have included. */
const ONCE = ['from', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'mime-version', 'content-type']

/** The headers of a mail canonicalised as `relaxed` (RFC 6376 3.4.2), each with its line end; and their names. */
export const canonicalHead = (head: string): { names: string[]; canonical: string } => {
  const fields = head
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .filter(Boolean)
  const lines = fields.map((field) => {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).trimEnd().toLowerCase()
    return {
      name,
      line: `${name}:${field
        .slice(colon + 1)
        .replace(/[ \t]+/g, ' ')
        .trim()}\r\n`,
    }
  })
  return { names: lines.map(({ name }) => name), canonical: lines.map(({ line }) => line).join('') }
}

/** Lines of the field stay below 78 characters. */
const BASE64_LINE = /.{1,72}/g
const MAX_NAMES_LINE = 60

/**
 * Returns a signer that works in Node's thread pool and does not hold up the event loop that feeds the connections (an
 * RSA-2048 signature takes a quarter of a millisecond of a processor).
 */
export const createSigner = ({ domain, selector, privateKey }: SigningKey): Signer => ({
  sign: async ({ names, canonical, bodyHash, date }) => {
    const tags = [
      `v=1; a=rsa-sha256; c=relaxed/simple; d=${domain};`,
      `s=${selector}; t=${Math.floor(date.getTime() / 1000)};`,
      `bh=${bodyHash};`,
      ...foldNames([...names, ...ONCE]),
      'b=',
    ]
    const field = `dkim-signature:${tags.join(' ')}`
    const signature = await signInThreadPool(Buffer.concat([canonical, Buffer.from(field, 'latin1')]), privateKey)
    const lines = signature.toString('base64').match(BASE64_LINE) ?? []
    return `DKIM-Signature: ${tags.join('\r\n ')}${lines.join('\r\n ')}\r\n`
  },
})

const foldNames = (names: readonly string[]): string[] => {
  const lines = ['h=']
  names.forEach((name, n) => {
    const word = `${name}${n < names.length - 1 ? ':' : ';'}`
    const last = lines.at(-1) ?? ''
    if (last.length + word.length > MAX_NAMES_LINE) lines.push(word)
    else lines[lines.length - 1] = last + word
  })
  return lines
}

const signInThreadPool = (data: Buffer, key: KeyObject): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign('sha256', data, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
