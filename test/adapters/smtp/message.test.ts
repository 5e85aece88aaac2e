/** The message on the wire: headers exactly once, two parts, the same bytes each time. */
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { compileMessage, type OwnParts, type SharedParts } from '../../../src/adapters/smtp/message.ts'
import { cleanLine } from '../../../src/core/text/text.ts'
import { octetsOf } from '../../support/fixtures/octets.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

type MessageParts = SharedParts & Omit<OwnParts, 'values'>

const composeMessage = async (message: MessageParts): Promise<Buffer> =>
  octetsOf(await (await compileMessage(message)).render({ ...message, values: {} }))

const parts = (change: Partial<MessageParts> = {}): MessageParts => ({
  from: { name: 'Paper Round', address: 'round@digest.example.org' },
  to: 'ada@example.org',
  subject: 'Your papers: ClawGUI, KnowRL and 8 more',
  messageId: 'd-1.4@digest.example.org',
  date: new Date('2026-04-15T06:00:00Z'),
  headers: {
    'List-Unsubscribe': `<https://round.example.org/unsubscribe/${'A'.repeat(43)}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'List-Id': 'Paper Round <digest.round.example.org>',
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'Feedback-ID': '20260415:daily:digest:paper-round',
  },
  text: 'Ten papers.\nhttps://arxiv.org/abs/2604.11784\n',
  html: '<p>Ten papers. <a href="https://arxiv.org/abs/2604.11784">One</a></p>\n',
  ...change,
})

/** Header fields of a message, unfolded: name in lower case and value. */
const headersOf = (message: Buffer): [string, string][] =>
  (message.toString('latin1').split('\r\n\r\n', 1)[0] ?? '')
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    })

describe('headers', () => {
  test.each(['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type'])(
    '%s stands exactly once',
    async (name) => {
      const headers = headersOf(await composeMessage(parts()))
      expect(headers.filter(([key]) => key === name)).toHaveLength(1)
    },
  )

  test('hold what the caller gave, letter by letter', async () => {
    const headers = new Map(headersOf(await composeMessage(parts())))
    for (const [name, value] of Object.entries(parts().headers)) expect(headers.get(name.toLowerCase())).toBe(value)
    expect(headers.get('message-id')).toBe('<d-1.4@digest.example.org>')
    expect(headers.get('date')).toBe('Wed, 15 Apr 2026 06:00:00 +0000')
    expect(headers.get('from')).toBe('Paper Round <round@digest.example.org>')
    expect(headers.get('to')).toBe('ada@example.org')
  })

  test('are no more than those', async () => {
    const names = headersOf(await composeMessage(parts({ headers: {} }))).map(([name]) => name)
    expect(names.sort()).toEqual(['content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'])
  })

  test.each(['\r\nBcc: eve@example.net', '\nX: y', 'a\rb', 'a\u0000b', 'a\u2028b'])(
    'with %j in a value are refused',
    async (evil) => {
      await expect(composeMessage(parts({ subject: `Papers${evil}` }))).rejects.toThrow('Subject')
      await expect(composeMessage(parts({ headers: { 'List-Id': `x${evil}` } }))).rejects.toThrow('List-Id')
      await expect(composeMessage(parts({ from: { name: `x${evil}`, address: 'a@example.org' } }))).rejects.toThrow(
        'From',
      )
      await expect(composeMessage(parts({ to: `ada@example.org${evil}` }))).rejects.toThrow('To')
      await expect(composeMessage(parts({ messageId: `a@b${evil}` }))).rejects.toThrow('Message-ID')
    },
  )

  test.each([
    'a@example.org, b@example.org',
    'Ada <a@example.org>',
    'a@example.org>',
    'no address',
    'a@@example.org',
    '',
  ])('refuse %j as the one address it goes to', async (to) => {
    await expect(composeMessage(parts({ to }))).rejects.toThrow('To')
  })

  test.each(['Subject', 'bcc', 'Content-Type', 'X y', 'X\r\nY', ''])('refuse %j from the caller', async (name) => {
    await expect(composeMessage(parts({ headers: { [name]: 'x' } }))).rejects.toThrow('header')
  })

  test('bring any title to the reader unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), async (title) => {
        const subject = cleanLine(title, 300)
        const read = await PostalMime.parse(await composeMessage(parts({ subject })))
        expect(read.subject ?? '').toBe(subject)
      }),
    )
  })
})

describe('the body', () => {
  const typesOf = (message: Buffer) =>
    message.toString('latin1').match(/^Content-(?:Type|Transfer-Encoding): [^;\r]+/gm)

  test('has the text first, then the HTML, both UTF-8: the one in quoted-printable, the other as it is', async () => {
    const message = await composeMessage(parts())
    expect(typesOf(message)).toEqual([
      'Content-Type: multipart/alternative',
      'Content-Type: text/plain',
      'Content-Transfer-Encoding: quoted-printable',
      'Content-Type: text/html',
      'Content-Transfer-Encoding: 7bit',
    ])
    expect(message.toString('latin1').match(/charset=utf-8/g)).toHaveLength(2)
    expect(message.toString('latin1')).toContain(`\r\n\r\n${parts().html?.replaceAll('\n', '\r\n')}`)
  })

  test.each([
    ['begins a line with a dot', '<p>\n.hidden { }</p>\n'],
    ['begins a line with "From "', '<p>\nFrom here on</p>\n'],
    ['ends a line in a space', '<p>one \ntwo</p>\n'],
    ['has a line of more than 998 octets', `<p>${'x'.repeat(1000)}</p>\n`],
    ['is not ASCII', '<p>Grüße</p>\n'],
    ['has a line that would end its part', '<p>\n--=_paper-round-Part_1--\n</p>\n'],
    ['has a carriage return of its own', '<p>a\rb</p>\n'],
  ])('has HTML in quoted-printable that %s, which mail servers would change', async (_, html) => {
    const message = await composeMessage(parts({ html }))
    expect(typesOf(message)?.at(-1)).toBe('Content-Transfer-Encoding: quoted-printable')
    expect((await PostalMime.parse(message)).html?.trimEnd()).toBe(html.trimEnd())
  })

  test('comes out as it went in, and no line ends in white space that mail servers remove', async () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 1500 }).map((text) => cleanLine(text, 1500))
    await fc.assert(
      fc.asyncProperty(fc.array(words, { minLength: 1, maxLength: 4 }), async (lines) => {
        const text = `${lines.join('\n')}.\n`
        const html = `<p>${lines.map((line) => line.replace(/[<&]/g, '')).join('\n')}</p>\n`
        const message = await composeMessage(parts({ text, html }))
        const wire = message.toString('latin1')
        expect(wire.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0\x80-\xff]/)
        expect(Math.max(...wire.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998)
        const read = await PostalMime.parse(message)
        expect(read.text?.trimEnd()).toBe(text.trimEnd())
        expect(read.html?.trimEnd()).toBe(html.trimEnd())
      }),
    )
  })

  test('cannot end a part before its end', async () => {
    const boundary = /boundary="([^"]+)"/.exec((await composeMessage(parts())).toString('latin1'))?.[1] ?? ''
    expect(boundary).toContain('=_')
    const text = `before\n--${boundary}\nContent-Type: text/html\n\n<b>mine</b>\n--${boundary}--\nafter\n`
    const read = await PostalMime.parse(await composeMessage(parts({ text })))
    expect(read.text?.trimEnd()).toBe(text.trimEnd())
    expect(read.html?.trimEnd()).toBe(parts().html?.trimEnd())
  })

  test('without HTML is plain text in one part', async () => {
    const { html: _, ...plain } = parts({ text: 'Grüße\n.\n' })
    const message = await composeMessage(plain)
    expect(message.toString('latin1')).toMatch(/^Content-Type: text\/plain; charset=utf-8\r\n/m)
    const read = await PostalMime.parse(message)
    expect([read.text?.trimEnd(), read.html]).toEqual(['Grüße\n.', undefined])
  })

  test('is the same bytes for the same input', async () => {
    expect((await composeMessage(parts())).equals(await composeMessage(parts()))).toBe(true)
  })

  test('reads no file that a text names', async () => {
    const read = await PostalMime.parse(
      await composeMessage(parts({ text: 'file:///etc/passwd', html: '{"path":"/etc/passwd"}' })),
    )
    expect(read.text).toContain('file:///etc/passwd')
  })
})

describe('a message template', () => {
  const PLACEHOLDER = 'UNSUBSCRIBE_TOKEN'.padEnd(43, '_')
  const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 43, maxLength: 43 })
  const words = fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => cleanLine(text, 200))

  test('renders what composing each message by itself would give', async () => {
    const dots = fc.constantFrom('.', '..', '...and so on', '. ', '.\n.')
    const lines = fc.array(fc.oneof(words, dots), { minLength: 1, maxLength: 6 })
    const readers = fc.array(fc.tuple(fc.emailAddress(), token, fc.integer({ min: 0, max: 4e9 })), {
      minLength: 1,
      maxLength: 3,
    })
    await fc.assert(
      fc.asyncProperty(lines, readers, async (before, list) => {
        const text = `${before.map((line) => `${line}\n${line} https://round.example.org/unsubscribe/${PLACEHOLDER} ${line}`).join('\n')}\n`
        const html = `<p>${text.replace(/[<&]/g, '')}<a href="https://round.example.org/u/${PLACEHOLDER}">${PLACEHOLDER}</a></p>\n`
        const shared = parts({
          text,
          html,
          headers: { 'List-Unsubscribe': `<https://round.example.org/u/${PLACEHOLDER}>` },
        })
        const template = await compileMessage(shared, [PLACEHOLDER])
        for (const [to, value, seconds] of list) {
          const own = { to, messageId: `${seconds}@example.org`, date: new Date(seconds * 1000) }
          const filled = (whole: string) => whole.replaceAll(PLACEHOLDER, value)
          const rendered = octetsOf(await template.render({ ...own, values: { [PLACEHOLDER]: value } }))
          const alone = await composeMessage({
            ...shared,
            ...own,
            text: filled(text),
            html: filled(html),
            headers: { 'List-Unsubscribe': `<https://round.example.org/u/${value}>` },
          })
          expect(headersOf(rendered)).toEqual(headersOf(alone))
          const [read, meant] = [await PostalMime.parse(rendered), await PostalMime.parse(alone)]
          expect([read.text, read.html]).toEqual([meant.text, meant.html])
          const wire = rendered.toString('latin1').split('\r\n')
          expect(wire.filter((line) => line.startsWith('.'))).toEqual([])
          expect(rendered.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
          expect(wire.at(-1)).toBe('')
          expect(Math.max(...wire.slice(wire.indexOf('')).map((line) => line.length))).toBeLessThanOrEqual(76)
        }
      }),
      { numRuns: propertyRuns(40) },
    )
  })

  test('refuses a value that is missing, or longer, shorter or of other letters than its placeholder', async () => {
    const template = await compileMessage(parts({ text: PLACEHOLDER, html: PLACEHOLDER }), [PLACEHOLDER])
    const own = { to: 'ada@example.org', messageId: 'a@example.org', date: new Date(0) }
    for (const value of ['', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}=`, `${'a'.repeat(41)}\r\n`])
      await expect(template.render({ ...own, values: { [PLACEHOLDER]: value } })).rejects.toThrow('does not fit')
    await expect(template.render({ ...own, values: {} })).rejects.toThrow('does not fit')
  })
})
