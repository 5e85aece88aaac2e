/**
 * Addresses as people mistype them, programs make them up and attackers try them, on the whole service: with no papers at all,
 * and with a day of 500, a paper of 573 authors, one without an abstract and titles that mean harm. Each is answered in words
 * with the right status, in valid HTML, in under 60 kB.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PAGE_CARDS } from '../../src/newsletter/archive/card-list.ts'
import { readFeed } from '../support/fixtures/feed-readers.ts'
import { HARMFUL } from '../support/fixtures/hostile-papers.ts'
import { findHtmlFaults } from '../support/fixtures/html-validator.ts'
import { faultOf } from '../support/servers/fuzzed-requests.ts'
import { startTestService } from '../support/servers/service.ts'

const MAX_BYTES = 60_000
const BUSY = 500
const AUTHORS = 573
const LAST_PAGE = Math.ceil(BUSY / PAGE_CARDS)

const REPEATED =
  'A harness to train and to test agents with a language model is described, and measured on tasks of many kinds. '
const row = (n: number, over: object = {}) => ({
  id: `2604.${10_000 + n}`,
  title: `Language model agents, report ${n}: what a title of the usual length says of its paper`,
  abstract: REPEATED.repeat(12),
  authors: ['Ada Lovelace', 'Grace Hopper', 'Emmy Noether', '王小明'],
  list_day: '2026-04-13',
  observed_at: '2026-04-13T09:00:00Z',
  upvotes: BUSY - n,
  code_url: `https://github.com/example/${n}`,
  project_url: 'https://example.org/agents',
  discussion_url: `https://huggingface.co/papers/2604.${10_000 + n}`,
  ...over,
})

const writePapers = async (folder: string): Promise<void> => {
  const manyAuthors = Array.from({ length: AUTHORS }, (_, n) => `Firstname Surname ${n}`)
  const papers = [
    row(0, { title: '机器学习 with language model agents', authors: manyAuthors }),
    row(1, { abstract: '', authors: [] }),
    row(2, { id: 'hep-ex/0307015' }),
    ...Array.from({ length: BUSY - 3 }, (_, n) => row(n + 3)),
    ...HARMFUL.map((title, n) =>
      row(BUSY + n, {
        title: `${title} agents`,
        authors: [title],
        abstract: `${title} agents`,
        list_day: '2026-04-10',
      }),
    ),
  ]
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'papers.jsonl'), papers.map((one) => JSON.stringify(one)).join('\n'))
}

type Case = [path: string, status: number, words: string | RegExp]

const WITHOUT_PAPERS: Case[] = [
  ['/', 200, 'No papers yet'],
  ['/papers/2026-03-30', 404, 'The first papers appear as soon as a source has been read.'],
  ['/papers/2026-03-30?page=2', 404, 'The first papers appear'],
  ['/papers/2604.10000', 404, 'No list that we read has had arXiv 2604.10000.'],
  ['/weeks', 404, 'No papers for this week'],
  ['/weeks/2026-W14', 404, 'The first papers appear'],
  ['/months', 404, 'No papers for this month'],
  ['/months/2026-03', 404, 'The first papers appear'],
  ['/topics', 200, 'The week’s best papers of each topic'],
  ['/topics/agents', 200, 'No papers yet.'],
  ['/authors/ada-lovelace', 404, 'We have no paper by an author of this name.'],
  ['/search?q=agents', 200, 'No papers found'],
  ['/preview?topics=agents', 200, /no papers|nothing/i],
  ['/feeds/all.atom', 200, '<feed'],
  ['/feeds/agents.json', 200, '"items":[]'],
  ['/feeds/search.atom?q=agents', 200, '<feed'],
  ['/sitemap.xml', 200, '/sitemaps/lists.xml'],
  ['/sitemaps/papers/2026-03.xml', 404, 'Page not found'],
  ['/papers/2026-03-30.bib', 404, 'No papers for this day'],
]

const DAYS_AND_WEEKS: Case[] = [
  ['/papers/2026-04-13', 200, `${BUSY} papers`],
  [`/papers/2026-04-13?page=${LAST_PAGE}`, 200, `Page ${LAST_PAGE} of ${LAST_PAGE}`],
  [`/papers/2026-04-13?page=${LAST_PAGE + 1}`, 404, `This list has ${LAST_PAGE} pages.`],
  ['/papers/2026-04-13?page=999999999', 404, 'numbered from 1'],
  ['/papers/2026-04-13?page=-1', 404, 'numbered from 1'],
  ['/papers/2026-04-13?page=1.5', 404, 'numbered from 1'],
  ['/papers/2026-04-13?page=1&page=2', 404, 'numbered from 1'],
  ['/papers/2026-04-13?page=%00', 404, 'numbered from 1'],
  ['/papers/2026-04-10', 200, 'alert(1)'],
  ['/papers/2099-12-31', 404, 'That day has not come yet.'],
  ['/papers/9999-12-31', 404, 'That day has not come yet.'],
  ['/papers/2026-04-14', 404, 'The list may not be out yet; the newest is of Monday 13 April 2026.'],
  ['/papers/1999-01-01', 404, 'The archive begins on Friday 10 April 2026.'],
  ['/papers/0000-01-01', 404, 'No '],
  ['/papers/2026-04-12', 404, 'There is no list at weekends.'],
  ['/papers/2026-02-30', 404, 'We have no paper with this id.'],
  ['/papers/2026-13-01', 404, 'We have no paper with this id.'],
  ['/weeks/2026-W16', 200, 'Week 16'],
  [`/weeks/2026-W16?page=${LAST_PAGE + 1}`, 404, 'This list has'],
  ['/weeks/2026-W53', 404, 'That week has not come yet.'],
  ['/weeks/2026-W54', 404, 'There is no such week'],
  ['/weeks/2025-W53', 404, 'There is no such week'],
  ['/weeks/2026-W00', 404, 'There is no such week'],
  ['/weeks/2026-w16', 404, 'There is no such week'],
  ['/weeks/9999-W51', 404, 'That week has not come yet.'],
  ['/weeks/9999-W52', 404, 'There is no such week'],
  ['/weeks/0001-W01', 404, 'The archive begins in April 2026.'],
  ['/weeks/1999-W01', 404, 'The archive begins in April 2026.'],
  ['/months/2026-04', 200, 'April 2026'],
  ['/months/2026-04?page=99', 404, 'This list has'],
  ['/months/2026-13', 404, 'There is no such month'],
  ['/months/2026-00', 404, 'There is no such month'],
  ['/months/2026-4', 404, 'There is no such month'],
  ['/months/9999-12', 404, 'That month has not come yet.'],
  ['/months/1999-12', 404, 'The archive begins in April 2026.'],
]

const PAPERS: Case[] = [
  ['/papers/2604.10000', 200, `And ${AUTHORS - 12} more authors`],
  ['/papers/2604.10001', 200, 'The source gave no abstract.'],
  ['/papers/hep-ex/0307015', 200, 'arXiv&nbsp;hep-ex/0307015'],
  ['/papers/2604.10500', 200, '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['/papers/2604.99999', 404, 'It may be at arxiv.org/abs/2604.99999.'],
  ['/papers/2604.99999v2', 404, 'No list that we read has had arXiv 2604.99999.'],
  ['/papers/nothing-of-ours', 404, 'We have no paper with this id.'],
  ['/papers/file:0', 404, 'We have no paper with this id.'],
  [`/papers/${'9'.repeat(1_500)}`, 404, 'We have no paper with this id.'],
  [`/papers/${'9'.repeat(5_000)}`, 404, 'Page not found'],
  ['/papers/a%00b', 404, 'We have no paper with this id.'],
  ['/papers/%E6%9C%BA%E5%99%A8', 404, 'We have no paper with this id.'],
  ['/papers/%ff', 404, 'Page not found'],
  ['/papers/..%2f..%2fetc%2fpasswd', 404, 'We have no paper with this id.'],
  ['/papers/hep-ex/nothing', 404, 'No such paper'],
  ['/papers/2604.99999.bib', 404, 'No such paper'],
  ['/papers/2604.10000.bib', 200, '@'],
  ['/papers/2604.10001.ris', 200, 'TY  - '],
  ['/authors/ada-lovelace', 200, `${BUSY - 2} papers, the newest first`],
  ['/authors/ada-lovelace?page=99', 404, 'This list has'],
  ['/authors/%E7%8E%8B%E5%B0%8F%E6%98%8E', 200, '王小明'],
  ['/authors/nobody-at-all', 404, 'We have no paper by an author of this name.'],
  [`/authors/${'a'.repeat(1_500)}`, 404, 'We have no paper by an author of this name.'],
  ['/authors/%00', 404, 'We have no paper by an author of this name.'],
  ['/authors/----', 404, 'We have no paper by an author of this name.'],
  ['/topics/agents', 200, 'The best papers of the last five lists'],
  ['/topics/agents?page=999', 404, 'This list has'],
  ['/topics/alchemy', 404, 'There is no topic of this name.'],
  ['/topics/__proto__', 404, 'There is no topic of this name.'],
]

const SEARCHES: Case[] = [
  ['/search?q=agents', 200, 'papers'],
  [`/search?q=${'x'.repeat(10_240)}`, 400, 'Search for fewer words'],
  [`/search?q=${'%E6%9C%BA'.repeat(400)}`, 400, 'Search for fewer words'],
  [`/search?q=${'agents%20'.repeat(60)}`, 400, 'Search for fewer words'],
  ['/search?q=%26%20%7C%20!%20%3C-%3E%20:*', 400, 'Add a word that a paper must have.'],
  ['/search?q=-', 400, 'Add a word that a paper must have.'],
  ['/search?q=-agents', 400, 'Add a word that a paper must have.'],
  ['/search?q=%22%22', 400, 'Add a word that a paper must have.'],
  ['/search?q=or', 200, 'Search'],
  ['/search?q=%E6%9C%BA%E5%99%A8%E5%AD%A6%E4%B9%A0', 200, '1 paper'],
  ['/search?q=%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF', 200, 'No papers found'],
  ['/search?q=agents%00', 200, 'papers'],
  ['/search?q=%00', 400, 'Add a word'],
  ['/search?q=%ff', 200, 'Search'],
  ['/search?q=agents&q=models', 200, 'Search'],
  ["/search?q='%3B%20drop%20table%20papers%3B%20--", 200, 'No papers found'],
  ['/search?topic=alchemy', 400, 'Choose a topic of the list.'],
  ['/search?author=%2B%2B', 400, 'Write a name with letters'],
  ['/search?from=2026-02-30', 400, 'Write days as 2026-04-15.'],
  ['/search?from=2026-04-13&to=2026-04-01', 400, 'The first day must not be after the last.'],
  ['/search?from=2099-01-01', 200, 'No papers found'],
  ['/search?to=1999-01-01', 200, 'No papers found'],
  ['/search?q=agents&after=nowhere', 404, 'There is no such page of results.'],
  ['/search?q=agents&after=0.0001:zzzz', 200, /no more papers|papers/],
  ['/feeds/alchemy.atom', 404, 'There is no topic “alchemy”.'],
  ['/feeds/search.atom?q=-', 400, 'Add a word'],
  ['/feeds/search.json', 400, 'Say what to search for'],
  ['/feeds/all.atom', 200, '<feed'],
  ['/feeds/all.json', 200, '"items":[{'],
  ['/sitemaps/papers/2026-13.xml', 404, 'Page not found'],
  ['/sitemaps/papers/2026-04.xml', 200, '/papers/2604.10000'],
  ['/nowhere', 404, 'Page not found'],
  ['//evil.example/', 404, 'Page not found'],
]

/** What is wrong with the answers to some addresses, a line each. Of pages with one heading the first is validated. */
const judge = async (url: string, cases: readonly Case[]): Promise<string[]> => {
  const wrong: string[] = []
  const validated = new Set<string | undefined>()
  for (const [path, status, words] of cases) {
    const headers = { accept: 'text/html' }
    const answer = await fetch(url + path, { headers })
    const text = await answer.text()
    const note = (what: string) => wrong.push(`${path.slice(0, 80)}: ${what}`)
    if (answer.status !== status) note(`${answer.status}, not ${status}: ${/<p class="lede">([^<]*)/.exec(text)?.[1]}`)
    if (!(typeof words === 'string' ? text.includes(words) : words.test(text))) note(`it does not say ${words}`)
    const asked = { method: 'GET', path, headers, body: '' }
    const fault = faultOf(asked, { status: answer.status, headers: Object.fromEntries(answer.headers), body: text })
    if (fault !== null) note(fault)
    if (/\.(?:atom|json)\b/.test(path) && answer.status === 200)
      readFeed(text, path.includes('.atom') ? 'atom' : 'json')
    if (!answer.headers.get('content-type')?.includes('html')) continue
    if (Buffer.byteLength(text) > MAX_BYTES) note(`${Buffer.byteLength(text)} bytes`)
    if (text.match(/<h1/g)?.length !== 1) note('it has not one heading')
    if (status !== 200 && answer.headers.get('cache-control') !== 'no-store') note('an error may be kept')
    const heading = /<h1[^>]*>([^<]*)/.exec(text)?.[1]
    if (validated.has(heading)) continue
    validated.add(heading)
    for (const one of await findHtmlFaults(text)) note(one)
  }
  return wrong
}

test('every bad address is answered in words with the right status, without papers and with very many', {
  timeout: 300_000,
}, async () => {
  // Nothing has been seen by then.
  await using service = await startTestService({ clock: '2026-03-31T12:00:00Z', writePapers })
  expect(await judge(service.url, WITHOUT_PAPERS)).toEqual([])
  service.setClock('2026-04-14T12:00:00Z')
  for (const cases of [DAYS_AND_WEEKS, PAPERS, SEARCHES]) expect(await judge(service.url, cases)).toEqual([])
})
