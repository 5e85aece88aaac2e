/** The documentation holds together: every page is in the index, every link leads somewhere, every file that is named exists. */
import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize, relative } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...(await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
]
const textOf = (page: string): Promise<string> => readFile(join(ROOT, page), 'utf8')

/** As a heading is named in a link: lower case, without punctuation, spaces as hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

test('every page of docs/ is in its index', async () => {
  const index = await textOf('docs/README.md')
  const missing = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
  expect(missing.filter((page) => !index.includes(`(${relative('docs', page)})`))).toEqual([])
})

test.each(pages)('every link of %s leads to a file, and to a heading that is there', async (page) => {
  const text = await textOf(page)
  for (const [, path = '', anchor] of text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
    const target = path === '' ? page : normalize(join(dirname(page), path))
    await access(join(ROOT, target))
    if (anchor === undefined) continue
    const headings = [...(await textOf(target)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
    expect(headings, `${page} links to #${anchor}`).toContain(anchor)
  }
})

test('every file of the code that docs/code.md names exists', async () => {
  const text = await textOf('docs/code.md')
  const floors = ['adapters/', 'core/', 'http/', 'newsletter/', 'store/']
  const named = [
    ...text.matchAll(/`((?:src|workers|test|templates|migrations|adapters|core|http|newsletter|store)\/[\w./-]*)`/g),
  ].map(([, path = '']) => (floors.some((floor) => path.startsWith(floor)) ? `src/${path}` : path))
  expect(named.length).toBeGreaterThan(40)
  const absent = await Promise.all(
    named.map((path) =>
      access(join(ROOT, path)).then(
        () => null,
        () =>
          access(join(ROOT, `${path}.ts`)).then(
            () => null,
            () => path,
          ),
      ),
    ),
  )
  expect(absent.filter((path) => path !== null)).toEqual([])
})
