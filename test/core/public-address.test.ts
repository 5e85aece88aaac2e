/** Which addresses are anybody's on the internet. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPublicAddress, readIpAddress } from '../../src/core/public-address.ts'

describe('an address', () => {
  test.each(
    (
      '127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 ' +
      '255.255.255.255 224.0.0.1 192.0.2.1 198.51.100.7 203.0.113.9 198.18.0.1 240.0.0.1 192.0.0.8 ' +
      '::1 :: fc00::1 fd12:3456::1 fe80::1 ff02::1 2001:db8::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ' +
      '64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 ' +
      'localhost 127.1 0x7f000001 2130706433 0177.0.0.1'
    ).split(' '),
  )('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each('1.1.1.1 172.32.0.1 100.128.0.1 192.169.0.1 2606:4700:4700::1111 2a00:1450::1 64:ff9b::101:101'.split(' '))(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  test('has one spelling, and nothing else makes reading it fail', () => {
    expect(readIpAddress('2606:4700::0:0:1')).toBe(readIpAddress('2606:4700:0000::1'))
    expect(readIpAddress('::ffff:1.1.1.1')).toBe('1.1.1.1')
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), (text) => void isPublicAddress(text)))
  })
})
