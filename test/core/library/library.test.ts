/** Libraries of reference managers, in each format, with everything that goes wrong in them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeLibrary, readLibrary } from '../../../src/core/library/library.ts'
import { MOST_ENTRIES } from '../../../src/core/library/library-entry.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const lines = (...all: string[]): string => all.join('\n')
const read = (...all: string[]) => readLibrary(lines(...all))
const faultsOf = (...all: string[]) => read(...all).faults.map(({ line, problem }) => `${line}: ${problem}`)

describe('BibTeX', () => {
  const GOOD = '@article{good, title = {Good}, year = 2020}'

  test('gives titles, authors, years, keywords and arXiv ids, whatever quotes and joins them', () => {
    const { format, entries, faults } = read(
      '% a comment',
      '@string{lab = "The {Round} Lab"}',
      '@comment{jabref-meta: databaseType:bibtex;}',
      '@InProceedings{a,',
      '  title     = "Learning {\\"u}ber {LaTeX} at " # lab,',
      '  author    = {von Neumann, Jr., John and Ada {Byron} and {The Team} and M{\\"u}ller, J{\\"o}rg and others},',
      '  date      = {2024-05-01},',
      '  keywords  = {one; two, three},',
      '  abstract  = {It has {nested {braces}} and $x^2$.},',
      '  eprint    = {2405.00001v3}, archiveprefix = {arXiv}',
      '}',
      '@article(b, title = {In parentheses}, journal = {arXiv preprint arXiv:2301.00002}, year = 2023)',
      '@inproceedings{c, title={Child}, crossref={p}}',
      '@proceedings{p, title={Parent}, year=1999}',
    )
    expect([format, faults]).toEqual(['BibTeX', []])
    expect(entries).toEqual([
      {
        line: 4,
        title: 'Learning über LaTeX at The Round Lab',
        abstract: 'It has {nested {braces}} and $x^2$.',
        authors: ['John von Neumann', 'Ada Byron', 'The Team', 'Jörg Müller'],
        keywords: ['one', 'two', 'three'],
        year: 2024,
        paperId: '2405.00001',
      },
      expect.objectContaining({ line: 12, title: 'In parentheses', year: 2023, paperId: '2301.00002' }),
      expect.objectContaining({ line: 13, title: 'Child', year: 1999 }),
      expect.objectContaining({ line: 14, title: 'Parent' }),
    ])
  })

  test.each([
    [
      'a missing comma',
      ['@misc{a, title = {One}', '  year = 2020}'],
      ['2: The field before this one has no comma behind it.'],
    ],
    ['a missing equals sign', ['@misc{a, title {One}, year = 2020}'], ['1: This field has no equals sign.']],
    ['a missing key', ['@misc{title = {One}, year = 2020}'], ['1: This entry has no key.']],
    [
      'no comma behind the key',
      ['@misc{a', '  title = {One}, year = 2020}'],
      ['1: There is no comma behind this entry’s key.'],
    ],
    ['an entry that is never closed', ['@misc{a, title = {One}, year = 2020,'], ['1: This entry is never closed.']],
    ['an empty value', ['@misc{a, title = {One}, year = 2020, note = }'], ['1: This field has no value.']],
    [
      'text between entries',
      ['Dear all,', '@misc{a, title = {One}, year = 2020}'],
      ['1: This is not part of an entry, so it was left out.'],
    ],
  ])('%s is named with its line, and costs neither its entry nor the next', (_, entry, faults) => {
    expect(faultsOf(...entry, GOOD)).toEqual(faults)
    expect(read(...entry, GOOD).entries.map(({ title, year }) => [title, year])).toEqual([
      ['One', 2020],
      ['Good', 2020],
    ])
  })

  test('a brace that is never closed ends at the next entry', () => {
    const broken = ['@misc{a,', '  title = {One},', '  note = {never closed,', '  year = 2020', GOOD]
    expect(faultsOf(...broken)).toEqual(['3: The brace that opens here is never closed.'])
    expect(read(...broken).entries.map(({ title }) => title)).toEqual(['One', 'Good'])
  })

  test('an entry without a title is named, and one that stands twice counts once', () => {
    expect(faultsOf('@misc{a, year = 2020}', GOOD)).toEqual(['1: This entry has no title, so it can’t be used.'])
    expect(read(GOOD, GOOD.replace('good', 'other').replace('Good', 'GOOD')).entries).toHaveLength(1)
  })

  test('a hundred thousand braces within each other, and a field of ten megabytes, take no time', () => {
    const deep = `@misc{a, title = ${'{'.repeat(100_000)}x${'}'.repeat(100_000)}}`
    const long = `@misc{b, title = {B}, abstract = {${'word '.repeat(2_000_000)}}}`
    const started = performance.now()
    expect(read(deep, long, GOOD).entries.map(({ title }) => title)).toEqual(['B', 'Good'])
    // Anything that is not linear would take minutes.
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('only so many entries are read, and that is said', () => {
    const { entries, faults } = readLibrary(
      Array.from({ length: MOST_ENTRIES + 5 }, (_, n) => `@misc{a${n}, title = {Title ${n}}}`).join('\n'),
    )
    expect(entries).toHaveLength(MOST_ENTRIES)
    expect(faults).toEqual([
      expect.objectContaining({ line: MOST_ENTRIES + 1, problem: 'Only the first 20000 entries were read.' }),
    ])
  })
})

test('RIS is read by its tags, with what is outside of entries and entries without an end named', () => {
  const { format, entries, faults } = readLibrary(
    [
      'TY  - JOUR',
      'TI  - One',
      'AU  - Byron, Ada',
      'AU  - Hopper, Grace M.',
      'PY  - 2020/05/01/',
      'AB  - It goes on',
      'in a second line.',
      'KW  - one',
      'KW  - two',
      'UR  - https://arxiv.org/abs/2005.00001',
      'ER  - ',
      '',
      'nonsense',
      'more nonsense',
      'TY  - CHAP',
      'AU  - Nobody',
      'TY  - JOUR',
      'T1  - Two',
      'Y1  - 2021',
      '',
    ].join('\r\n'),
  )
  expect(format).toBe('RIS')
  expect(entries).toEqual([
    {
      line: 1,
      title: 'One',
      abstract: 'It goes on in a second line.',
      authors: ['Ada Byron', 'Grace M. Hopper'],
      keywords: ['one', 'two'],
      year: 2020,
      paperId: '2005.00001',
    },
    expect.objectContaining({ line: 17, title: 'Two', year: 2021 }),
  ])
  expect(faults.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
    '13: This line is in no entry, so it was left out.',
    '15: This entry has no title, so it can’t be used.',
    '17: The entry before this one has no end.',
    '17: This entry has no end.',
  ])
})

describe('JSON', () => {
  test('CSL JSON is read entry by entry, so that a broken one costs no other', () => {
    const { format, entries, faults } = read(
      '[{"title": "One <i>x</i>", "author": [{"family": "Byron", "given": "Ada"}, {"literal": "The Team"}],',
      '  "issued": {"date-parts": [[2020, 5]]}, "abstract": "It is.", "keyword": "a, b", "DOI": "10.48550/arXiv.2005.00001"},',
      ' {"title": "Broken" "comma"},',
      ' 7,',
      ' {"title": "Two"}',
    )
    expect(format).toBe('JSON')
    expect(entries).toMatchObject([
      {
        line: 1,
        title: 'One x',
        authors: ['Ada Byron', 'The Team'],
        keywords: ['a', 'b'],
        year: 2020,
        paperId: '2005.00001',
      },
      { line: 5, title: 'Two' },
    ])
    expect(faults.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
      '3: The entry that begins here is not valid JSON.',
      '4: This is not an entry.',
      '5: The list is never closed.',
    ])
  })

  test('Better BibTeX JSON is read without attachments and notes', () => {
    const { entries, faults } = read(
      '{"config": {"id": 1}, "collections": {}, "items": [',
      ' {"itemType": "preprint", "title": "One", "creators": [{"creatorType": "author", "firstName": "Ada", "lastName": "Byron"}, {"creatorType": "editor", "name": "Nobody"}],',
      '  "date": "2024-02-01", "abstractNote": "It is.", "tags": [{"tag": "agents"}], "url": "http://arxiv.org/abs/2402.00001"},',
      ' {"itemType": "attachment", "title": "PDF"}, {"itemType": "note", "note": "x"}]}',
    )
    expect(faults).toEqual([])
    expect(entries).toEqual([
      {
        line: 2,
        title: 'One',
        abstract: 'It is.',
        authors: ['Ada Byron'],
        keywords: ['agents'],
        year: 2024,
        paperId: '2402.00001',
      },
    ])
  })

  test('JSON without a list says so', () =>
    expect(faultsOf('{"title": "One"}')).toEqual(['1: This JSON has no list of entries.']))
})

test('the CSV of Zotero is read by its columns, with cells of several lines, and without notes', () => {
  const { format, entries, faults } = read(
    '"Key","Item Type","Publication Year","Author","Title","Abstract Note","Url","Manual Tags","Extra"',
    '"A","journalArticle","2020","Byron, Ada; Hopper, Grace M.","On ""x"", and',
    'y","It is.","","agents; tools","arXiv: 2005.00001 [cs]"',
    '"B","note","","","A note","","","",""',
    '"C","preprint","2021","X, Yan","Bad "quotes" here","","","",""',
    '"D","preprint","2022","","","","","",""',
    '"E","preprint","2023","","Last","","","","',
  )
  expect(format).toBe('CSV')
  expect(entries).toMatchObject([
    {
      line: 2,
      title: 'On "x", and y',
      authors: ['Ada Byron', 'Grace M. Hopper'],
      keywords: ['agents', 'tools'],
      year: 2020,
      paperId: '2005.00001',
    },
    { line: 5, title: 'Bad "quotes" here', year: 2021 },
  ])
  expect(faults.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
    '6: This entry has no title, so it can’t be used.',
    '7: A quotation mark before this line is never closed.',
  ])
})

test('the RDF of Zotero is read without journals, attachments and notes, up to where it breaks', () => {
  const rdf = [
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:z="http://www.zotero.org/namespaces/export#">',
    ' <bib:Article rdf:about="http://arxiv.org/abs/2005.00001">',
    '  <z:itemType>preprint</z:itemType>',
    '  <bib:authors><rdf:Seq><rdf:li><foaf:Person><foaf:surname>Byron</foaf:surname><foaf:givenName>Ada</foaf:givenName></foaf:Person></rdf:li>',
    '   <rdf:li><foaf:Person><foaf:surname>The Team</foaf:surname></foaf:Person></rdf:li></rdf:Seq></bib:authors>',
    '  <dc:subject><z:AutomaticTag><rdf:value>agents</rdf:value></z:AutomaticTag></dc:subject><dc:subject>tools</dc:subject>',
    '  <dc:title>Agents &amp; tools</dc:title><dcterms:abstract>It is.</dcterms:abstract><dc:date>2020-05-01</dc:date>',
    '  <dc:identifier><dcterms:URI><rdf:value>http://arxiv.org/abs/2005.00001</rdf:value></dcterms:URI></dc:identifier>',
    ' </bib:Article>',
    ' <bib:Journal rdf:about="x"><dc:title>A journal</dc:title></bib:Journal>',
    ' <z:Attachment rdf:about="y"><z:itemType>attachment</z:itemType><dc:title>PDF</dc:title></z:Attachment>',
    ' <rdf:Description rdf:about="z"><z:itemType>document</z:itemType></rdf:Description>',
    ' <rdf:Description rdf:about="b"><z:itemType>document</z:itemType><dc:title>Broken</title></rdf:Description>',
    '</rdf:RDF>',
  ]
  const { format, entries, faults } = read(...rdf)
  expect(format).toBe('RDF')
  expect(entries).toEqual([
    {
      line: 2,
      title: 'Agents & tools',
      abstract: 'It is.',
      authors: ['Ada Byron', 'The Team'],
      keywords: ['tools', 'agents'],
      year: 2020,
      paperId: '2005.00001',
    },
  ])
  expect(faults.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
    '12: This entry has no title, so it can’t be used.',
    '13: From here on this is not valid RDF.',
  ])
})

test('a list of papers is read from ids, DOIs and links, whatever stands around them', () => {
  const { format, entries, faults } = read(
    '# to read',
    '2604.11784',
    '- [A paper](https://arxiv.org/pdf/2401.00002v2.pdf), https://huggingface.co/papers/2401.00003',
    '',
    'hello world',
    'https://doi.org/10.48550/arXiv.2301.00001.',
    '10.1145/1234567.1234568',
    'cs/0112017, 10.1101/2026.04.01.123456',
  )
  expect(format).toBe('a list of papers')
  expect(entries.map(({ line, paperId }) => [line, paperId])).toEqual([
    [2, '2604.11784'],
    [3, '2401.00002'],
    [3, '2401.00003'],
    [6, '2301.00001'],
    [8, 'cs/0112017'],
    [8, 'biorxiv:10.1101/2026.04.01.123456'],
  ])
  expect(faults.map(({ line }) => line)).toEqual([5, 7])
})

test('octets are text in UTF-8, UTF-16 or the old encoding of Western Europe, with a byte order mark or without', () => {
  const text = '@misc{a, title = {Über Müller}}'
  const title = (octets: Uint8Array) => readLibrary(decodeLibrary(octets)).entries[0]?.title
  expect(title(Buffer.from(text, 'utf8'))).toBe('Über Müller')
  expect(title(Buffer.from(`\uFEFF${text}`, 'utf8'))).toBe('Über Müller')
  expect(title(Buffer.from(`\uFEFF${text}`, 'utf16le'))).toBe('Über Müller')
  expect(title(Buffer.from(text, 'latin1'))).toBe('Über Müller')
})

test.each([
  ['a PDF', '%PDF-1.7\n@misc{a, title={x}}', 'This is a PDF.'],
  ['a workbook', 'PK\u0003\u0004 and more', 'This is a ZIP archive or a workbook.'],
  ['what is compressed', '\u001f\u008b and more', 'This is compressed.'],
])('%s is named', (_, text, problem) => {
  const { format, entries, faults } = readLibrary(decodeLibrary(Buffer.from(text, 'latin1')))
  expect([format, entries, faults]).toEqual([null, [], [expect.objectContaining({ line: 1, problem })]])
})

const PIECES = [
  '@article{key,',
  '@misc(',
  '@string{',
  '@comment{',
  'title = {A title}',
  'author = "Ada Byron and X, Y"',
  '{',
  '}',
  '"',
  ',',
  '=',
  '#',
  '\\',
  '\n',
  '\r\n',
  'TY  - JOUR',
  'TI  - A title',
  'ER  - ',
  '[',
  ']',
  '{"title": "A"}',
  ':',
  '2604.11784',
  'Title,Author\n',
  '"a ""b"" c"',
  ';',
  ' ',
  '\0',
  '\uFEFF',
  'é',
  '😀',
  '@',
  '%PDF',
  '<rdf:RDF',
  '<',
  '>',
  '<x y="',
  '&amp;',
]
test('no text whatever makes it fail, and every line that is named exists', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 80 }).map((rest) => `<rdf:RDF><a><z:itemType>x</z:itemType>${rest}`),
    fc
      .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5, unit: 'binary' })), { maxLength: 60 })
      .map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 300 }),
  )
  fc.assert(
    fc.property(text, (given) => {
      const { entries, faults } = readLibrary(given)
      const count = given.split(/\r\n?|\n/).length
      for (const { line } of [...entries, ...faults])
        expect(line >= 1 && line <= count, `line ${line} of ${count}`).toBe(true)
      for (const { title, paperId } of entries) expect(title !== '' || paperId !== null).toBe(true)
    }),
    { numRuns: propertyRuns(5_000) },
  )
})

test('any octets are text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      readLibrary(decodeLibrary(octets))
    }),
    { numRuns: propertyRuns(500) },
  )
})
