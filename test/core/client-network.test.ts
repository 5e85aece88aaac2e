/** Which addresses are one client's. */
import { expect, it } from 'vitest'
import { clientAddress, clientNetwork } from '../../src/core/client-network.ts'

it.each([
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:ffff:ffff:ffff', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['fe80::1%eth0', 'fe80::2', true],
  ['unknown', 'unknown', true],
])('%s and %s are one client: %s', (one, other, same) => {
  expect(clientNetwork(one) === clientNetwork(other)).toBe(same)
})

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['unknown', null],
  ['', null],
])('the address of %j is %j', (ip, address) => {
  expect(clientAddress(ip)).toBe(address)
})
