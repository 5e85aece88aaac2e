import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mailboxKey, readAddress } from '../../../src/core/subscriber/address.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const long = (length: number) => 'a'.repeat(length)

describe('an address', () => {
  it.each([
    ['ada@example.org', 'ada@example.org'],
    ['  ada@example.org\t', 'ada@example.org'],
    ['Ada.Lovelace+papers@Example.ORG', 'Ada.Lovelace+papers@example.org'],
    ["o'brien_x/y=z@mail.example.co.uk", "o'brien_x/y=z@mail.example.co.uk"],
    ['ada@bücher.example.com', 'ada@xn--bcher-kva.example.com'],
    ['ada@example。org', 'ada@example.org'],
    ['ada@xn--bcher-kva.de', 'ada@xn--bcher-kva.de'],
    // A homograph is taken for what it is: Cyrillic letters show as A-labels, never as the name they resemble.
    ['ada@еxample.org', 'ada@xn--xample-2of.org'],
    [`${long(64)}@example.org`, `${long(64)}@example.org`],
  ])('%j is taken as %j', (typed, address) => {
    expect(readAddress(typed)).toEqual({ address })
  })

  it.each([
    ['', 'Write your email address, such as ada@example.org.'],
    ['   ', 'Write your email address, such as ada@example.org.'],
    ['ada', 'Write an address with an @, such as ada@example.org.'],
    ['@example.org', 'Write a name before the @, such as ada@example.org.'],
    ['ada@', 'Write a domain after the @, such as ada@example.org.'],
    ['a@b.org,c@d.org', 'Write one address only, such as ada@example.org.'],
    ['a@b.org;c@d.org', 'Write one address only, such as ada@example.org.'],
    ['a@b@example.org', 'Write one address only, such as ada@example.org.'],
    ['Ada <ada@example.org>', 'Write the address alone, without a name, quotes or brackets, such as ada@example.org.'],
    ['"a@b"@example.org', 'Write the address alone, without a name, quotes or brackets, such as ada@example.org.'],
    ['ada(x)@example.org', 'Write the address alone, without a name, quotes or brackets, such as ada@example.org.'],
    ['ada lovelace@example.org', 'Write the address without spaces, such as ada@example.org.'],
    ['ada@exam\u200bple.org', 'Write the address without spaces, such as ada@example.org.'],
    ['ada@example.org\u0000', 'Write the address without spaces, such as ada@example.org.'],
    ['ada@example.org\r\nRCPT TO:<v@evil.example>', 'Write one address on one line.'],
    ['ada@example.org\n', 'Write one address on one line.'],
    ['.ada@example.org', 'Write letters, digits and single dots between them before the @, such as ada@example.org.'],
    ['ada.@example.org', 'Write letters, digits and single dots between them before the @, such as ada@example.org.'],
    ['a..b@example.org', 'Write letters, digits and single dots between them before the @, such as ada@example.org.'],
    ['ädä@example.org', 'Write the part before the @ in plain letters without accents, such as ada@example.org.'],
    ['аda@example.org', 'Write the part before the @ in plain letters without accents, such as ada@example.org.'],
    [`${long(65)}@example.org`, 'Write at most 64 characters before the @: mail allows no more.'],
    ['ada@-example.org', 'Write a domain name after the @, such as example.org.'],
    ['ada@exa_mple.org', 'Write a domain name after the @, such as example.org.'],
    ['ada@example..org', 'Write a domain name after the @, such as example.org.'],
    ['ada@example.org.', 'Write a domain name after the @, such as example.org.'],
    ['ada@example.org:25', 'Write a domain name after the @, such as example.org.'],
    ['ada@exa%41mple.org', 'Write a domain name after the @, such as example.org.'],
    ['ada@[127.0.0.1]', 'Write a domain name after the @, such as example.org.'],
    [`ada@${long(64)}.org`, 'Write a domain name after the @, such as example.org.'],
    ['ada@127.0.0.1', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@127.1', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@localhost', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@mail.test', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@mail.example', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@mail.invalid', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@intra.local', 'Write a domain that exists on the internet after the @, such as example.org.'],
    ['ada@org', 'Write a domain that exists on the internet after the @, such as example.org.'],
  ])('%j is refused in words', (typed, problem) => {
    expect(readAddress(typed)).toEqual({ problem })
  })

  it('of 254 octets is taken, and of 255 refused', () => {
    const address = (length: number) => {
      const labels = `${long(60)}.${long(60)}.${long(60)}.`
      return `ada@${labels}${long(length - 'ada@'.length - labels.length - '.org'.length)}.org`
    }
    expect(readAddress(address(254))).toEqual({ address: address(254) })
    expect(readAddress(address(255))).toHaveProperty('problem')
  })

  it('that grows beyond 254 octets as A-labels is refused', () => {
    const typed = `${long(64)}@${Array(4).fill('ü'.repeat(22)).join('.')}.org`
    expect(Buffer.byteLength(typed)).toBeLessThanOrEqual(254)
    expect(readAddress(typed)).toHaveProperty('address')
    const longer = `${long(64)}@${Array(5).fill('žluťoučký'.repeat(2)).join('.')}.org`
    const read = readAddress(longer)
    expect('problem' in read || read.address.length <= 254).toBe(true)
  })

  it('once read, reads again unchanged, and holds nothing that could leave its place in a mail', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'ada',
        '@',
        '.',
        'example.org',
        'bücher.de',
        '\r\n',
        ' ',
        '"',
        '<',
        '>',
        ',',
        '%',
        '[',
        '+',
        '\0',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    )
    const hostile = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
    const plausible = fc
      .tuple(fc.string({ minLength: 1, maxLength: 70 }), fc.constantFrom('@example.org', '@Bücher.DE', '@gmail.com'))
      .map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(hostile, plausible, fc.emailAddress()), (typed) => {
        const read = readAddress(typed)
        if ('problem' in read) return /^Write .*\.$/.test(read.problem)
        expect(read.address).toMatch(/^[!-~]{1,64}@[a-z0-9.-]{1,253}$/)
        expect(read.address).not.toMatch(/[\s"(),:;<>[\\\]]/)
        expect(read.address.split('@')).toHaveLength(2)
        expect(readAddress(read.address)).toEqual(read)
        return true
      }),
      { numRuns: propertyRuns(2000) },
    )
  })
})

describe('the key of a mailbox', () => {
  it.each([
    ['Ada@Example.org', 'ada@example.org'],
    ['ada+papers@example.org', 'ada@example.org'],
    ['a.d.a@example.org', 'a.d.a@example.org'],
    ['A.d.a+x+y@GoogleMail.com', 'ada@gmail.com'],
    ['ada@gmail.com', 'ada@gmail.com'],
    ['+ada@example.org', '+ada@example.org'],
  ])('of %s is %s', (address, key) => {
    expect(mailboxKey(address)).toBe(key)
  })
})
