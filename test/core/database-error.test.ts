/** What errors of Postgres and of the connection to it mean. */
import { expect, test } from 'vitest'
import { isAway, isDiskFull, isMissing, isOutage, whyRefused } from '../../src/core/database-error.ts'

const withCode = (code: string, message = 'refused') => Object.assign(new Error(message), { code })

test.each<[string, Error, string[]]>([
  ['a value that no column takes', withCode('22008'), ['refused']],
  ['a violated constraint', withCode('23514'), ['refused']],
  ['a value too long for an index', withCode('54000'), ['refused']],
  ['what a trigger raises', withCode('P0001'), ['refused']],
  ['a date that no calendar has', new RangeError('Invalid time value'), ['refused']],
  ['a full disk of the server', withCode('53100'), ['full', 'outage']],
  ['a full disk of ours', withCode('ENOSPC'), ['full', 'outage']],
  ['a table that is gone', withCode('42P01'), ['missing', 'outage']],
  ['a lock that was not had', withCode('55P03'), ['outage']],
  ['a server that ends', withCode('57P01'), ['away', 'outage']],
  ['a server that is not there', withCode('ECONNREFUSED'), ['away', 'outage']],
  ['a connection that broke', new Error('Connection terminated unexpectedly'), ['away', 'outage']],
  ['an error of Node', withCode('ERR_INVALID_ARG_TYPE'), []],
  ['an error of ours', new TypeError('dueAt.getTime is not a function'), []],
])('%s', (_, error, expected) => {
  const found = {
    refused: whyRefused(error) !== null,
    full: isDiskFull(error),
    missing: isMissing(error),
    away: isAway(error),
    outage: isOutage(error),
  }
  expect(Object.entries(found).flatMap(([name, holds]) => (holds ? [name] : []))).toEqual(expected)
})

test('what is thrown and no error means nothing', () => {
  for (const thrown of [null, undefined, 'gone', { code: '53100' }])
    expect([isDiskFull(thrown), isAway(thrown), isOutage(thrown), whyRefused(thrown)]).toEqual([
      false,
      false,
      false,
      null,
    ])
})
