/** Which spellings of an address are one mailbox, and who owns a recipient's domain. */
import { expect, it, test } from 'vitest'
import { mailboxKey, recipientDomain } from '../../../src/core/subscriber/mailbox.ts'

it.each([
  ['Ada@Example.org', 'ada@example.org'],
  ['ada+papers@example.org', 'ada@example.org'],
  ['a.d.a@example.org', 'a.d.a@example.org'],
  ['A.d.a+x+y@GoogleMail.com', 'ada@gmail.com'],
  ['ada@gmail.com', 'ada@gmail.com'],
  ['+ada@gmail.com', '@gmail.com'],
  ['ada+x@me.com', 'ada@icloud.com'],
  ['a_d.a-@pm.me', 'ada@proton.me'],
  ['a.da@ya.ru', 'a-da@yandex.ru'],
  ['ada@hotmail.com', 'ada@hotmail.com'],
])('the key of %s is %s', (address, key) => {
  expect(mailboxKey(address)).toBe(key)
})

test('the spellings of one mailbox have one key, at each provider that has several', () => {
  const keys = (...addresses: string[]) => new Set(addresses.map(mailboxKey)).size
  expect(keys('ada@icloud.com', 'ada@me.com', 'ADA@mac.com')).toBe(1)
  expect(keys('ada@proton.me', 'ada@pm.me', 'ada@protonmail.com', 'a.da+x@protonmail.ch')).toBe(1)
  expect(keys('a-da@yandex.ru', 'a.da@yandex.com', 'a-da@ya.ru', 'a.da+x@yandex.kz')).toBe(1)
  expect(keys('+x@gmail.com', '+y@gmail.com', '+x.y@googlemail.com')).toBe(1)
  expect(keys('ada@outlook.com', 'ada@hotmail.com', 'ada@live.com')).toBe(3)
})

test('a domain is its owner’s with all that is below it, and none at a provider for everybody', () => {
  expect(recipientDomain('ada@cs.uni.ac.uk')).toBe('uni.ac.uk')
  expect(recipientDomain('ada@Maths.uni.ac.uk')).toBe('uni.ac.uk')
  expect(recipientDomain('ada@ya.ru')).toBeNull()
  expect(recipientDomain('ada@gmail.com')).toBeNull()
})
