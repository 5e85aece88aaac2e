import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPhraseFinder, plainPhrase, quoteAt, tokenise } from '../../../src/core/text/phrases.ts'

/** The words that a finder of these phrases shows of a text. */
const shown = (phrases: string[], text: string): string[] =>
  createPhraseFinder(phrases)(tokenise(text)).map(({ start, end }) => text.slice(start, end))

describe('the plain form of a phrase', () => {
  it('is the same for every spelling', () => {
    const spellings = [
      'Scaling Laws',
      'scaling-law',
      'SCALING/LAWS',
      'scaling – law',
      'ｓｃａｌｉｎｇ laws',
      '$scaling$ law',
    ]
    for (const spelling of spellings) expect(plainPhrase(spelling)).toBe('scaling law')
  })

  it('folds plurals but no words that only look like one', () => {
    expect(plainPhrase('LLMs ontologies biases')).toBe('llm ontology biase')
    expect(plainPhrase('loss analysis corpus AIS')).toBe('loss analysis corpus ais')
  })

  it('keeps apostrophes and version numbers within their words', () => {
    expect(plainPhrase("Bayes’ model's v3.5")).toBe('baye model v35')
  })
})

describe('finding phrases', () => {
  it("shows them in the text's own words", () => {
    const text = 'Training GUI-Agents and a GUI\n agent, with Sim-to-Real transfer'
    expect(shown(['gui agent', 'sim to real'], text)).toEqual(['GUI-Agents', 'GUI\n agent', 'Sim-to-Real'])
  })

  it('finds phrases that overlap or hold one another', () => {
    expect(shown(['3d gaussian splatting', 'gaussian splatting', '3d'], '3D Gaussian Splatting')).toEqual([
      '3D',
      '3D Gaussian Splatting',
      'Gaussian Splatting',
    ])
  })

  it('does not go on across a comma, a bracket, a quotation mark or the end of a sentence', () => {
    for (const text of ['a tool. Use it', 'a tool, use', 'tool (use)', 'the “tool” use', 'tool: use', 'tool — use']) {
      expect(shown(['tool use'], text)).toEqual([])
    }
  })

  it('does not find a phrase inside a longer word', () => {
    expect(shown(['lora', 'rag'], 'exploration of fragments')).toEqual([])
  })

  it('finds nothing in nothing, and no empty phrase', () => {
    expect(shown(['', '–', 'tool use'], '')).toEqual([])
    expect(shown(['', '–'], 'tool use – and more')).toEqual([])
  })

  it('gives places that stand in the text and read as the phrase, whatever the text', () => {
    const bits = fc.constantFrom(
      'tool',
      'Tools',
      ' ',
      '-',
      'use',
      'USE',
      '. ',
      '$',
      '\\',
      'ﬁ',
      'e\u0301',
      '“',
      '👩‍💻',
      "'",
    )
    const text = fc.array(fc.oneof(bits, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 40 })
    fc.assert(
      fc.property(text, (parts) => {
        const whole = parts.join('')
        const tokens = tokenise(whole)
        for (const [at, token] of tokens.entries()) {
          expect(token.start).toBeGreaterThanOrEqual(tokens[at - 1]?.end ?? 0)
          expect(token.end).toBeGreaterThan(token.start)
        }
        for (const words of shown(['tool use', 'use', 'tool'], whole)) {
          expect(['tool use', 'use', 'tool']).toContain(plainPhrase(words))
        }
      }),
    )
  })

  it('is quoted with the rest of the words joined to it by hyphens', () => {
    const quotedIn = (text: string, words: string): string => {
      const start = text.indexOf(words)
      return quoteAt(text, start, start + words.length)
    }
    expect(quotedIn('a non-autoregressive text-to-speech-synthesis, or', 'text-to-speech')).toBe(
      'text-to-speech-synthesis',
    )
    expect(quotedIn('the Qwen2.5-Omni-7B model', 'Omni')).toBe('Qwen2.5-Omni-7B')
    expect(quotedIn('agents – tools - use', 'tools')).toBe('tools')
    expect(quotedIn('(video\n generation)', 'video\n generation')).toBe('video generation')
  })

  it('finds a phrase however its words are joined, cased and surrounded', () => {
    const join = fc.constantFrom(' ', '-', '/', ' - ', '\n', '‑')
    const around = fc.constantFrom('', ' ', '. ', ' of the ', '(', ', ')
    fc.assert(
      fc.property(join, join, around, fc.boolean(), (first, second, beside, upper) => {
        const written = `mixture${first}of${second}experts`
        const words = upper ? written.toUpperCase() : written
        expect(shown(['mixture of experts'], `a${beside === '' ? ' ' : beside} ${words}${beside}.`)).toEqual([words])
      }),
    )
  })
})
