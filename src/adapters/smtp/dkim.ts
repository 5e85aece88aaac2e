/**
 * DKIM signatures (RFC 6376): rsa-sha256, with headers canonicalised `relaxed` and the body `simple`.
 *
 * A body in quoted-printable has nothing that a server on the way would mend, so `simple` is as robust as `relaxed`
 * there, and it is hashed as it lies. Every header that a mail has is signed, so no list of names can fall behind; those
 * that may stand once are named once more than they stand, and a second one that is added breaks the signature
 * (RFC 6376 8.15). Nothing here reads a clock: the same mail gets the same signature again.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'

export interface DkimKey {
  /** `d=`, aligned with the sender's domain. */
  domain: string
  /** `s=`: the public key is at `selector._domainkey.domain`. */
  selector: string
  privateKey: KeyObject
}

export interface Signer {
  /** The signature's header field, its line end included, to stand before all others. */
  sign(parts: SignedParts): Promise<string>
}

export interface SignedParts {
  /** Of the headers in `canonical`, in lower case and in their order. */
  names: readonly string[]
  /** Headers as `readHead` writes them. */
  canonical: Buffer
  /** SHA-256 of the body, base64. */
  bodyHash: string
  /** What `t=` says: the mail's own date. */
  date: Date
}

/** RFC 8301 3.2: verifiers must know 1024 to 4096 bits, and those below count as no signature. */
const BITS = { least: 1024, most: 4096 }

/**
 * Reads an RSA key in PEM. Throws an `Error` whose message says what is wrong with it and repeats nothing of it. Ed25519
 * (RFC 8463) is no choice yet: the large mailbox providers do not verify it.
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
    // What the library says of it could hold a part of it, and helps nobody.
    return null
  }
}

/** Length of an RSA key; 2048 is what Gmail and others recommend. */
export const bitsOf = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0

/** RFC 5322 3.6: headers that a mail has once at most, those that ours lack included. */
const ONCE = ['from', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'mime-version', 'content-type']

/** The headers of a mail, each with its line end, canonicalised as `relaxed` (RFC 6376 3.4.2); and their names. */
export const readHead = (head: string): { names: string[]; canonical: string } => {
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

/** Longest line of base64, so that no line of the field is longer than 78 characters. */
const BASE64_LINE = /.{1,72}/g
const NAMES_LINE = 60

/**
 * Signs in the threads that Node keeps for such work: the loop that feeds the connections is not held up by it (an
 * RSA-2048 signature takes a quarter of a millisecond of a processor).
 */
export const createSigner = ({ domain, selector, privateKey }: DkimKey): Signer => ({
  sign: async ({ names, canonical, bodyHash, date }) => {
    const tags = [
      `v=1; a=rsa-sha256; c=relaxed/simple; d=${domain};`,
      `s=${selector}; t=${Math.floor(date.getTime() / 1000)};`,
      `bh=${bodyHash};`,
      ...foldNames([...names, ...ONCE]),
      'b=',
    ]
    const field = `dkim-signature:${tags.join(' ')}`
    const signature = await signApart(Buffer.concat([canonical, Buffer.from(field, 'latin1')]), privateKey)
    const lines = signature.toString('base64').match(BASE64_LINE) ?? []
    return `DKIM-Signature: ${tags.join('\r\n ')}${lines.join('\r\n ')}\r\n`
  },
})

const foldNames = (names: readonly string[]): string[] => {
  const lines = ['h=']
  names.forEach((name, n) => {
    const word = `${name}${n < names.length - 1 ? ':' : ';'}`
    const last = lines.at(-1) ?? ''
    if (last.length + word.length > NAMES_LINE) lines.push(word)
    else lines[lines.length - 1] = last + word
  })
  return lines
}

const signApart = (data: Buffer, key: KeyObject): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign('sha256', data, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
