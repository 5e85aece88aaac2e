/** Tables of text in every shape that people save them in. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvOptions, openCsv } from '../../../src/adapters/csv/csv-reader.ts'
import { csvLines } from '../../../src/adapters/csv/csv-writer.ts'
import { readSpreadsheetCell } from '../../../src/core/text/spreadsheet-cell.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { thorough } from '../../support/thoroughness.ts'

/** The header and rows of octets that come in pieces, and the error that ends them. */
const read = async (octets: Buffer, options: CsvOptions = {}, piece = octets.length || 1) => {
  const pieces = Array.from({ length: Math.ceil(octets.length / piece) }, (_, n) =>
    octets.subarray(n * piece, (n + 1) * piece),
  )
  const rows: { line: number; cells: string[] }[] = []
  const file = await openCsv('-', { ...options, stdin: Readable.from(pieces) })
  let error: string | null = null
  try {
    for await (const some of file.rows) rows.push(...some.rows)
  } catch (thrown) {
    error = (thrown as Error).message
  }
  return { header: file.header, rows, error }
}

const refusal = (octets: Buffer | string, options: CsvOptions = {}) =>
  read(Buffer.from(octets), options).then(
    () => null,
    (error: Error) => error.message,
  )

const ENCODINGS = {
  'utf-8': (text: string) => Buffer.from(text),
  'utf-8 with its mark': (text: string) => Buffer.from(`\ufeff${text}`),
  'utf-16le with its mark': (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'utf-16be with its mark': (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  'utf-16le': (text: string) => Buffer.from(text, 'utf16le'),
  'utf-16be': (text: string) => Buffer.from(text, 'utf16le').swap16(),
} as const

/** A cell as it means itself: no spaces at its ends, and no line break that another system would write otherwise. */
const cell = fc
  .oneof(
    fc.constantFrom(
      '',
      'ada@example.org',
      'a,b',
      'a;b',
      'a\tb',
      'say "Lean"',
      '"',
      'two\nlines',
      'one\r\nline',
      'ü',
      '机器',
      '\u{1f3b5}',
    ),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  )
  .map((text) => text.replace(/\ufeff|\0/g, '').trim())
  // Marks around a whole cell are taken for those of the file.
  .filter((text) => !/^".*"$/s.test(text) && !text.includes('\ufffd'))

const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
  fc.record({
    header: fc.constant(['email', 'topics', 'keywords', 'hour'].slice(0, width)),
    rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 12 }),
    separator: fc.constantFrom(',', ';', '\t'),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    lastLineEnd: fc.boolean(),
    padding: fc.constantFrom('', ' ', '  '),
    quoteAll: fc.boolean(),
    blank: fc.boolean(),
    encoding: fc.constantFrom(...(Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[])),
    piece: fc.integer({ min: 1, max: 40 }),
  }),
)

