/** The logo of an installation: which files can be one, how large it is shown, and where emails find it. */
import { createHash } from 'node:crypto'
import { readSvgSize } from './svg-logo.ts'

export interface Logo {
  name: 'logo.svg' | 'logo.png'
  type: 'image/svg+xml' | 'image/png'
  content: Buffer
  /** Pixels, or units of an SVG: only their ratio counts. */
  width: number
  height: number
}

const KILOBYTE = 1024
/** Every page loads it. */
const MAX_SVG = 64 * KILOBYTE
const MAX_PNG = 256 * KILOBYTE
/** Pixels of each side of a PNG: screens show two for one, and decoding takes memory. */
const LEAST_PIXELS = 32
const MOST_PIXELS = 2048
/** Width by height: a column or a thread would be unreadable at the height of a line. */
const NARROWEST = 0.5
const WIDEST = 8

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const END = Buffer.from('49454e44ae426082', 'hex')

/** The sides of a PNG (https://www.w3.org/TR/png-3/): its first chunk is IHDR, its last IEND. */
const pngSize = (content: Buffer): { width: number; height: number } | { problem: string } => {
  if (!content.subarray(0, 8).equals(SIGNATURE) || content.toString('latin1', 12, 16) !== 'IHDR')
    return { problem: 'is no PNG' }
  if (!content.subarray(-8).equals(END)) return { problem: 'breaks off before its end' }
  const [width, height] = [content.readUInt32BE(16), content.readUInt32BE(20)]
  if (Math.min(width, height) < LEAST_PIXELS || Math.max(width, height) > MOST_PIXELS)
    return { problem: `has ${width} × ${height} pixels; each side has ${LEAST_PIXELS} to ${MOST_PIXELS}` }
  return { width, height }
}

/** Reads a logo by its file name; `problem`: a clause that says what would be right. */
export const readLogo = (name: Logo['name'], content: Buffer): Logo | { problem: string } => {
  const isSvg = name === 'logo.svg'
  const most = isSvg ? MAX_SVG : MAX_PNG
  if (content.length > most)
    return { problem: `has ${Math.ceil(content.length / KILOBYTE)} KB; ${most / KILOBYTE} KB are the most` }
  const size = isSvg ? readSvgSize(content) : pngSize(content)
  if ('problem' in size) return size
  const ratio = size.width / size.height
  if (ratio < NARROWEST || ratio > WIDEST)
    return { problem: `is ${ratio.toFixed(1)} times as wide as high; ${NARROWEST} to ${WIDEST} times are shown well` }
  return { name, type: isSvg ? 'image/svg+xml' : 'image/png', content, ...size }
}

/** A logo this many times as wide as high is taken for one that holds the name, and shown without it. */
const WORDMARK = 3

export const holdsName = ({ width, height }: Logo): boolean => width / height >= WORDMARK

/** The box in pixels that a logo is shown in, at most so high and wide. */
export const logoBox = (
  { width, height }: Logo,
  most: { height: number; width: number },
): { width: number; height: number } => {
  const scale = Math.min(most.height / height, most.width / width)
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** Of a file whose address changes with it. */
export const versionOf = (content: string | Buffer): string =>
  createHash('sha256').update(content).digest('base64url').slice(0, 16)

/** Pixels that the logo takes at the head of an email. */
export const MAIL_LOGO = { height: 40, width: 240 }

/**
 * Where an email finds the logo, on the site. The address changes with the logo; an older one, in an email of last year, leads
 * to the logo of today.
 */
export const mailLogoPath = ({ content }: Logo): string => `/email-logo.png?v=${versionOf(content)}`
