import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeError, redact } from '../../src/core/redact.ts'

const TOKEN = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE'

describe('an error text in the log', () => {
  it.each([
    ['550 5.1.1 <ada@example.org>: user unknown', '550 5.1.1 <(address)>: user unknown'],
    ['Key (email)=(ada+x@example.org) already exists.', 'Key (email)=((address)) already exists.'],
    ['no mailbox ada%40example.org, ada=40example.org', 'no mailbox (address), (address)'],
    [`b-${'a2'.repeat(20)} refused`, '(token) refused'],
    [`GET /confirm/${TOKEN} failed`, 'GET /confirm/(token) failed'],
  ])('holds no address and no token: %s', (text, clean) => {
    expect(redact(text)).toBe(clean)
  })

  it('never lets an address through, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(redact(`${before} ada.canary@example.org ${after}`)).not.toContain('canary')
      }),
    )
  })

  it('keeps what an operator needs of a thrown error', () => {
    const error = Object.assign(new TypeError('no route to ada@example.org'), { code: 'ECONNREFUSED' })
    expect(describeError(error)).toMatchObject({
      name: 'TypeError',
      code: 'ECONNREFUSED',
      message: 'no route to (address)',
    })
    expect(describeError(error).stack).toContain('redact.test.ts')
    expect(describeError(error).stack).not.toContain('ada@')
    expect(describeError('thrown')).toEqual({ name: 'string', message: 'thrown' })
  })
})
