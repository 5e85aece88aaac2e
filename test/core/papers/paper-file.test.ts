import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { institutionSlug } from '../../../src/core/papers/paper.ts'
import { formOf, readPaperFile, UnreadablePapers } from '../../../src/core/papers/paper-file.ts'
import { readDateHeading } from '../../../src/core/papers/paper-page.ts'
import { idOfTitle, readArxivId } from '../../../src/core/papers/paper-row.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const context = { listDay: null, observedAt: null, today: '2026-04-14' }
const read = (rows: unknown, more = {}) => readPaperFile(JSON.stringify(rows), { ...context, ...more })
const readLines = (...rows: unknown[]) =>
  readPaperFile(rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'), context)

/** A row in the API's shape; what it says of the paper and of itself can be changed. */
const apiRow = (paper: object = {}, row: object = {}) => ({
  paper: {
    id: '2604.00001',
    title: 'A Paper',
    summary: 'What it\nis about.',
    authors: [{ name: 'Ada  Lovelace', hidden: false }, { name: 'Ben' }, { name: 'Left Out', hidden: true }],
    upvotes: 12,
    publishedAt: '2026-04-12T00:00:00.000Z',
    submittedOnDailyAt: '2026-04-14T01:34:18.710Z',
    githubRepo: 'https://github.com/a/b',
    githubStars: 7,
    projectPage: 'http://insecure.example.org/',
    ...paper,
  },
  title: 'Outer title',
  publishedAt: '2026-04-11T20:00:00.000Z',
  numComments: 3,
  ...row,
})

describe('the JSON of Hugging Face', () => {
  it('gives a listing with texts, links, counts and the list day', () => {
    expect(read([apiRow()]).listings).toEqual([
      {
        paper: {
          id: '2604.00001',
          title: 'A Paper',
          abstract: 'What it is about.',
          authors: ['Ada Lovelace', 'Ben'],
          publishedOn: '2026-04-12',
          categories: [],
          codeUrl: 'https://github.com/a/b',
          projectUrl: null,
          discussionUrl: 'https://huggingface.co/papers/2604.00001',
        },
        listDay: '2026-04-14',
        observation: {
          at: new Date('2026-04-14T09:00:00Z'),
          hourKnown: false,
          upvotes: 12,
          comments: 3,
          stars: 7,
        },
      },
    ])
  })

  it('stands under the day that the file name gives, whatever the row says', () => {
    expect(read([apiRow()], { listDay: '2026-04-15' }).listings[0]).toMatchObject({
      listDay: '2026-04-15',
      observation: { at: new Date('2026-04-15T09:00:00Z') },
    })
  })

  it('takes links and stars from the outer object where the inner has none, and drops the version of an id', () => {
    const row = apiRow(
      { id: '2604.00001v3', githubRepo: undefined, githubStars: undefined },
      { githubRepo: 'https://github.com/c/d', githubStars: 9 },
    )
    expect(read([row]).listings[0]).toMatchObject({
      paper: { id: '2604.00001', codeUrl: 'https://github.com/c/d' },
      observation: { stars: 9 },
    })
  })

  it('skips and names bad rows, and keeps the good ones', () => {
    const { listings, problems } = read([
      apiRow({ id: 'not-an-id' }),
      apiRow(),
      apiRow({ id: '2604.00002', title: ' \n ' }, { title: '\0' }),
      apiRow({ id: '2604.00003', submittedOnDailyAt: '2026-02-30' }),
      null,
    ])
    expect(listings).toHaveLength(1)
    expect(problems).toEqual([
      { where: 'row 1', problem: 'its id is not one of arXiv' },
      { where: 'row 3', problem: 'it has no title' },
      { where: 'row 4', problem: 'neither its file name nor "submittedOnDailyAt" says its list day' },
      { where: 'row 5', problem: 'it is not an object' },
    ])
  })

  it('takes counts that are none for unknown', () => {
    const { observation } = read([apiRow({ upvotes: -1, githubStars: '7' }, { numComments: 1e12 })]).listings[0] ?? {}
    expect(observation).toMatchObject({ upvotes: null, comments: null, stars: null })
  })

  it('knows an empty list as a day without papers', () => {
    expect(read([])).toEqual({ listings: [], problems: [], duplicates: 0, source: 'file' })
  })

  it('is known as a list of Hugging Face, other rows as those of a file', () => {
    expect(read([apiRow()]).source).toBe('huggingface')
    expect(read([{ title: 'A' }]).source).toBe('file')
  })

  it('stands under the day asked for where neither file name nor row says one', () => {
    const row = apiRow({ submittedOnDailyAt: undefined })
    expect(read([row], { elseListDay: '2026-04-10' }).listings[0]?.listDay).toBe('2026-04-10')
    expect(read([apiRow()], { elseListDay: '2026-04-10' }).listings[0]?.listDay).toBe('2026-04-14')
  })

  it('merges what is listed twice, counts it, and keeps the latest', () => {
    const { listings, duplicates } = read([apiRow(), apiRow({ id: '2604.00001v2', upvotes: 13 })])
    expect([listings.length, duplicates, listings[0]?.observation.upvotes]).toEqual([1, 1, 13])
  })
})

describe('JSON Lines', () => {
  it('reads flat records by the names that people use', () => {
    const { listings } = readLines(
      {
        id: '2405.14906',
        daily_date: '2024-05-27',
        snapshot_at: '2024-06-02 01:07:21 +0800',
        title: 'T',
        abstract: 'A',
        arxiv_published_at: '2024-05-23T02:53:25.000Z',
        upvotes_early: 7,
        comments_early: 1,
        github_stars_early: 3,
        categories: ['cs.CL', 'cs.CL', 'not a category'],
      },
      {
        arxiv_id: 'arXiv:2405.00002v2',
        date: '2024-05-28',
        title: 'U',
        authors: 'Ada, Ben and Cy',
        categories: 'cs.LG cs.AI',
      },
    )
    expect(listings[0]).toMatchObject({
      paper: { id: '2405.14906', publishedOn: '2024-05-23', categories: ['cs.CL'] },
      listDay: '2024-05-27',
      observation: { at: new Date('2024-06-01T17:07:21Z'), hourKnown: true, upvotes: 7, comments: 1, stars: 3 },
    })
    expect(listings[1]).toMatchObject({
      paper: { id: '2405.00002', authors: ['Ada', 'Ben', 'Cy'], categories: ['cs.LG', 'cs.AI'] },
      listDay: '2024-05-28',
      observation: { at: new Date('2024-05-28T09:00:00Z'), hourKnown: false, upvotes: null },
    })
  })

  it('gives a paper that is not at arXiv an id of ours, the same for the same title', () => {
    const { listings } = readLines({ id: 'my-paper', title: 'A' }, { title: 'Some  Title!' }, { title: 'some title' })
    expect(listings.map(({ paper }) => paper.id)).toEqual(['file:my-paper', idOfTitle('Some Title')])
    expect(idOfTitle('Some Title')).toMatch(/^file:[0-9a-f]{16}$/)
  })

  it('puts a record without a day on the list of today', () => {
    expect(readLines({ title: 'A' }, { title: 'B' }).listings.map(({ listDay }) => listDay)).toEqual([
      '2026-04-14',
      '2026-04-14',
    ])
  })

  it('names the lines that are cut, no object, or of no day, and goes on after them', () => {
    const { listings, problems } = readLines(
      '{"title": "cut',
      '',
      { title: 'A' },
      '[1]',
      { title: 'B', date: 'soon' },
      '{"ti',
    )
    expect(listings).toHaveLength(1)
    expect(problems).toEqual([
      { where: 'line 1', problem: 'it is cut off or not JSON' },
      { where: 'line 4', problem: 'it is not an object' },
      { where: 'line 5', problem: 'its list day is no date of the form 2026-04-14' },
      { where: 'line 6', problem: 'it is cut off or not JSON' },
    ])
  })

  it('also reads rows of Hugging Face, Windows line ends and a byte order mark', () => {
    const text = `\uFEFF${JSON.stringify(apiRow())}\r\n${JSON.stringify(apiRow({ id: '2604.00002' }))}\r\n`
    expect(readPaperFile(text, context).listings.map(({ paper }) => paper.id)).toEqual(['2604.00001', '2604.00002'])
  })

  it('takes controls and direction overrides out of every text', () => {
    const { paper } =
      readLines({ title: 'A\u202e\r\nb\u0000', abstract: 'x\u0007y', authors: ['C\u200bd\n'] }, '').listings[0] ?? {}
    expect(paper).toMatchObject({ title: 'A b', abstract: 'xy', authors: ['Cd'] })
  })
})

describe('plain text', () => {
  const long = (words: string): string => `${words} ${'and so it goes on. '.repeat(15)}`.trim()

  it('pairs titles and abstracts under a date, and leaves out the banner before it', () => {
    const page = `new\n\nGet papers by mail!\n\nMar 14\n\nFirst\nTitle\n\n${long('One')}\n\nSecond\n\n${long('Two')}\n`
    const { listings, problems } = readPaperFile(page, context)
    expect(problems).toEqual([])
    expect(listings.map(({ paper, listDay }) => [paper.title, paper.abstract, listDay])).toEqual([
      ['First Title', long('One'), '2026-03-14'],
      ['Second', long('Two'), '2026-03-14'],
    ])
    expect(listings[0]?.paper.id).toBe(idOfTitle('First Title'))
    expect(listings[0]?.observation).toMatchObject({ at: new Date('2026-03-14T09:00:00Z'), hourKnown: false })
  })

  it('joins a second paragraph, takes a title right above its abstract, and names what has no partner', () => {
    const page = `First\n\n${long('One')}\n\n${long('More')}\n\nSecond\n${long('Two')}\n\nLost\n\nAt the end`
    const { listings, problems } = readPaperFile(page, context)
    expect(listings.map(({ paper }) => paper.title)).toEqual(['First', 'Second'])
    expect(listings[0]?.paper.abstract).toBe(`${long('One')} ${long('More')}`)
    expect(problems).toEqual([
      { where: 'line 10', problem: 'no abstract follows this title' },
      { where: 'line 12', problem: 'no abstract follows this title' },
    ])
  })

  it('changes the list day at each date', () => {
    const page = `Old\n\n${long('One')}\n\n2026-04-10\n\nNew\n\n${long('Two')}`
    expect(readPaperFile(page, context).listings.map(({ listDay }) => listDay)).toEqual(['2026-04-14', '2026-04-10'])
  })

  it.each([
    ['Mar 14', '2026-03-14'],
    ['Apr 14', '2026-04-14'],
    ['Apr 15', '2025-04-15'],
    ['Sept. 3rd', '2025-09-03'],
    ['29 February', '2024-02-29'],
    ['14 March 2025', '2025-03-14'],
    ['Monday, March 2, 2026', '2026-03-02'],
    ['2026-03-14', '2026-03-14'],
    ['Feb 30', null],
    ['Marvel 5', null],
    ['Mar 14 papers', null],
    ['Attention', null],
  ])('reads the heading %j as %j', (line, date) => expect(readDateHeading(line, '2026-04-14')).toBe(date))
})

describe('what is no file of papers', () => {
  it.each([
    ['', 'The file is empty.'],
    [' \n\t', 'The file is empty.'],
    ['[{"paper": {"id": "26', 'The JSON breaks off before its end: the file was cut short.'],
    ['{"title": "A pap', 'The JSON breaks off before its end: the file was cut short.'],
    ['[{"title": "A",}]', 'The file begins like JSON but is not: there is a mistake at line 1.'],
    ['<!doctype html><p>502</p>', 'The file is a page of HTML or XML, not papers as JSON, JSON Lines or plain text.'],
    ['{"error": "no"}', 'The JSON holds no list of papers but what looks like an error message.'],
    ['[{"a": 1}]', 'The file holds no paper that can be read: row 1, it has no title.'],
    ['P\0N\0G\0', 'The file is not text in UTF-8.'],
    ['Just a note', 'The file holds no papers: as plain text, each title must be followed by its abstract.'],
  ])('%j is refused with one sentence', (text, message) => {
    expect(() => readPaperFile(text, context)).toThrow(new UnreadablePapers(message))
  })

  it('is never answered with anything but that sentence', () => {
    const row = fc.record({ id: fc.anything(), title: fc.anything(), paper: fc.anything(), authors: fc.anything() })
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.array(row).map((rows) => JSON.stringify(rows) ?? ''),
    )
    fc.assert(
      fc.property(text, (content) => {
        try {
          for (const { paper } of readPaperFile(content, context).listings) expect(paper.title).not.toBe('')
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadablePapers)
        }
      }),
      { numRuns: propertyRuns(500) },
    )
  })

  it('is known by content, whatever the file is called', () => {
    expect(formOf('[\n {\n  "paper"', false)).toBe('json')
    expect(formOf('{"id": 1}\n{"id"', false)).toBe('json-lines')
    expect(formOf('{"id": "very long fir', false)).toBe('json-lines')
    expect(formOf('{\n "papers": [\n', false)).toBe('json')
    expect(formOf('[1] A numbered title\n\nIts abstract', true)).toBe('text')
  })
})

