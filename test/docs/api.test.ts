/** docs/api.md: every command of it, typed in order against a service, and the answers beside what the page shows. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startTestService } from '../support/servers/service.ts'

const run = promisify(execFile)
/** Between the answers of two commands: no JSON has it. */
const END = '\u001e'

/** What stands in a JSON example is there in the answer: every field, of the same kind; of a list its first item. */
const shapeOf = (shown: unknown, answer: unknown): unknown => {
  if (shown === null || answer === null) return shown === null ? null : typeof answer
  if (Array.isArray(shown)) return Array.isArray(answer) && answer.length > 0 ? [shapeOf(shown[0], answer[0])] : answer
  if (typeof shown !== 'object') return typeof answer === typeof shown ? shown : answer
  if (typeof answer !== 'object') return answer
  const of = answer as Record<string, unknown>
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, shapeOf(value, of[name])]))
}

test('every command of docs/api.md works as it stands, and is answered as the page shows', async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    settings: { PAPER_SOURCES: 'sample', DOMAIN_LOOKUPS: 'off' },
  })
  const page = await readFile(join(import.meta.dirname, '../../docs/api.md'), 'utf8')
  const blocks = [...page.matchAll(/^ *```(sh|json)\n(.*?)^ *```/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
  const commands = blocks.filter(({ language }) => language === 'sh')
  const script = commands.map(({ text }) => `${text}\nprintf '${END}'\n`).join('')
  const { stdout } = await run('bash', [
    '-euo',
    'pipefail',
    '-c',
    script.replace('SITE=http://localhost:8080', `SITE=${service.url}`),
  ])
  const answers = stdout.split(END).slice(0, -1)
  expect(answers).toHaveLength(commands.length)
  expect(commands.length).toBeGreaterThan(10)
  for (const [at, { language, text }] of blocks.entries()) {
    if (language !== 'json') continue
    const command = blocks[at - 1] ?? { text: '' }
    const shown = JSON.parse(text)
    const answer = JSON.parse(answers[commands.indexOf(command as (typeof commands)[number])] ?? '')
    expect([command.text, shapeOf(shown, answer)]).toEqual([command.text, shown])
  }
  const revalidated = commands.findIndex(({ text }) => text.includes('If-None-Match'))
  expect(answers[revalidated]?.trim()).toBe('304')
  await service.mail.waitFor('ada@example.org', 1)
})
