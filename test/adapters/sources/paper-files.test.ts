import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  BATCH_SIZE,
  MAX_LINE,
  MAX_WHOLE_FILE,
  type PaperBatch,
  type ReadFilesOptions,
  readPaperFiles,
} from '../../../src/adapters/sources/paper-files.ts'
import { UnreadablePapers } from '../../../src/core/papers/paper-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'paper-files-'))
})
afterAll(() => rm(folder, { recursive: true }))

const put = async (name: string, content: string | Buffer): Promise<string> => {
  const whole = path.join(folder, name)
  await mkdir(path.dirname(whole), { recursive: true })
  await writeFile(whole, content)
  return whole
}

const readAll = async (argument: string, options: Partial<ReadFilesOptions> = {}): Promise<PaperBatch[]> => {
  const batches: PaperBatch[] = []
  for await (const batch of readPaperFiles(argument, { today: '2026-04-14', ...options })) batches.push(batch)
  return batches
}

const titles = (batches: PaperBatch[]): string[] =>
  batches.flatMap(({ listings }) => listings.map((one) => one.paper.title))
const apiRow = (id: string) => ({ paper: { id, title: `Paper ${id}`, summary: 'x', upvotes: 1 }, numComments: 0 })
const lines = (count: number): string =>
  Array.from(
    { length: count },
    (_, at) => `${JSON.stringify({ title: `Paper ${at}`, abstract: 'é'.repeat(99) })}\n`,
  ).join('')

describe('a link in a folder', () => {
  it('that leads out of it is not followed, and is named', async () => {
    const outside = await put('outside/2026-04-11.json', JSON.stringify([{ title: 'Not ours' }]))
    const inside = await put('linked/2026-04-10.json', JSON.stringify([{ title: 'Ours' }]))
    const place = path.dirname(inside)
    await symlink(outside, path.join(place, '2026-04-11.json'))
    await symlink('/etc/passwd', path.join(place, 'users.txt'))
    await symlink('nowhere', path.join(place, 'gone.txt'))
    await symlink('2026-04-10.json', path.join(place, 'again.json'))
    const batches = await readAll(place)
    expect(titles(batches)).toEqual(['Ours', 'Ours'])
    const named = batches.filter(({ problems }) => problems.length > 0).map(({ file, problems }) => [file, problems])
    const problem = 'It is a link that leads out of the folder, and is not followed.'
    expect(named).toEqual(
      ['2026-04-11.json', 'gone.txt', 'users.txt'].map((file) => [file, [{ where: 'the whole file', problem }]]),
    )
  })

  it('is all that the folder holds: the folder is refused', async () => {
    const place = path.dirname(await put('only-links/readme', ''))
    await symlink('/etc/passwd', path.join(place, 'papers.txt'))
    await expect(readAll(place)).rejects.toThrow('leads out of the folder')
  })
})

describe('a file that holds no papers', () => {
  it.each([
    ['users', 'root:x:0:0:root:/root:/bin/bash\n'.repeat(20)],
    ['settings', '# The port that it listens on, and more of it.\n\n#Port 22\n#AddressFamily any\n'.repeat(20)],
    ['code', `/** Reads it. */\nexport const a = () => {\n${'  const b = c(d[0] ?? 1)\n'.repeat(20)}}\n`],
  ])('but %s is refused in words', async (name, content) => {
    await expect(readAll(await put(`no-papers/${name}.txt`, content))).rejects.toThrow(
      'The file holds no papers: as plain text, each title must be followed by its abstract.',
    )
  })
})

test('a file of very many lines that are no papers is given up', async () => {
  const file = await put('no-rows.jsonl', `{"title":"A paper"}\n${'x\n'.repeat(2_000_000)}`)
  await expect(readAll(file)).rejects.toThrow(
    'The file is no list of papers: most of its rows are none, such as line 1002, it is cut off or not JSON.',
  )
})

