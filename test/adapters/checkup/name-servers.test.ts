/** Questions to a name server, over the wire. */
import { expect, test } from 'vitest'
import { createLookup } from '../../../src/adapters/checkup/name-servers.ts'
import { openNameServer } from '../../support/servers/name-server.ts'

test('each type of record is read as it is written, none is none, and a failure has its reason', async () => {
  await using server = await openNameServer({
    'example.org A': ['192.0.2.7'],
    'example.org MX': [{ priority: 10, exchange: 'mx.example.org' }],
    'example.org TXT': [['v=spf1 ', '~all'], ['other']],
    '7.2.0.192.in-addr.arpa PTR': ['mail.example.org'],
    'broken.example.org TXT': 'failed',
  })
  const lookup = createLookup([server.address])
  expect(await lookup('example.org', 'A')).toEqual({ kind: 'records', records: ['192.0.2.7'] })
  expect(await lookup('example.org', 'MX')).toMatchObject({
    kind: 'records',
    records: [{ priority: 10, exchange: 'mx.example.org' }],
  })
  expect(await lookup('example.org', 'TXT')).toEqual({ kind: 'records', records: [['v=spf1 ', '~all'], ['other']] })
  expect(await lookup('192.0.2.7', 'PTR')).toEqual({ kind: 'records', records: ['mail.example.org'] })
  expect(await lookup('example.org', 'AAAA')).toEqual({ kind: 'none' })
  expect(await lookup('nowhere.example.org', 'A')).toEqual({ kind: 'none' })
  expect(await lookup('broken.example.org', 'TXT')).toEqual({
    kind: 'failed',
    reason: 'the name server failed (SERVFAIL)',
  })
})

test('an impossible name has no records, and a name server that is away is reported', async () => {
  const lookup = createLookup(['127.0.0.1:1'])
  expect(await lookup('example.org', 'A')).toEqual({ kind: 'failed', reason: 'no name server could be reached' })
  expect(await lookup(`${'a'.repeat(70)}.example.org`, 'A')).toMatchObject({
    kind: expect.stringMatching(/none|failed/),
  })
})
