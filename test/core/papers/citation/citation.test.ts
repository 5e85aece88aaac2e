/** Citations, read back by another program. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bibtexOf } from '../../../../src/core/papers/citation/bibtex.ts'
import type { CitedPaper } from '../../../../src/core/papers/citation/citation.ts'
import { cslJsonOf } from '../../../../src/core/papers/citation/csl-json.ts'
import { metaTagsOf } from '../../../../src/core/papers/citation/meta-tags.ts'
import { invertedName, readPersonName } from '../../../../src/core/papers/citation/person-name.ts'
import { risOf } from '../../../../src/core/papers/citation/ris.ts'
import type { Paper } from '../../../../src/core/papers/paper.ts'
import { plainTitle } from '../../../../src/core/text/latex.ts'
import { cleanLine } from '../../../../src/core/text/text.ts'
import { readBibtex, readCslJson, readRis } from '../../../support/fixtures/citation-reader.ts'
import { propertyRuns } from '../../../support/thoroughness.ts'

const cited = (over: Partial<Paper> = {}, withdrawn = false): CitedPaper => ({
  paper: {
    id: '2604.08377',
    title: 'Rounds of Papers',
    abstract: 'We go \\emph{round}.',
    authors: ['Ada Byron', 'Grace Brewster Hopper'],
    publishedOn: '2026-04-09',
    categories: ['cs.CL', 'cs.LG'],
    codeUrl: null,
    projectUrl: null,
    discussionUrl: null,
    ...over,
  },
  withdrawn,
})

const HOSTILE = [
  '} @misc{x, title = {y',
  '\\input{/etc/passwd}',
  '\\write18{rm -rf /} $\\input{x}$',
  '{{{',
  '}}}',
  '\\',
  '\\\\',
  '"',
  '" # jan # "',
  '@',
  '%',
  '100% & #1 _under_ ~tilde ^hat $5 to $6',
  'ER  - ',
  'TY  - JOUR',
  '<script>alert(1)</script>',
  ' and ',
  'A, B, C, D',
  'ﷺ',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞a',
  '🏴‍☠️👩🏽‍🔬',
]

it('is an entry of arXiv’s own form', () => {
  expect(bibtexOf([cited()])).toBe(`@misc{byron2026roundspapers,
  title = {Rounds of Papers},
  author = {Byron, Ada and
    Hopper, Grace Brewster},
  year = {2026},
  month = apr,
  eprint = {2604.08377},
  archivePrefix = {arXiv},
  primaryClass = {cs.CL},
  doi = {10.48550/arXiv.2604.08377},
  url = {https://arxiv.org/abs/2604.08377}
}
`)
})

it('is the same paper to another reader in every format', () => {
  const item = {
    title: 'Rounds of Papers',
    author: [
      { family: 'Byron', given: 'Ada' },
      { family: 'Hopper', given: 'Grace Brewster' },
    ],
    DOI: '10.48550/arXiv.2604.08377',
    URL: 'https://arxiv.org/abs/2604.08377',
  }
  expect(readBibtex(bibtexOf([cited()]))).toMatchObject([
    { ...item, id: 'byron2026roundspapers', issued: { 'date-parts': [[2026, 4]] } },
  ])
  for (const [read] of [readRis(risOf([cited()])), readCslJson(cslJsonOf([cited()]))])
    expect(read).toMatchObject({
      ...item,
      issued: { 'date-parts': [[2026, 4, 9]] },
      publisher: 'arXiv',
      abstract: 'We go round.',
    })
  expect(readCslJson(cslJsonOf([cited()]))[0]).toMatchObject({ type: 'article', number: 'arXiv:2604.08377' })
})

it.each([
  ['BERT: Pre-training of Deep Transformers', '{BERT}: Pre-training of Deep Transformers'],
  ['A K-means of GPT-4o and LoRA in 3D', 'A {K}-means of {GPT}-4o and {LoRA} in {3D}'],
  // Written as a sentence: there capitals are names, and a style would spoil them.
  ['Learning from Gaussian noise in the streets of Paris', 'Learning from {Gaussian} noise in the streets of {Paris}'],
  ['M^3: 64\\% of $\\alpha$-helices & \\textbf{more}', '{M{$^{3}$}}: 64\\% of {{$\\alpha$}}-helices \\& more'],
  ["Pok\\'emon and the École", "Pok{\\'e}mon and the {\\'E}cole"],
  ['中文 titles', '中文 titles'],
])('keeps capitals and symbols of %s', (title, written) => {
  expect(bibtexOf([cited({ title })])).toContain(`  title = {${written}},\n`)
})

it.each([
  ['Ludwig van Beethoven', 'van Beethoven, Ludwig', 'van Beethoven, Ludwig'],
  ['Patrick von Platen', 'von Platen, Patrick', 'von Platen, Patrick'],
  ['Luc Van Gool', 'Van Gool, Luc', 'Van Gool, Luc'],
  ['Thanh Van Nguyen', 'Nguyen, Thanh Van', 'Nguyen, Thanh Van'],
  ['Blaise Agüera y Arcas', '{Ag{\\"u}era y Arcas}, Blaise', 'Agüera y Arcas, Blaise'],
  ['John Byron, Jr.', 'Byron, Jr., John', 'Byron, John, Jr.'],
  ['Søren Østergaard', '{\\O}stergaard, S{\\o}ren', 'Østergaard, Søren'],
  ['Qwen Team', '{Qwen Team}', 'Qwen Team'],
  ['ATLAS and CMS Collaborations', '{ATLAS and CMS Collaborations}', 'ATLAS and CMS Collaborations'],
  ['GLM-4.5 Authors', '{GLM-4.5 Authors}', 'GLM-4.5 Authors'],
  ['Boxian Ai', 'Ai, Boxian', 'Ai, Boxian'],
  ['Inclusion AI', '{Inclusion AI}', 'Inclusion AI'],
  ['NVIDIA', 'NVIDIA', 'NVIDIA'],
  ['王小明', '王小明', '王小明'],
])('writes %s surname first, and a group whole', (name, bibtex, inverted) => {
  expect(bibtexOf([cited({ authors: [name] })])).toContain(`  author = {${bibtex}},\n`)
  expect(invertedName(readPersonName(name))).toBe(inverted)
  const [read] = readBibtex(bibtexOf([cited({ authors: [name] })]))
  expect(read?.author).toHaveLength(1)
})

it('keeps all of 573 authors, and leaves out what is not known', () => {
  const authors = Array.from({ length: 573 }, (_, n) => `Ada${'abcdefghij'[n % 10]} Byron-${'klmnopqrst'[n % 10]}`)
  for (const [read] of [
    readBibtex(bibtexOf([cited({ authors })])),
    readRis(risOf([cited({ authors })])),
    readCslJson(cslJsonOf([cited({ authors })])),
  ])
    expect(read?.author).toHaveLength(573)
  const bare = cited({ id: 'file:abc', authors: [], publishedOn: null, categories: [], abstract: 'Ours.' })
  expect(bibtexOf([bare])).toBe('@misc{paper:file:abc,\n  title = {Rounds of Papers}\n}\n')
  expect(readCslJson(cslJsonOf([bare]))).toEqual([{ id: 'paper:file:abc', type: 'article', title: 'Rounds of Papers' }])
  // What a source of the operator's own says may not be ours to give on.
  expect(risOf([bare])).not.toContain('Ours.')
})

it('dates a paper by its id where a source has the date of a later version, and says that it was withdrawn', () => {
  expect(bibtexOf([cited({ publishedOn: '2026-09-01' })])).toMatch(/year = \{2026\},\n {2}month = apr/)
  expect(risOf([cited({ publishedOn: '2026-09-01' })])).toContain('DA  - 2026/04//\r\n')
  expect(bibtexOf([cited({ id: 'hep-ex/0307015', publishedOn: null })])).toMatch(
    /year = \{2003\},\n {2}month = jul,\n {2}eprint = \{hep-ex\/0307015\}/,
  )
  for (const text of [bibtexOf, risOf, cslJsonOf].map((format) => format([cited({}, true)])))
    expect(text).toContain('Withdrawn')
})

it('has one key for a paper in every file, and different ones for different papers', () => {
  const twin = cited({ id: '2604.09999' })
  expect(bibtexOf([cited()])).toContain('@misc{byron2026roundspapers,')
  expect(bibtexOf([cited({ authors: ['Ada Byron', 'Another'] }), cited({ id: '2604.1', title: 'Else' })])).toContain(
    '@misc{byron2026roundspapers,',
  )
  const keys = readBibtex(bibtexOf([cited(), twin])).map(({ id }) => id)
  expect(keys).toEqual(['byron2026roundspapers:2604.08377', 'byron2026roundspapers:2604.09999'])
})

it('says of a paper in its page’s head what scholars’ programs read', () => {
  const tags = metaTagsOf(cited())
  const of = (name: string) => tags.filter((tag) => tag.name === name).map(({ content }) => content)
  expect(of('citation_title')).toEqual(['Rounds of Papers'])
  expect(of('citation_author')).toEqual(['Byron, Ada', 'Hopper, Grace Brewster'])
  expect(of('citation_publication_date')).toEqual(['2026/04/09'])
  expect(of('citation_pdf_url')).toEqual(['https://arxiv.org/pdf/2604.08377'])
  expect(of('citation_arxiv_id')).toEqual(['2604.08377'])
  expect(of('DC.creator')).toEqual(of('citation_author'))
  expect(of('DC.identifier')).toEqual(['doi:10.48550/arXiv.2604.08377'])
  expect(of('DC.date')).toEqual(['2026-04-09'])
})

/** Of what is in a file no macro may be a title's own, and no brace may close what it did not open. */
const isBalanced = (bibtex: string): boolean => {
  let depth = 0
  for (const [mark] of bibtex.matchAll(/\\.|[{}]/gs)) {
    if (mark === '{') depth++
    if (mark === '}' && --depth < 0) return false
  }
  return depth === 0
}
const DANGEROUS = /\\(?:input|include|write|openout|catcode|def|immediate|read|csname)/

