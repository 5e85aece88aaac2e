/** When the name that a reader follows is the one that a paper has. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorSlug, isFollowed, isWholeName, nameWords } from '../../../src/core/text/author-name.ts'

const follows = (wanted: string, given: string): boolean => isFollowed(nameWords(wanted), nameWords(given))

describe('a followed author', () => {
  test.each([
    ['Yann LeCun', 'yann lecun'],
    ['Jurgen Schmidhuber', 'Jürgen Schmidhuber'],
    ['Łukasz Kaiser', 'Lukasz Kaiser'],
    ['Hinton, Geoffrey', 'Geoffrey Hinton'],
    ['Geoffrey Hinton', 'Geoffrey E. Hinton'],
    ['G. Hinton', 'Geoffrey Hinton'],
    ['G. E. Hinton', 'Geoffrey Everest Hinton'],
    ['G. Hinton', 'G. Hinton'],
    ['Jean-Baptiste Alayrac', 'Jean Baptiste Alayrac'],
    ["Brendan O'Connor", 'Brendan O’Connor'],
    ['OpenAI', 'OpenAI'],
    ['王伟', '王伟'],
    ['Jiehao Wang', 'Jie-Hao Wang'],
    ['Jie Hao Wang', 'Jiehao Wang'],
    ['Ada Byron', 'Ada Byron, Jr.'],
    ['Ada Byron Jr.', 'Ada Byron'],
    ['ada byron iii', 'Ada Byron III'],
    ['Hasan, Md', 'Md Hasan'],
    ['van den Oord, Aaron', 'Aaron van den Oord'],
  ])('%s is %s', (wanted, given) => {
    expect(follows(wanted, given)).toBe(true)
  })

  test.each([
    ['John Smith', 'J. Smith'],
    ['John Smith', 'John Smithson'],
    ['J. Smith', 'Karl J. Smith'],
    ['J. Smith', 'John Adam Smith'],
    ['John Smith', 'John Adam Smith'],
    ['Smith', 'John Smith'],
    ['John A. Smith', 'John Smith'],
    ['Wei Wang', 'Wei Wan'],
    ['J. H. Wang', 'Jh Wang'],
    ['Jie Wang', 'Jiehao Wang'],
  ])('%s is not %s', (wanted, given) => {
    expect(follows(wanted, given)).toBe(false)
  })

  const name = fc
    .array(
      fc.oneof(
        fc.string({ unit: fc.constantFrom(...'abcdeéßø王'), minLength: 2, maxLength: 6 }),
        fc.constantFrom('J.', 'A.'),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((words) => words.join(' '))

  test('is followed under every name as it is written, in whatever case', () => {
    fc.assert(fc.property(name, (one) => follows(one, one) && follows(one.toUpperCase(), one.toLowerCase())))
  })

  test('has the surname that the reader wrote, whatever stands before it', () => {
    fc.assert(
      fc.property(name, name, (wanted, given) => {
        if (follows(wanted, given)) expect(nameWords(given).at(-1)).toBe(nameWords(wanted).at(-1))
      }),
    )
  })

  test('is more than initials', () => {
    expect(['J. S.', '', '..'].map((text) => isWholeName(nameWords(text)))).toEqual([false, false, false])
    expect(['J. Smith', '王'].map((text) => isWholeName(nameWords(text)))).toEqual([true, true])
  })
})

describe('the address of an author', () => {
  test.each([
    ['Geoffrey E. Hinton', 'geoffrey-hinton'],
    ['Hinton, Geoffrey', 'geoffrey-hinton'],
    ['Jie-Hao Wang', 'jiehao-wang'],
    ['J. H. Wang', 'j-h-wang'],
    ['J. Robert Oppenheimer', 'j-robert-oppenheimer'],
    ['Bernhard Schölkopf', 'bernhard-scholkopf'],
    ['王小明', '王小明'],
    ['Plato', 'plato'],
    ['***', ''],
  ])('of %s is %s', (name, slug) => {
    expect(authorSlug(name)).toBe(slug)
  })

  // Marks of two words that are written as one stand in their order; a name has two suffixes.
  const odd = ['\u{1d15e}\ufc5e 0', "e\u064c'\u0651 0", 'Ada Byron III, Jr.', 'Ada Byron III Jr.']
  test('is its own address, and goes through a URL unharmed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (name) => {
        const slug = authorSlug(name)
        expect(authorSlug(slug)).toBe(slug)
        expect(decodeURIComponent(encodeURIComponent(slug))).toBe(slug)
        expect(slug).not.toMatch(/[\s/?#.]/)
      }),
      { examples: odd.map((name) => [name]) },
    )
  })
})
