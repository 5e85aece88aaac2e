/** The form of a backup: read in any pieces as it was written, and told from one that is damaged, cut off or something else. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BackupHeader, readArchive, UnusableBackup, writeArchive } from '../../../src/store/backup/archive.ts'

const HEADER: BackupHeader = {
  archive: 'paper-round backup',
  format: 1,
  made: '2026-04-15T06:00:00.000Z',
  migrations: ['0001-the-main-job'],
  months: ['2026-04'],
  key: '0123456789abcdef',
}

/** Writes tables of rows, each in pieces of the length given. */
const write = async (tables: string[][], pieces = 1_000): Promise<Buffer> => {
  const chunks: Buffer[] = []
  const archive = await writeArchive(async (chunk) => void chunks.push(Buffer.from(chunk)), HEADER)
  for (const [n, rows] of tables.entries()) await archive.writeTable(`t${n}`, ['a', 'b'], cut(rowsOf(rows), pieces))
  await archive.end({ t0: 7 })
  return Buffer.concat(chunks)
}
const rowsOf = (rows: string[]): Buffer => Buffer.from(rows.map((row) => `${row}\n`).join(''))
const cut = async function* (octets: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length)
}

const read = async (octets: Buffer, pieces = 1_000) => {
  const archive = await readArchive(cut(octets, pieces))
  const tables: string[] = []
  for (let table = await archive.nextTable(); table !== null; table = await archive.nextTable()) {
    const chunks: Buffer[] = []
    for await (const chunk of table.rows) chunks.push(chunk)
    tables.push(Buffer.concat(chunks).toString())
  }
  return { header: archive.header, tables, end: archive.end() }
}

/** A row as COPY writes it: no line end, and a backslash only before another character of its own. */
const row = fc
  .array(fc.constantFrom('\\\\', '\\N', '\\n', '.', 'ä', '\t', 'x', ''), { maxLength: 6 })
  .map((parts) => parts.join(''))

test('whatever the rows, and in whatever pieces they come, they are read as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { maxLength: 5 }), { maxLength: 3 }),
      fc.integer({ min: 1, max: 40 }),
      async (tables, pieces) => {
        const { end, ...found } = await read(await write(tables, pieces), pieces)
        expect(found).toEqual({ header: HEADER, tables: tables.map((rows) => rowsOf(rows).toString()) })
        expect(end).toMatchObject({ counters: { t0: 7 }, tables: tables.length, rows: tables.flat().length })
      },
    ),
    { numRuns: 60 },
  )
})

test('one that is damaged, cut off, of a newer form or something else is refused in words', async () => {
  const whole = await write([['one\t1', 'two\t2'], ['three\t3']])
  const text = whole.toString()
  const cases: [string, RegExp][] = [
    ['', /no backup of Paper Round/],
    ['hello', /no backup of Paper Round/],
    ['{"archive":"other"}\n', /no backup of Paper Round/],
    [text.replace('"format":1', '"format":2'), /format 2 of a newer version/],
    [text.replace('two\t2', 'two\t3'), /damaged: the rows of the table t0/],
    [text.replace('three\t3\n', ''), /damaged: the rows of the table t1/],
    [text.slice(0, text.indexOf('two')), /cut off/],
    [text.slice(0, -20), /cut off/],
    [text.slice(0, text.indexOf('{"table":"t1"')) + text.slice(text.indexOf('{"counters"')), /tables are missing/],
    [text.replace('{"table":"t1"', '{"tab'), /damaged/],
  ]
  for (const [changed, why] of cases) {
    const refused = read(Buffer.from(changed))
    await expect(refused, changed.slice(0, 40)).rejects.toThrow(why)
    await expect(refused).rejects.toBeInstanceOf(UnusableBackup)
  }
})
