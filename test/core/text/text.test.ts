import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorLine, cleanLine, cleanText, httpsUrl } from '../../../src/core/text/text.ts'
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
    'https://192.168.0.1/setup.cgi?reboot',
    'https://2130706433/',
    'https://203.0.113.7/',
    'https://printer.local/',
    'https://wiki.internal/',
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

  it('leaves out nobody who is to be named', () => {
    expect(authorLine(['A', 'B', 'C', 'D', 'E', 'F'], ['D'])).toBe('A, B, … D, … F (6)')
    expect(authorLine(['A', 'B', 'C', 'D', 'E'], ['B', 'E', 'X'])).toBe('A, B, … E (5)')
  })
})
