import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorLine, cleanLine, cleanText, excerpt, httpsUrl } from '../../../src/core/text/text.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

/** Text as hostile as it comes: any UTF-16 unit, and the characters that this file is about more often than chance. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom('\r', '\n', '\0', '\u0085', '\u202e', '\u2066', '\u200b', '\u200d', '\ufeff', '\ud800', '\udc00'),
      fc.constantFrom(
        'e\u0301',
        '\u0301',
        '\u0338',
        '👩‍💻',
        '🏽',
        '🇩🇪',
        '\u00ad',
        '\u{e0041}',
        '\u2028',
        'ᄀ',
        'ᅡ',
        ' ',
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))

describe('cleaning a line', () => {
  it('folds every kind of white space, new lines included, to single spaces', () => {
    expect(cleanLine('  Long\r\n  titles \t break\u00a0here\u2028 and there\n', 100)).toBe(
      'Long titles break here and there',
    )
  })

  it('takes out controls, direction overrides, invisible characters and lone surrogates', () => {
    expect(cleanLine('a\0b\u0007c\u009bd\u202ee\u2066f\u200bg\u00adh\ufeffi\ud800j\u{e0041}k\uffffl', 100)).toBe(
      'abcdefghijkl',
    )
  })

  it('composes letters and their marks', () => {
    expect(cleanLine('Poke\u0301mon', 100)).toBe('Pok\u00e9mon')
  })

  it('keeps a colour emoji and languages other than English as they are', () => {
    expect(cleanLine('❤️ 変換 ترجمة Перевод 🤖', 100)).toBe('❤️ 変換 ترجمة Перевод 🤖')
  })

  it('thins out marks that are piled on one letter', () => {
    expect(cleanLine(`Z${'\u0335'.repeat(200)}algo`, 100)).toBe(`Z${'\u0335'.repeat(4)}algo`)
  })

  it('cuts no pair of surrogates, no letter from its marks and no flag in two', () => {
    expect(cleanLine('ab🤖', 3)).toBe('ab')
    expect(cleanLine('abx\u0338', 3)).toBe('ab')
    expect(cleanLine('a🇩🇪', 3)).toBe('a')
    expect(cleanLine('a👍🏽', 3)).toBe('a')
    expect(cleanLine('one two', 4)).toBe('one')
  })

  it('is the same done twice, never longer than asked, and leaves nothing that breaks a header or a database', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 0, max: 60 }), (text, length) => {
        const line = cleanLine(text, length)
        expect(line.length).toBeLessThanOrEqual(length)
        expect(cleanLine(line, length)).toBe(line)
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u)
        expect(line.isWellFormed()).toBe(true)
        expect(line).toBe(line.trim())
        expect(line).not.toContain('  ')
        expect(line.normalize('NFC')).toBe(line)
      }),
      { numRuns: propertyRuns(1000) },
    )
  })

  it('changes nothing in a clean text that is short enough', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = cleanText(text)
        expect(cleanText(line, line.length)).toBe(line)
      }),
    )
  })
})

describe('links that may be followed', () => {
  it.each([
    ['https://github.com/ZJU-REAL/ClawGUI', 'https://github.com/ZJU-REAL/ClawGUI'],
    [' https://example.org ', 'https://example.org/'],
    ['HTTPS://Example.org/A b'.replace(' ', '%20'), 'https://example.org/A%20b'],
    ['https://bücher.example/"x"', 'https://xn--bcher-kva.example/%22x%22'],
  ])('takes %j', (text, url) => expect(httpsUrl(text)).toBe(url))

  it.each([
    'http://example.org/',
    'javascript:alert(1)',
    'data:text/html,hi',
    'https://user:secret@example.org/',
    'https://user@example.org/',
    'https://example.org\\@evil.example/',
    'https://exa\nmple.org/',
    'https://',
    'https://localhost/admin',
    'https://[::1]/',
    '//example.org/',
    'github.com/x/y',
    '',
    `https://example.org/${'a'.repeat(2_000)}`,
  ])('refuses %j', (text) => expect(httpsUrl(text)).toBeNull())

  it('only ever gives https addresses that can be parsed again to the same', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          fc.webUrl(),
          fc.webUrl().map((url) => url.replace('http:', 'https:')),
        ),
        (text) => {
          const url = httpsUrl(text)
          if (url !== null) expect([new URL(url).protocol, httpsUrl(url)]).toEqual(['https:', url])
        },
      ),
    )
  })
})

describe('the author line', () => {
  it.each([
    [[], ''],
    [['A'], 'A'],
    [['A', 'B'], 'A and B'],
    [['A', 'B', 'C'], 'A, B and C'],
    [['A', 'B', 'C', 'D'], 'A, B, C and D'],
    [[...'ABCDEFG'], 'A, B, … G (7)'],
  ])('of %j is %j', (authors, line) => expect(authorLine(authors)).toBe(line))
})

describe('an excerpt', () => {
  const filler = (length: number): string =>
    'word '
      .repeat(Math.ceil(length / 5))
      .slice(0, length - 1)
      .trimEnd()

  it('is the whole text where that is short', () => {
    expect(excerpt('Short. And whole')).toBe('Short. And whole')
    expect(excerpt('')).toBe('')
  })

  it('is the first two sentences where they fit, and the first alone where only that does', () => {
    const text = `A${filler(200)}. B${filler(170)}. C${filler(20)}. D${filler(400)}.`
    expect(excerpt(text)).toBe(text.slice(0, text.indexOf(' C')))
    expect(excerpt(text, 300)).toBe(text.slice(0, text.indexOf(' B')))
    expect(excerpt('One. Two. Three.')).toBe('One. Two.')
  })

  it('is cut at a word where the first sentence is too long, or too short to stand alone', () => {
    expect(excerpt(`A${filler(500)}.`)).toMatch(/word…$/)
    const text = `Short. B${filler(600)}.`
    expect(excerpt(text)).toMatch(/^Short\. B.*word…$/)
    expect(excerpt(text).length).toBeLessThanOrEqual(450)
  })

  it.each([
    'e.g. Rome',
    'i.e. Paris',
    'et al. (2024)',
    'Fig. 3',
    'vs. Baselines',
    'J. Smith',
    '3.5 points',
    'the U.S. Senate',
  ])('does not take %j for the end of a sentence', (words) => {
    const text = `A${filler(240)} ${words} ${filler(400)}`
    const short = excerpt(text)
    expect(short.endsWith('…')).toBe(true)
    expect(short.length).toBeGreaterThan(430)
  })

  it('takes a stop inside closing quotes and brackets along', () => {
    const text = `A${filler(250)} (and so on.) ${filler(400)}`
    expect(excerpt(`${text.replace('(and so on.) word', '(and so on.) Word')}`)).toMatch(/\(and so on\.\)$/)
  })

  it('knows the full stop of Chinese and cuts a text without spaces between characters', () => {
    const sentence = `${'研'.repeat(270)}。`
    expect(excerpt(sentence + '究'.repeat(300))).toBe(sentence)
    expect(excerpt('研究'.repeat(300))).toBe(`${'研究'.repeat(300).slice(0, 449)}…`)
  })

  it('drops a comma or bracket before the dots', () => {
    const text = `${'word '.repeat(86)}word, (${'x'.repeat(300)}`
    expect(excerpt(text)).toMatch(/word…$/)
  })

  it('is always a beginning of the text, no longer than asked, and well formed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.lorem(), hostile), { maxLength: 40 }),
        fc.integer({ min: 20, max: 400 }),
        (parts, most) => {
          const text = cleanText(parts.join(' '))
          const short = excerpt(text, most)
          expect(short.length).toBeLessThanOrEqual(most)
          expect(text.startsWith(short.replace(/…$/, '')) || text.startsWith(short)).toBe(true)
          expect(short.isWellFormed()).toBe(true)
        },
      ),
    )
  })

  it('takes no longer than its length for a text made to be slow', () => {
    expect(excerpt(`${'.'.repeat(9_000)}x`)).toMatch(/…$/)
    expect(excerpt(`a${'("'.repeat(5_000)}`).length).toBeLessThanOrEqual(450)
  })
})
