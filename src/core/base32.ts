/**
 * Base32 (RFC 4648) in lower case without padding: letters and digits that survive servers which change the case of an
 * address, as base64url does not.
 */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]))

/** Eight characters for each five bytes; the bits that the last character has to spare are zeros. */
export const encodeBase32 = (bytes: Uint8Array): string => {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31]
    held &= 31
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]
}

/** The bytes of a text in any case; `null` for one that `encodeBase32` would have spelled differently. */
export const decodeBase32 = (text: string): Buffer | null => {
  const lower = text.toLowerCase()
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of lower) {
    const value = VALUES.get(letter)
    if (value === undefined) return null
    held = ((held & 127) << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 255)
  }
  const decoded = Buffer.from(bytes)
  return encodeBase32(decoded) === lower ? decoded : null
}