describe('a packed file that unpacks to far more than papers do', () => {
  const size = 58_000_000
  it.each([
    ['a title that never ends', `[{"title":"${'a'.repeat(size)}"}]`],
    ['one abstract of many paragraphs', `A title\n\n${`${'word and word. '.repeat(20)}\n\n`.repeat(size / 300)}`],
    ['titles alone', 'A title\n\n'.repeat(size / 9)],
    ['JSON Lines', '{"title":"a"}\n'.repeat(size / 14)],
  ])('such as %s is refused', async (name, content) => {
    const file = await put(`packed/${name}.gz`, gzipSync(content, { level: 9 }))
    await expect(readAll(file)).rejects.toThrow('The file unpacks to more than 50 times its size')
  })
})

describe('one file', () => {
  it('of an API answer named by its day gives that list day', async () => {
    const [batch] = await readAll(await put('2026-04-10.json', JSON.stringify([apiRow('2604.00001')])))
    expect(batch).toMatchObject({ file: '2026-04-10.json', source: 'huggingface', problems: [], duplicates: 0 })
    expect(batch?.listings[0]?.listDay).toBe('2026-04-10')
    expect(batch?.bytesRead).toBe(batch?.bytesTotal)
  })

  it('named otherwise gives its papers the day that was asked for', async () => {
    const file = await put('answer', JSON.stringify([apiRow('2604.00001')]))
    expect((await readAll(file, { listDay: '2026-04-09' }))[0]?.listings[0]?.listDay).toBe('2026-04-09')
    await expect(readAll(file)).rejects.toThrow(UnreadablePapers)
  })

  it('of JSON Lines comes in batches, each with the progress made, before all of it is read', async () => {
    const batches = await readAll(await put('long.jsonl', lines(BATCH_SIZE * 3 + 7)))
    expect(batches.map(({ listings }) => listings.length)).toEqual([BATCH_SIZE, BATCH_SIZE, BATCH_SIZE, 7])
    expect(titles(batches).at(-1)).toBe(`Paper ${BATCH_SIZE * 3 + 6}`)
    const [first, last] = [batches[0], batches.at(-1)]
    expect(first?.bytesRead).toBeLessThan(last?.bytesTotal ?? 0)
    expect(last?.bytesRead).toBe(last?.bytesTotal)
  })

  it('may be packed with gzip', async () => {
    expect(titles(await readAll(await put('long.jsonl.gz', gzipSync(lines(700)))))).toHaveLength(700)
  })

  it('that is packed and cut short is refused', async () => {
    const file = await put('cut.jsonl.gz', gzipSync(lines(700)).subarray(0, 900))
    await expect(readAll(file)).rejects.toThrow(/^cut\.jsonl\.gz is packed, and damaged or cut short\.$/)
  })

  it('of JSON Lines names bad lines by number over all batches, and skips one without end', async () => {
    const file = await put('bad.jsonl', `${lines(BATCH_SIZE)}{"ti\n"${'x'.repeat(MAX_LINE * 2)}"\n{"title": "Last"}`)
    const batches = await readAll(file)
    expect(titles(batches).at(-1)).toBe('Last')
    expect(batches.flatMap(({ problems }) => problems)).toEqual([
      { where: `line ${BATCH_SIZE + 1}`, problem: 'it is cut off or not JSON' },
      { where: `line ${BATCH_SIZE + 2}`, problem: `it is longer than ${MAX_LINE} characters` },
    ])
  })

  it('of lines that are no papers is refused without reading to the end', async () => {
    const file = await put('log.jsonl', '{"level": "info"}\n'.repeat(50_000))
    await expect(readAll(file)).rejects.toThrow('The file holds no paper that can be read: line 1, it has no title.')
  })

  it.each([
    ['JSON', '[{"paper": '],
    ['plain text', 'A title\n\nAn abstract\n'],
  ])('of %s larger than 100 MB is refused with a clear sentence', async (_, start) => {
    const file = await put('large', start)
    await truncate(file, MAX_WHOLE_FILE + 1)
    // Filled with NUL beyond its beginning: a hole in the file, so that the test need not write it.
    await writeFile(file, start.padEnd(70_000), { flag: 'r+' })
    await expect(readAll(file)).rejects.toThrow(
      'The file is larger than 100 MB, too large unless it is JSON Lines, one paper a line.',
    )
  })

  it('that is not there, or empty, is refused by a sentence', async () => {
    await expect(readAll(path.join(folder, 'nothing'))).rejects.toThrow(/^There is no file or folder .*nothing\.$/)
    await expect(readAll(await put('empty.json', ''))).rejects.toThrow('The file is empty.')
  })
})

