/** What the threat model and SECURITY.md name is there: files, tests by their sentences, and settings. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const MODEL = read('docs/threat-model.md')
const SECURITY = read('SECURITY.md')

/** Each test file of a text in backticks, with the sentences in quotation marks behind it. */
const testsOf = (text: string): [file: string, sentences: string[]][] =>
  text
    .split(/(?=`[\w/-]+(?:\.slow)?\.test\.ts`)/)
    .filter((part) => /^`[\w/.-]+\.test\.ts`/.test(part))
    .map((part) => [
      /^`([^`]+)`/.exec(part)?.[1] ?? '',
      // What follows a row, or the end of a table, is not about this file.
      [...(part.split('\n', 1)[0] ?? '').matchAll(/“([^”]+)”/g)].map(([, sentence = '']) => sentence),
    ])

/** The names of a file's tests: of each `it` and `test`, whatever is asked of it, and of those that a table fills in. */
const namesIn = (source: string): string[] =>
  [...source.matchAll(/^\s*(?:(?:it|test)\b[^'"`\n]*\(\s*|\)\(\s*|)(['"`])((?:(?!\1).)+?)(?:\$\{\w+\})?\1,/gm)].map(
    ([, , name = '']) => name.replaceAll("\\'", "'"),
  )

test('each test that it names is a test, under that sentence', () => {
  const named = testsOf(MODEL)
  expect(named.length).toBeGreaterThan(40)
  for (const [file, sentences] of named) {
    expect([file, existsSync(join(ROOT, 'test', file))]).toEqual([file, true])
    expect([file, sentences.length]).not.toEqual([file, 0])
    const names = namesIn(read(join('test', file)))
    for (const sentence of sentences) expect([file, sentence, names.includes(sentence)]).toEqual([file, sentence, true])
  }
})

test('each attack has an answer, and a test that shows it', () => {
  const rows = MODEL.split('\n').filter((line) => line.split(' | ').length === 3 && !line.startsWith('| attack |'))
  expect(rows.length).toBeGreaterThan(25)
  for (const row of rows) {
    const [attack, answer, shown = ''] = row.split(' | ')
    expect([attack, answer]).not.toContain('')
    expect([attack, testsOf(shown).length]).not.toEqual([attack, 0])
  }
})

test('each file, setting and page that they name is there', () => {
  const settings = read('.env.example') + read('docker-compose.yml') + read('docs/settings.md')
  for (const text of [MODEL, SECURITY]) {
    for (const [, path = ''] of text.matchAll(/`((?:src|docs|\.ci|templates)\/[\w./-]+)`/g))
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true])
    for (const [, link = ''] of text.matchAll(/\]\((?:\.\.\/)?([\w./-]+)\)/g))
      expect([link, existsSync(join(ROOT, link))]).toEqual([link, true])
    for (const [, setting = ''] of text.matchAll(/`([A-Z][A-Z_]{3,})(?:=\w+)?`/g))
      expect([setting, settings.includes(setting)]).toEqual([setting, true])
  }
  expect(SECURITY).toContain('(docs/threat-model.md)')
})
