/** A list of subscribers as a table: its first line, and what is read of a row or refused. */
import { describe, expect, test } from 'vitest'
import {
  type ColumnPlaces,
  type ListColumn,
  readHeader,
  UnreadableList,
} from '../../../src/core/subscriber/list-columns.ts'
import { createRowReader } from '../../../src/core/subscriber/list-row.ts'
import { STANDARD } from '../../../src/core/subscriber/preferences.ts'

describe('the first line', () => {
  test.each([
    ['email,topics', { email: 0, topics: 1 }],
    ['Topics, E-Mail ', { email: 1, topics: 0 }],
    ['Email Address,STATUS,Time Zone,When-Empty', { email: 0, state: 1, timezone: 2, when_empty: 3 }],
    ['name,email,legacy_token', { email: 1, legacy_token: 2 }],
  ])('%s names the columns however it spells them', (line, places) => {
    expect(Object.fromEntries(readHeader(line.split(',')).places)).toEqual(places)
  })

  test('has columns by another name where that is said, and tells which are not imported', () => {
    const mapped = new Map<ListColumn, string>([
      ['email', 'adresse'],
      ['topics', 'Themen'],
    ])
    const { places, ignored } = readHeader(['Name', 'Adresse', 'themen', 'email'], mapped)
    expect(Object.fromEntries(places)).toEqual({ email: 1, topics: 2 })
    expect(ignored).toEqual(['Name', 'email'])
  })

  test('leaves out what a report of refused rows said', () => {
    const header = ['refused_line', 'refused_column', 'refused_problem', 'refused_expected', 'email']
    const { places, ignored, refusals } = readHeader(header)
    expect([Object.fromEntries(places), ignored, [...refusals]]).toEqual([{ email: 4 }, [], [0, 1, 2, 3]])
  })

  test.each([
    [
      ['name', 'topics'],
      'no column is called email; the first line names “name”, “topics”. Say which has the addresses by --column email=HEADER',
    ],
    [
      ['ada@example.org', 'robotics'],
      'the first line is a row; write the names of the columns above it, such as email,topics',
    ],
    [['email', 'E-Mail'], '“email” and “E-Mail” are both email; name the right one by --column email=HEADER'],
    [
      [''],
      'no column is called email; the first line names nothing. Say which has the addresses by --column email=HEADER',
    ],
  ])('%j is refused with what would be right', (header, message) => {
    expect(() => readHeader(header)).toThrow(new UnreadableList(message))
  })

  test('without a header that was named is refused', () => {
    expect(() => readHeader(['email'], new Map<ListColumn, string>([['topics', 'Themen']]))).toThrow(
      'there is no column “Themen”; the first line names “email”',
    )
  })
})

const columns = (...names: ListColumn[]): ColumnPlaces => readHeader(names)

describe('a row', () => {
  test('with an address alone is somebody who gets what trends, daily', () => {
    expect(createRowReader(columns('email'))(['Ada@Example.ORG'])).toEqual({
      reader: {
        address: 'Ada@example.org',
        preferences: { ...STANDARD, trending: true, topics: [] },
        legacyToken: null,
      },
    })
  })

  test('has every choice, with lists in a cell in any of the usual ways', () => {
    const read = createRowReader(
      columns(
        'email',
        'topics',
        'keywords',
        'authors',
        'frequency',
        'hour',
        'weekday',
        'timezone',
        'papers',
        'state',
        'legacy_token',
      ),
    )
    const cells = [
      ' ada@example.org ',
      'Robotics; code|trending',
      'Lean 4; sheet music',
      'Grace Hopper; Hinton, Geoffrey',
      'Weekly',
      '07:00',
      '3',
      'europe/london',
      '5',
      'Enabled',
      'AbC-0123_xyz=',
    ]
    expect(read(cells)).toEqual({
      reader: {
        address: 'ada@example.org',
        legacyToken: 'AbC-0123_xyz=',
        preferences: {
          ...STANDARD,
          trending: true,
          topics: ['code', 'robotics'],
          keywords: ['Lean 4', 'sheet music'],
          authors: ['Hinton, Geoffrey', 'Grace Hopper'],
          frequency: 'weekly',
          hour: 7,
          weekday: 3,
          timeZone: 'Europe/London',
          papers: 5,
        },
      },
    })
  })

  test('takes what is said for empty cells and missing columns, and reads back what an export wrote against formulas', () => {
    const defaults = new Map<ListColumn, string>([
      ['topics', 'robotics'],
      ['timezone', 'Europe/Paris'],
    ])
    const read = createRowReader(columns('email', 'topics'), defaults)
    expect(read(["'+ada@example.org", ''])).toMatchObject({
      reader: { address: '+ada@example.org', preferences: { topics: ['robotics'], timeZone: 'Europe/Paris' } },
    })
    expect(read(['b@example.org', 'code'])).toMatchObject({ reader: { preferences: { topics: ['code'] } } })
  })

  test('that is wrong says each column, what is wrong with it and what would be right', () => {
    const read = createRowReader(columns('email', 'topics', 'frequency', 'hour', 'timezone', 'state', 'legacy_token'))
    const { errors } = read(['ada', 'cooking', 'monthly', '24', 'Mars', 'unsubscribed', '12345678901234']) as {
      errors: { field: string; problem: string; expected: string }[]
    }
    expect(errors.map(({ field }) => field)).toEqual([
      'email',
      'state',
      'topics',
      'frequency',
      'hour',
      'timezone',
      'legacy_token',
    ])
    for (const { problem, expected } of errors) expect([problem.length > 10, expected.length > 4]).toEqual([true, true])
    expect(errors[0]).toEqual({
      field: 'email',
      problem: 'Enter an address with an @, such as ada@example.org.',
      expected: 'one address such as ada@example.org',
    })
  })

  test.each([
    [['ada@example.org'], 'The row has 1 cell, and the first line names 2 columns.'],
    [['ada@example.org', 'code', 'robotics'], 'The row has 3 cells, and the first line names 2 columns.'],
    [['ada@example.org', 'Schr\ufffddinger'], 'It has octets that are no text in this encoding.'],
    [['ada@example.org, grace@example.org', ''], 'Enter only one address, such as ada@example.org.'],
  ])('%j is refused', (cells, problem) => {
    expect(createRowReader(columns('email', 'keywords'))(cells)).toMatchObject({ errors: [{ problem }] })
  })

  test.each(['short', '123456789012345678', 'has space in it', 'https://old.example.org/u/abcdefgh', 'x'.repeat(201)])(
    'with the token %s, which somebody guesses or which is none, is refused',
    (token) => {
      expect(createRowReader(columns('email', 'legacy_token'))(['ada@example.org', token])).toMatchObject({
        errors: [{ field: 'legacy_token' }],
      })
    },
  )
})
