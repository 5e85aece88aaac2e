import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAddress } from '../../../src/core/subscriber/address.ts'
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
    // As people paste them: what has no meaning at the ends goes, what a program wrote around the address goes too.
    ['\u200bada@example.org\u00ad', 'ada@example.org'],
    ['\ufeff\u2068ada@example.org\u2069\u3000', 'ada@example.org'],
    ['ada@example.org\n', 'ada@example.org'],
    ['mailto:ada@example.org', 'ada@example.org'],
    ['MAILTO:ada@example.org?subject=Hello%2C%20Ada', 'ada@example.org'],
    ['ada@example.org,', 'ada@example.org'],
    ['ada@example.org.', 'ada@example.org'],
    ['ada@example.org ;', 'ada@example.org'],
    ['<ada@example.org>', 'ada@example.org'],
    ['<mailto:ada@example.org>,', 'ada@example.org'],
    ['“ada@example.org”', 'ada@example.org'],
    ['(ada@example.org)', 'ada@example.org'],
    ['Ada Lovelace <ada@example.org>', 'ada@example.org'],
    ['"Lovelace, Ada" <Ada@Example.ORG>;', 'Ada@example.org'],
    ['ada@example.org <ada@example.org>', 'ada@example.org'],
    ['ada＠example．org', 'ada@example.org'],
    ['ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ', 'ada@example.org'],
    ['ada@EXAMPLE.ORG', 'ada@example.org'],
  ])('%j is taken as %j', (typed, address) => {
    expect(readAddress(typed)).toEqual({ address })
  })

  it.each([
    ['', 'Enter your email address, such as ada@example.org.'],
    ['   ', 'Enter your email address, such as ada@example.org.'],
    ['ada', 'Enter an address with an @, such as ada@example.org.'],
    ['@example.org', 'Enter the part before the @, such as ada@example.org.'],
    ['ada@', 'Enter a domain after the @, such as ada@example.org.'],
    ['a@b.org,c@d.org', 'Enter only one address, such as ada@example.org.'],
    ['a@b.org;c@d.org', 'Enter only one address, such as ada@example.org.'],
    ['a@b@example.org', 'Enter only one address, such as ada@example.org.'],
    ['eve@example.org, Ada <ada@example.org>', 'Enter only one address, such as ada@example.org.'],
    ['eve@example.org <ada@example.org>', 'Enter only one address, such as ada@example.org.'],
    ['Ada <ada@example.org> <eve@example.org>', 'Enter only one address, such as ada@example.org.'],
    ['Ada <ada@example.org', 'Enter just the address, without a name, quotes or brackets, such as ada@example.org.'],
    ['"a@b"@example.org', 'Enter just the address, without a name, quotes or brackets, such as ada@example.org.'],
    ['ada(x)@example.org', 'Enter just the address, without a name, quotes or brackets, such as ada@example.org.'],
    ['ada lovelace@example.org', 'Enter the address without the space after “ada”.'],
    ['ada @example.org', 'Enter the address without the space after “ada”.'],
    ['ada@exam\u200bple.org', 'Enter the address without the invisible character after “ada@exam”.'],
    ['ada@example.org\u0000', 'Enter the address without the invisible character after “ada@example.org”.'],
    ['ada@example.org\r\nRCPT TO:<v@evil.example>', 'Enter one address, without line breaks.'],
    ['.ada@example.org', 'Enter letters, digits and single dots before the @, such as ada@example.org.'],
    ['ada.@example.org', 'Enter letters, digits and single dots before the @, such as ada@example.org.'],
    ['a..b@example.org', 'Enter letters, digits and single dots before the @, such as ada@example.org.'],
    ['ädä@example.org', 'Enter the part before the @ without “ä”: we can’t email accents or special letters there.'],
    ['аda@example.org', 'Enter the part before the @ without “а”: we can’t email accents or special letters there.'],
    ['a:da@example.org', 'Enter the part before the @ without “:”, such as ada@example.org.'],
    [`${long(65)}@example.org`, 'Enter at most 64 characters before the @.'],
    ['ada@-example.org', 'Enter a valid domain after the @, such as example.org.'],
    ['ada@exa_mple.org', 'Enter the part after the @ without “_”, such as example.org.'],
    ['ada@example..org', 'Enter a valid domain after the @, such as example.org.'],
    ['ada@example.org..', 'Enter a valid domain after the @, such as example.org.'],
    ['ada@example.org:25', 'Enter the part after the @ without “:”, such as example.org.'],
    ['ada@exa%41mple.org', 'Enter the part after the @ without “%”, such as example.org.'],
    ['ada@[127.0.0.1]', 'Enter the part after the @ without “[”, such as example.org.'],
    [`ada@${long(64)}.org`, 'Enter a valid domain after the @, such as example.org.'],
    ['ada@127.0.0.1', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@127.1', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@localhost', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@mail.test', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@mail.example', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@mail.invalid', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@intra.local', 'Enter a domain that exists after the @, such as example.org.'],
    ['ada@org', 'Enter a domain that exists after the @, such as example.org.'],
  ])('%j is refused in words', (typed, problem) => {
    expect(readAddress(typed)).toEqual({ problem })
  })

  it('of a thousand spaces, or of sixty thousand, is answered at once', () => {
    for (const length of [300, 1_000, 60_000]) {
      const start = performance.now()
      expect(readAddress(`a${' '.repeat(length)}b@example.org`)).toHaveProperty('problem')
      expect(performance.now() - start).toBeLessThan(500)
    }
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
        if ('problem' in read) return /^Enter .*\.$/.test(read.problem)
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