describe('a table', () => {
  test('is read as it was meant, by whatever separator, encoding, line ends, marks and padding, in pieces of any length', async () => {
    await fc.assert(
      fc.asyncProperty(table, async (given) => {
        const { separator, lineEnd, padding, quoteAll, blank } = given
        const write = (text: string): string =>
          quoteAll || /["\r\n]/.test(text) || text.includes(separator)
            ? `${padding}"${text.replaceAll('"', '""')}"`
            : `${padding}${text}${padding}`
        const lines = [given.header, ...given.rows].map((row) => row.map(write).join(separator))
        const text = lines.join(blank ? lineEnd + lineEnd : lineEnd) + (given.lastLineEnd ? lineEnd : '')
        const found = await read(ENCODINGS[given.encoding](text), { separator }, given.piece)
        expect(found.error).toBeNull()
        expect(found.header).toEqual(given.header)
        expect(found.rows.map(({ cells }) => cells)).toEqual(given.rows.filter((row) => row.some((one) => one !== '')))
        // Each row is on the line that is said: what stands there begins with it.
        const all = text.split(/\r\n|\n|\r/)
        for (const { line, cells } of found.rows) {
          const [first = ''] = write(cells[0] ?? '').split(/\r\n|\n|\r/)
          expect([line, all[line - 1]?.startsWith(first.trimEnd())]).toEqual([line, true])
        }
      }),
      { numRuns: thorough ? 2_000 : 150 },
    )
  })

  test('that we wrote is read again as it was, and no cell of it begins with a formula', async () => {
    const own = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(own, async (rows) => {
        const text = csvLines([['email', 'keywords'], ...rows])
        const found = await read(Buffer.from(text))
        expect(found.rows.map(({ cells }) => cells.map(readSpreadsheetCell))).toEqual(
          rows.filter((row) => row.some((one) => one !== '')),
        )
        for (const { cells } of found.rows) for (const one of cells) expect(one).not.toMatch(/^[=+\-@]/)
      }),
    )
  })

  test.each([
    [',', 'email,"a;b;c;d",hour'],
    [';', 'email;topics, or none;hour'],
    ['\t', 'email\ttopics\thour'],
    [';', 'sep=;\nemail;topics;hour'],
  ])('has the separator %j where its first line shows it: %j', async (_, line) => {
    expect((await read(Buffer.from(`${line}\n`))).header).toHaveLength(3)
  })

  test('in another encoding is read by its name, and without it shows which cells are no text', async () => {
    const octets = Buffer.from('email,keywords\na@example.org,Schr\xf6dinger\n', 'latin1')
    expect((await read(octets, { encoding: 'windows-1252' })).rows[0]?.cells[1]).toBe('Schrödinger')
    expect((await read(octets)).rows[0]?.cells[1]).toBe('Schr\ufffddinger')
  })

  test('with a mark that is never closed gives all rows before, and the line of that one', async () => {
    const before = 'a@example.org,x\n'.repeat(3_000)
    for (const rest of ['b@example.org,"never\nc@example.org,y\n', `b@example.org,"${'x\n'.repeat(40_000)}`]) {
      const found = await read(Buffer.from(`email,topics\n${before}${rest}`), {}, 10_000)
      expect(found.rows).toHaveLength(3_000)
      expect(found.error).toMatch(
        /^the row on line 3002 has a quotation mark that is not closed; close it, or take it out\./,
      )
    }
  })

  test('with marks inside of a cell, or text after one, loses nothing', async () => {
    const found = await read(
      Buffer.from('email,keywords\na@example.org,5" disk\nb@example.org,"Lean" 4\nc@example.org,x\n'),
    )
    expect(found.rows.map(({ cells }) => cells[1])).toEqual(['5" disk', '"Lean" 4', 'x'])
  })
})

describe('what is no table', () => {
  test.each([
    ['an empty file', '', 'standard input is empty'],
    ['blank lines', '\n \n', 'the first line names no columns'],
    ['a workbook', 'PK\x03\x04abc', 'this is a workbook, not a table of text; save it as CSV (UTF-8)'],
    [
      'JSON',
      '[{"email": "a@example.org"}]',
      'this is no table; write a first line with the names of the columns, such as email,topics',
    ],
    ['what is compressed', Buffer.from([0x1f, 0x8b, 8, 0]), 'this is compressed; give it to - by gzip -dc FILE | …'],
  ])('%s is refused with what would be right', async (_, octets, message) => {
    expect(await refusal(octets)).toBe(message)
  })

  test('an encoding that nobody knows is refused, and so is a folder', async () => {
    expect(await refusal('email\n', { encoding: 'klingon' })).toBe(
      'there is no encoding klingon; write utf-8, utf-16le or windows-1252',
    )
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'lists'))
    await expect(openCsv(join(folder.path, 'lists'))).rejects.toThrow('is a folder; name a file of it')
  })

  test('the same file has the same fingerprint, and another one has another', async () => {
    await using folder = await openTestFolder()
    const open = async (text: string) => {
      const path = join(folder.path, 'list.csv')
      await writeFile(path, text)
      const file = await openCsv(path)
      for await (const _ of file.rows);
      return file
    }
    const [one, same, other] = [await open('email\na\n'), await open('email\na\n'), await open('email\nb\n')]
    expect([one.octets, one.fingerprint?.equals(same.fingerprint as Buffer)]).toEqual([8, true])
    expect(one.fingerprint?.equals(other.fingerprint as Buffer)).toBe(false)
  })
})
