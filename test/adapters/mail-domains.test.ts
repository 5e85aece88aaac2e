/** Whether domains take email, asked of a name server over the wire. */
import { expect, test } from 'vitest'
import { createLookup } from '../../src/adapters/checkup/name-servers.ts'
import { createTakesMail } from '../../src/adapters/mail-domains.ts'
import { openNameServer } from '../support/servers/name-server.ts'

const ZONE = {
  'mail.org MX': [{ priority: 10, exchange: 'mx.mail.org' }],
  'null.org MX': [{ priority: 0, exchange: '' }],
  'null.org A': ['192.0.2.7'],
  'host.org A': ['192.0.2.7'],
  'text.org TXT': [['v=spf1 -all']],
  'broken.org MX': 'failed' as const,
}

test('a domain takes mail by its MX records or its address, and none by a null MX or when there is nothing', async () => {
  await using server = await openNameServer(ZONE)
  const takesMail = createTakesMail(createLookup([server.address]), { deadline: 10_000 })
  const answers = await Promise.all(
    ['mail.org', 'host.org', 'null.org', 'text.org', 'nowhere.org', 'broken.org'].map((domain) => takesMail(domain)),
  )
  expect(answers).toEqual([true, true, false, false, false, null])
})

test('each domain is asked about once, and a failure is forgotten after a minute', async () => {
  await using server = await openNameServer(ZONE)
  let now = 1
  const takesMail = createTakesMail(createLookup([server.address]), { deadline: 10_000, monotonic: () => now })
  for (let time = 0; time < 3; time++) await Promise.all([takesMail('mail.org'), takesMail('mail.org')])
  expect(server.asked).toEqual(['mail.org MX'])
  await takesMail('broken.org')
  const asked = server.asked.length
  await takesMail('broken.org')
  expect(server.asked).toHaveLength(asked)
  now += 61_000
  await takesMail('broken.org')
  await takesMail('mail.org')
  expect(server.asked.length).toBeGreaterThan(asked)
  expect(server.asked.filter((question) => question === 'mail.org MX')).toHaveLength(1)
})

test('where no answer comes in time nobody waits, the answer is kept for the next, and no flood is passed on', async () => {
  const waiting: ((result: { kind: 'none' }) => void)[] = []
  const takesMail = createTakesMail(() => new Promise((resolve) => waiting.push(resolve)), { deadline: 1 })
  expect(await takesMail('slow.org')).toBeNull()
  expect(await takesMail('slow.org')).toBeNull()
  expect(waiting).toHaveLength(1)
  await Promise.all(Array.from({ length: 100 }, (_, n) => takesMail(`flood-${n}.org`)))
  expect(waiting).toHaveLength(20)
  // The name server comes back: MX, then A and AAAA.
  for (let at = 0; at < waiting.length; at++) {
    waiting[at]?.({ kind: 'none' })
    await new Promise(setImmediate)
  }
  expect(await takesMail('slow.org')).toBe(false)
})