describe('arXiv ids', () => {
  it.each([
    ['2604.00001', '2604.00001'],
    ['2604.00001v12', '2604.00001'],
    ['arXiv:0704.0001', '0704.0001'],
    ['https://arxiv.org/pdf/2604.00001v2.pdf', '2604.00001'],
    ['hep-ex/0307015', 'hep-ex/0307015'],
    ['2613.00001', null],
    ['2604.1', null],
    ['../etc/passwd', null],
  ])('of %j is %j', (text, id) => expect(readArxivId(text)).toBe(id))
})

const data = path.resolve(import.meta.dirname, '../../../../shared/data')

describe.skipIf(!existsSync(data))('recorded files (skipped where ../shared/data is absent)', () => {
  const recorded = (file: string): string => readFileSync(path.join(data, file), 'utf8')

  it('47 list days give 967 rows', () => {
    const days = readdirSync(path.join(data, 'hf-api')).map((file) =>
      readPaperFile(recorded(`hf-api/${file}`), { ...context, listDay: file.slice(0, 10) }),
    )
    expect([days.length, days.flatMap(({ listings }) => listings).length]).toEqual([47, 967])
    expect(days.flatMap(({ problems }) => problems)).toEqual([])
    const institutions = days.flatMap(({ listings }) => listings.flatMap(({ institution }) => institution ?? []))
    expect([institutions.length, new Set(institutions.map(({ name }) => institutionSlug(name))).size]).toEqual([
      554, 293,
    ])
  })

  it('a page as text gives 62 papers, each with its abstract, of 14 March', () => {
    const { listings, problems } = readPaperFile(recorded('seed/000_6e166460e3bc94cd.txt'), context)
    expect([listings.length, problems]).toEqual([62, []])
    expect(new Set(listings.map(({ listDay }) => listDay))).toEqual(new Set(['2026-03-14']))
    expect(Math.min(...listings.map(({ paper }) => paper.abstract.length))).toBeGreaterThan(1_300)
  })

  it('777 papers of an evaluation, by JSON Lines', () => {
    const { listings, problems } = readPaperFile(recorded('eval/papers.jsonl'), context)
    expect([listings.length, problems]).toEqual([777, []])
    expect(listings.filter(({ paper }) => paper.categories.length > 0)).toHaveLength(541)
  })

  it('7,461 papers of two years, with the time at which they were counted', () => {
    const text = gunzipSync(readFileSync(path.join(data, 'history-2024-05_2026-03.jsonl.gz'))).toString()
    const { listings, problems } = readPaperFile(text, context)
    expect([listings.length, problems]).toEqual([7461, []])
    expect(listings.filter(({ observation }) => observation.hourKnown)).toHaveLength(7405)
  })
})
