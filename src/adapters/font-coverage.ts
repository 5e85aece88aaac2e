/** Which characters a font file can draw: its `cmap` table (OpenType 1.9), of a WOFF file (https://www.w3.org/TR/WOFF/). */
import { inflateSync } from 'node:zlib'

const WOFF_HEADER = 44
const WOFF_ENTRY = 20

/** A table of a WOFF file; throws where it has none of this name. */
const readTable = (file: Buffer, tag: string): Buffer => {
  if (file.toString('latin1', 0, 4) !== 'wOFF') throw new Error('the font is no WOFF file')
  for (let n = 0; n < file.readUInt16BE(12); n++) {
    const entry = WOFF_HEADER + n * WOFF_ENTRY
    if (file.toString('latin1', entry, entry + 4) !== tag) continue
    const [offset, packed, length] = [4, 8, 12].map((at) => file.readUInt32BE(entry + at)) as [number, number, number]
    const table = file.subarray(offset, offset + packed)
    return packed < length ? inflateSync(table) : table
  }
  throw new Error(`the font has no table ${tag}`)
}

/** First and last code points of the segments of a subtable; formats that no font of ours has are passed over. */
const segmentsOf = (table: Buffer, at: number): [first: number, last: number][] => {
  const format = table.readUInt16BE(at)
  if (format === 4) {
    const count = table.readUInt16BE(at + 6) / 2
    return Array.from({ length: count }, (_, n) => [
      table.readUInt16BE(at + 16 + 2 * count + 2 * n),
      table.readUInt16BE(at + 14 + 2 * n),
    ])
  }
  if (format !== 12) return []
  return Array.from({ length: table.readUInt32BE(at + 12) }, (_, n) => [
    table.readUInt32BE(at + 16 + 12 * n),
    table.readUInt32BE(at + 20 + 12 * n),
  ])
}

/** Ends the segments of format 4, and is no character. */
const LAST = 0xffff

/** The code points that a WOFF file has a glyph for. */
export const readCoverage = (file: Buffer): Set<number> => {
  const table = readTable(file, 'cmap')
  const covered = new Set<number>()
  for (let n = 0; n < table.readUInt16BE(2); n++)
    for (const [first, last] of segmentsOf(table, table.readUInt32BE(8 + 8 * n)))
      for (let code = first; code <= last && code !== LAST; code++) covered.add(code)
  return covered
}