describe('a folder', () => {
  it('is read file by file in order of name, leaving out what is not for us', async () => {
    await put('days/2026-04-10.json', JSON.stringify([apiRow('2604.00002')]))
    await put('days/2026-04-09.json', JSON.stringify([apiRow('2604.00001')]))
    await put('days/README.md', 'Not papers')
    await put('days/.hidden.json', 'Not papers')
    await put('days/more/2026-04-11.json', JSON.stringify([apiRow('2604.00003')]))
    const batches = await readAll(path.join(folder, 'days'))
    expect(batches.map(({ file }) => file)).toEqual(['2026-04-09.json', '2026-04-10.json'])
    expect(batches.flatMap(({ listings }) => listings.map(({ listDay }) => listDay))).toEqual([
      '2026-04-09',
      '2026-04-10',
    ])
    expect(batches.at(-1)?.bytesRead).toBe(batches.at(-1)?.bytesTotal)
  })

  it('goes on after a file that cannot be read, and names it', async () => {
    await put('mixed/a.json', '[{"paper"')
    await put('mixed/b.jsonl', '{"title": "Good"}\n')
    const batches = await readAll(path.join(folder, 'mixed'))
    expect(titles(batches)).toEqual(['Good'])
    expect(batches[0]).toMatchObject({
      file: 'a.json',
      problems: [{ where: 'the whole file', problem: 'The JSON breaks off before its end: the file was cut short.' }],
    })
  })

  it('in which nothing can be read is refused', async () => {
    await put('hopeless/a.json', '')
    await put('hopeless/b.txt', 'x')
    await expect(readAll(path.join(folder, 'hopeless'))).rejects.toThrow(UnreadablePapers)
    await put('bare/README.md', '')
    await expect(readAll(path.join(folder, 'bare'))).rejects.toThrow(/holds no \.json, \.jsonl or \.txt file\.$/)
  })
})

describe('standard input', () => {
  it('is read as -, with no total to measure progress by', async () => {
    const text = Buffer.from('{"title": "Pokémon"}\n{"title": "B"}')
    // One byte at a time: no character may be lost where a chunk cuts it.
    const batches = await readAll('-', { stdin: Readable.from([...text].map((byte) => Buffer.from([byte]))) })
    expect(titles(batches)).toEqual(['Pokémon', 'B'])
    expect(batches[0]).toMatchObject({ file: 'standard input', bytesRead: text.length, bytesTotal: null })
  })
})

const data = path.resolve(import.meta.dirname, '../../../../shared/data')

describe.skipIf(!existsSync(data))('recorded files (skipped where ../shared/data is absent)', () => {
  it('a folder of 47 list days gives 967 rows, each under its day', async () => {
    const batches = await readAll(path.join(data, 'hf-api'))
    expect([batches.length, titles(batches).length]).toEqual([47, 967])
    for (const { file, listings } of batches)
      expect(new Set(listings.map(({ listDay }) => `${listDay}.json`))).toEqual(new Set([file]))
  })

  it('two years packed as JSON Lines give 7,461 papers', async () => {
    expect(titles(await readAll(path.join(data, 'history-2024-05_2026-03.jsonl.gz')))).toHaveLength(7461)
  })
})
