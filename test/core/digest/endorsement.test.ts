import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endorsedBy, LEAST_READERS } from '../../../src/core/digest/endorsement.ts'

const NONE = { votes: 0, pick: null, pin: null }
const ada = (note: string | null) => ({ curator: 'Ada Lovelace', note })
const noteOf = (note: string) => endorsedBy({ ...NONE, pick: ada(note) }, false).pick?.note

describe('what is shown of readers and curators', () => {
  it('is no number of readers that could tell on one of them', () => {
    expect(endorsedBy(NONE, false)).toEqual({})
    expect(endorsedBy({ ...NONE, votes: LEAST_READERS - 1 }, false)).toEqual({})
    expect(endorsedBy({ ...NONE, votes: LEAST_READERS }, false)).toEqual({ readers: 5 })
  })

  it('quotes a note within quotes, on one line and short', () => {
    expect(noteOf('Read “the ablation”\n  and "the rest"')).toBe('Read ‘the ablation’ and ‘the rest’')
    expect(noteOf('Its ablation alone is worth an hour of anybody’s morning. '.repeat(5))).toMatch(/^Its .{44,75}[.…]$/)
    expect(noteOf('\u200b ')).toBeNull()
  })

  it('names who pinned a paper where it stands first, and else who picked it', () => {
    const grace = { curator: 'Grace Hopper', note: null }
    const both = { votes: 0, pick: ada('Why'), pin: grace }
    expect(endorsedBy(both, true).pick).toEqual({ by: 'Grace Hopper', note: null, pinned: true })
    expect(endorsedBy(both, false).pick).toEqual({ by: 'Ada Lovelace', note: 'Why' })
    expect(endorsedBy({ ...both, pick: null }, false).pick).toEqual({ by: 'Grace Hopper', note: null })
    expect(endorsedBy({ ...both, pin: ada(null) }, true).pick).toEqual({
      by: 'Ada Lovelace',
      note: 'Why',
      pinned: true,
    })
  })

  it('is one short line without double quotes or anything invisible, whatever was written', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 700 })
    fc.assert(
      fc.property(anything, anything, (curator, note) => {
        const { pick } = endorsedBy({ ...NONE, pick: { curator, note } }, false)
        for (const text of [pick?.by ?? '', pick?.note ?? '']) {
          expect(text).not.toMatch(/[\p{Cc}"“”„«»\u2028\u202e]/u)
          expect(text.length).toBeLessThanOrEqual(80)
          expect(text.isWellFormed()).toBe(true)
        }
      }),
    )
  })
})
