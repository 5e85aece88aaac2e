/** What arXiv says of a withdrawn paper, and what only looks like it. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tellsWithdrawal } from '../../../src/core/papers/withdrawal.ts'

/** The wrong ones of a file of phrasings, and how many there are in all. */
const check = (file: string) => {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const wrong = rows.filter((line) => {
    const [kind = '', field = '', text = ''] = line.split('\t')
    return tellsWithdrawal({ [field]: text }) !== (kind === 'withdrawn')
  })
  return { rows: rows.length, wrong }
}

const shared = resolve(import.meta.dirname, '../../../../shared/data/replies/withdrawn.tsv')

describe('a withdrawal', () => {
  it('is told from what only looks like one, in wordings of our own', () => {
    const { rows, wrong } = check(resolve(import.meta.dirname, 'withdrawal-phrasings.tsv'))
    expect(wrong).toEqual([])
    expect(rows).toBeGreaterThan(100)
  })

  it.skipIf(!existsSync(shared))('is told so in the recorded wordings too (needs ../shared/data)', () => {
    const { rows, wrong } = check(shared)
    expect(wrong).toEqual([])
    expect(rows).toBeGreaterThan(10)
  })

  it('is told in whatever case, with labels and among other remarks', () => {
    const text = 'This paper has been withdrawn by the authors'
    for (const comment of [text, text.toUpperCase(), `Note: ${text}.`, `arXiv admin note: ${text}`, `3 pages; ${text}`])
      expect(tellsWithdrawal({ comment })).toBe(true)
    expect(tellsWithdrawal({ abstract: `We study maps. They fold. ${text}.` })).toBe(true)
    expect(tellsWithdrawal({ comment: '', abstract: '' })).toBe(false)
  })

  it('is told by the newest version where a comment speaks of several', () => {
    expect(tellsWithdrawal({ comment: 'v1: withdrawn; v2: the proof is corrected' })).toBe(false)
    expect(tellsWithdrawal({ comment: 'v2: typos corrected; v3: withdrawn' })).toBe(true)
  })

  it('is looked for in bounded time, whatever the text', () => {
    for (const unit of [
      'withdrawn ',
      'this paper ',
      'we have ',
      'the authors have decided to ',
      'this paper, ',
      '(',
      'v1: ',
      '; ',
    ])
      expect(typeof tellsWithdrawal({ comment: `withdrawn ${unit.repeat(10_000 / unit.length)}` })).toBe('boolean')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tellsWithdrawal({ comment: `${text} withdrawn submission of others`, abstract: text })).toBeTypeOf(
          'boolean',
        )
      }),
    )
  })
})