const text = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.array(fc.constantFrom(...HOSTILE, 'a', ' ', 'Big'), { maxLength: 6 }).map((parts) => parts.join('')),
)
const line = (most: number) => text.map((raw) => cleanLine(raw, most)).filter((clean) => clean !== '')

it('stays one entry with as many authors, whatever titles, names and abstracts hold', () => {
  fc.assert(
    fc.property(
      line(500),
      fc.array(line(200), { minLength: 1, maxLength: 5 }),
      line(900),
      (title, authors, abstract) => {
        const paper = cited({ title, authors, abstract })
        const second = cited({ id: '2604.00001' })
        const bibtex = bibtexOf([paper, second])
        expect(isBalanced(bibtex)).toBe(true)
        expect(bibtex).not.toMatch(DANGEROUS)
        expect(bibtex.match(/^@/gm)).toHaveLength(2)
        expect(readBibtex(bibtex).map(({ author }) => author?.length ?? 0)).toEqual([authors.length, 2])
        const ris = risOf([paper, second])
        expect(ris.match(/^ER {2}- /gm)).toHaveLength(2)
        expect(ris.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
        expect(readCslJson(cslJsonOf([paper, second])).map(({ title: read }) => read)).toEqual([
          plainTitle(title) || title,
          'Rounds of Papers',
        ])
      },
    ),
    { numRuns: propertyRuns(2_000) },
  )
})

it('writes every character of the first blocks of Unicode so that it takes nothing of what follows', () => {
  const taking = Array.from({ length: 0x3000 - 0xa0 }, (_, at) => String.fromCodePoint(0xa0 + at)).filter(
    (character) => !isBalanced(bibtexOf([cited({ title: character })])),
  )
  expect(taking).toEqual([])
})

it('keeps names apart that hold signs of full width', () => {
  const authors = ['Ⰰ＃', 'Ａｄａ　ａｎｄ　Ｃｏ', 'Hopper％']
  expect(readBibtex(bibtexOf([cited({ authors })]))[0]?.author).toHaveLength(3)
})

it('gives a title in plain ASCII back as it is', () => {
  const words = fc.string({ unit: fc.constantFrom(...'abcXYZ019 -:,.()&%#_$<>|+=*!?@/'), minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(words, (raw) => {
      const title = plainTitle(cleanLine(raw, 500))
      fc.pre(/^[ -~]+$/.test(title) && plainTitle(title) === title && !title.includes('--'))
      expect(readBibtex(bibtexOf([cited({ title })]))[0]?.title).toBe(title)
    }),
    { numRuns: propertyRuns(2_000) },
  )
})

const DAYS = join(import.meta.dirname, '../../../../../shared/data/hf-api')

it.skipIf(!existsSync(DAYS))('gives back every title and author of two recorded months', () => {
  const papers = readdirSync(DAYS)
    .filter((file) => file.endsWith('.json'))
    .flatMap(
      (file) =>
        JSON.parse(readFileSync(join(DAYS, file), 'utf8')) as {
          paper: { id: string; title: string; authors: { name: string }[] }
        }[],
    )
    .map(({ paper: { id, title, authors } }) =>
      cited({ id, title: cleanLine(title, 500), authors: authors.map(({ name }) => cleanLine(name, 200)) }),
    )
  expect(papers.length).toBeGreaterThan(900)
  const different = readBibtex(bibtexOf(papers)).flatMap(({ title, author }, at) => {
    const wanted = plainTitle(papers[at]?.paper.title ?? '')
    return title === wanted && author?.length === papers[at]?.paper.authors.length ? [] : [[wanted, title]]
  })
  expect(different).toEqual([])
})
