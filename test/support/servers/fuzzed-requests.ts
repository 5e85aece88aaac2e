/** Random requests made from the schemas of the routes themselves, and what no answer to any of them may be. */
import { Agent, type OutgoingHttpHeaders, request as send } from 'node:http'
import fc from 'fast-check'
import type { RouteOptions } from 'fastify'
import { openSite } from '../browser/http-client.ts'
import type { Mail } from '../browser/mailbox-reader.ts'

export interface FuzzedRequest {
  method: string
  path: string
  headers: OutgoingHttpHeaders
  body: string
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** Where it would do harm if a page held it as it came. */
const MARKUP = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`
const HOSTILE = [
  '',
  '\0',
  'a\0b',
  '\ud800',
  '\u202Eevil',
  '\u200b@\u200b',
  'e\u0301'.repeat(300),
  '９９',
  '-1',
  '1e9',
  'NaN',
  `${2 ** 63}`,
  '0000-00-00',
  '9999-12-31',
  '+275760-09-13',
  'Etc/Unknown',
  '../../etc/passwd',
  '%00%ff',
  "'; drop table subscribers; --",
  '{{7*7}}{% raw %}',
  'a\r\nBcc: victim@example.org',
  'mailto:ada@example.org?bcc=victim@example.org',
  'ada@[127.0.0.1]',
  '"ada lovelace"@example.org',
  `${'a'.repeat(64)}@${'b.'.repeat(100)}example.org`,
  'https://evil.example',
  '//evil.example',
  MARKUP,
]
/** What fields of these names mean to hold; a field that is not here is filled with any of it. */
const MEANT: Record<string, readonly unknown[]> = {
  email: ['ada@example.org', 'Grace@Example.ORG', 'ｅｍｍｙ＠example.org', 'hedy+1@gmail.com'],
  topics: ['agents', 'all', 'robotics,code', ['agents', 'robotics'], []],
  keywords: ['Lean 4', 'state space\nworld model', ['diffusion'], ''],
  authors: ['Ada Lovelace', 'J. Wang\nGrace Hopper', []],
  muted: ['crypto', ''],
  when_empty: ['skip', 'send'],
  least_papers: ['1', 3, '5'],
  at_once: ['yes', 'no', true],
  frequency: ['daily', 'weekly'],
  timezone: ['Europe/London', 'UTC', 'Asia/Calcutta'],
  hour: ['7', 0, 23],
  weekday: ['1', 7],
  until: ['2026-05-01', '2026-04-16'],
  date: ['2026-04-13', '2026-04-14'],
  paper: ['2604.13001', '2026-04-13'],
  week: ['2026-W16', '2026-W53'],
  month: ['2026-04', '2026-04.xml', '2026-13'],
  topic: ['agents', 'robotics', 'no-such-topic'],
  author: ['ada-lovelace', 'Lovelace, Ada', 'Hinton'],
  archive: ['hep-ex'],
  number: ['0307015'],
  q: ['agents', '"language model" or robot', '-agents', '机器学习', 'the', '& | ! <-> :*'],
  from: ['2026-04-01', '9999-12-31'],
  to: ['2026-04-30'],
  after: ['0.0759:2604.13001', '9600:2604.13001'],
  page: ['1', '2', '999999'],
  provider: ['ses', 'postmark', 'mailgun', 'sendgrid'],
}
const anyText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: anyText },
  fc.constantFrom<unknown>(null, true, {}, -1, 1e308, 2 ** 53, { toString: 1 }, { length: 1e9 }),
  fc.array(anyText, { maxLength: 30 }),
  fc.constantFrom<unknown>([], [[]], [1], [null], [{}], [['a']]),
  fc.jsonValue({ maxDepth: 4 }),
)

/** How many requests a route deserves beside one that takes nothing: as many as there are things to get wrong. */
export const shareOf = ({ method, url, schema }: RouteOptions): number => {
  const fields = fieldsOf(schema?.body).length + fieldsOf(schema?.querystring).length
  return method === 'HEAD' ? 1 : 2 + 2 * (url.match(/:/g) ?? []).length + 2 * fields
}

type Schema = { properties?: Record<string, object> } | undefined
const fieldsOf = (schema: unknown): string[] => Object.keys((schema as Schema)?.properties ?? {})

/** The fields of a schema, mostly as they are meant, with one or a few as nobody means them. */
const objectOf = (schema: unknown): fc.Arbitrary<Record<string, unknown>> => {
  const names = fieldsOf(schema)
  const meant = fc.record(
    Object.fromEntries(names.map((name) => [name, fc.constantFrom(...(MEANT[name] ?? ['', 'x', 'on']))])),
    { requiredKeys: [] },
  )
  const name = names.length === 0 ? fc.constant('stranger') : fc.constantFrom(...names, ...names, 'stranger')
  const wrong = fc.dictionary(name, anyValue, { minKeys: 1, maxKeys: 4 })
  return fc.oneof(
    { weight: 1, arbitrary: meant },
    { weight: 3, arbitrary: fc.tuple(meant, wrong).map(([right, over]) => ({ ...right, ...over })) },
  )
}

const encode = (text: string): string => encodeURIComponent(text.toWellFormed())
const asForm = (fields: Record<string, unknown>): string =>
  Object.entries(fields)
    .flatMap(([name, value]) =>
      [value]
        .flat()
        .map((one) => `${encode(name)}=${encode(typeof one === 'string' ? one : (JSON.stringify(one) ?? ''))}`),
    )
    .join('&')

/** Text that is no JSON and no form, or nearly. */
const noise = fc.oneof(
  fc.constantFrom(
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{"a":1}{"b":2}',
    '{"__proto__":{"admin":true}}',
    '['.repeat(2_000),
    '&&&=&=',
    '%',
    '%zz=1',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed()),
)

const bodyOf = (schema: unknown): fc.Arbitrary<{ type: string; body: string }> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: objectOf(schema).map((fields) => ({ type: 'application/json', body: JSON.stringify(fields) })),
    },
    {
      weight: 4,
      arbitrary: objectOf(schema).map((fields) => ({
        type: 'application/x-www-form-urlencoded',
        body: asForm(fields),
      })),
    },
    fc.record({
      type: fc.constantFrom(
        'application/json',
        'application/x-www-form-urlencoded',
        'text/plain',
        'multipart/form-data; boundary=b',
        '',
      ),
      body: noise,
    }),
  )

const altered = (token: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(Math.max(0, token.length - 1)), fc.constantFrom('A', '_', ''))
    .map(([at, by]) => token.slice(0, at) + by + token.slice(at + 1))

/** The path of a route with something for each parameter; `tokens` are live ones of every purpose. */
const pathOf = (route: RouteOptions, tokens: readonly string[]): fc.Arbitrary<string> => {
  const token = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.constantFrom(...tokens).chain(altered) },
    { weight: 1, arbitrary: anyText.map(encode) },
  )
  const parts = route.url.split('/').map((part) => {
    if (!part.startsWith(':')) return fc.constant(part)
    // `:token.json` is a parameter with an ending.
    const [, name = '', ending = ''] = /^:(\w+)(.*)$/.exec(part) ?? []
    const meant = MEANT[name]?.map((value) => encode(String(value)))
    const right = meant === undefined ? fc.nat().map(String) : fc.constantFrom(...meant)
    return (name === 'token' ? token : fc.oneof(right, anyText.map(encode))).map((value) => value + ending)
  })
  const query = fc.oneof(
    { weight: 1, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: objectOf(route.schema?.querystring).map((fields) => `?${asForm(fields)}`) },
  )
  return fc
    .tuple(fc.tuple(...parts), query, fc.constantFrom('', '', '', '/', '//', '/..', ';a', '.json'))
    .map(([all, asked, end]) => `${all.join('/') || '/'}${end}${asked}`)
}

/** Requests to a route, each of one of many clients: where the service trusts us as its proxy, none is refused for asking often. */
export const requestsTo = (
  route: RouteOptions,
  tokens: readonly string[],
  adminToken: string,
): fc.Arbitrary<FuzzedRequest> =>
  fc
    .record({
      path: pathOf(route, tokens),
      sent: bodyOf(route.schema?.body),
      accept: fc.constantFrom('text/html', 'application/json', '*/*', 'application/problem+json;q=', '\u00ff', ''),
      client: fc.nat(0xffff),
      authorization: fc.constantFrom(`Bearer ${adminToken}`, 'Bearer x', 'Basic \u00ff', ''),
      more: fc.dictionary(
        fc.constantFrom(
          'origin',
          'referer',
          'if-none-match',
          'sec-fetch-site',
          'x-forwarded-host',
          'x-forwarded-proto',
          'x-twilio-email-event-webhook-signature',
        ),
        fc.constantFrom('null', 'same-origin', 'none', 'https://evil.example', '*', ''),
        { maxKeys: 2 },
      ),
    })
    .map(({ path, sent, accept, client, authorization, more }) => {
      const method = String(route.method)
      const body = method === 'GET' || method === 'HEAD' ? '' : sent.body
      return {
        method,
        path,
        body,
        headers: {
          accept,
          authorization,
          'x-forwarded-for': `2001:db8:0:${client.toString(16)}::1`,
          ...more,
          ...(body === '' && sent.type === '' ? {} : { 'content-type': sent.type }),
          'content-length': Buffer.byteLength(body),
        },
      }
    })

/** A request with a NUL, which Postgres stores in no text, for each parameter and each field of the query. */
export const nullRequestTo = (route: RouteOptions): FuzzedRequest => {
  const query = fieldsOf(route.schema?.querystring).map((name) => `${name}=a%00b`)
  return {
    method: String(route.method),
    path: `${route.url.replace(/:\w+/g, 'a%00b')}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    headers: { accept: 'text/html' },
    body: '',
  }
}

export const openSender = (url: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  return {
    send: ({ method, path, headers, body }: FuzzedRequest): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const asked = send(url, { method, path, headers, agent }, (answer) => {
          let text = ''
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
        })
        asked.on('error', reject)
        asked.end(body)
      }),
    close: () => agent.destroy(),
  }
}

/** The tokens in the mails to a reader who subscribes and confirms: live ones of every purpose that the two mails have. */
export const collectTokens = async ({ url, mail }: { url: string; mail: Mail }): Promise<string[]> => {
  const email = 'ada@example.org'
  const site = openSite(url)
  await site.post('/subscribe', { email, topics: ['agents'], frequency: 'daily', timezone: 'UTC' })
  const confirmation = await mail.waitFor(email, 1)
  await site.post(confirmation.links.get('confirm') ?? '')
  const welcome = await mail.waitFor(email, 2)
  const found = [confirmation, welcome].flatMap(({ text }) => [...text.matchAll(/\/[a-z-]+\/([\w-]{43})\b/g)])
  return [...new Set(found.map(([, token = '']) => token))]
}

/** How our code, our database or our framework would show. */
const INTERNALS =
  /FST_ERR|SyntaxError|TypeError|node_modules|\.ts:\d|violates|syntax error at|\bselect .* from\b|paper-round queue/

/** What is wrong with an answer; `null` when nothing is. */
export const faultOf = ({ path, headers: asked }: FuzzedRequest, { status, headers, body }: Answer): string | null => {
  if (status >= 500) return `the status ${status}`
  if (INTERNALS.test(body)) return `internals: ${INTERNALS.exec(body)?.[0]}`
  // The one cookie there is comes where a reader asked for it, and is forgotten there.
  const cookies = [headers['set-cookie'] ?? []].flat()
  if (cookies.some((cookie) => !/^vote=[\w-]*; Max-Age=\d+; Path=\/vote; HttpOnly; .*SameSite=Lax$/.test(cookie)))
    return `the cookie ${cookies}`
  if (cookies.length > 0 && !/^\/vote\/(?:forget|[\w-]{43}\/)/.test(path)) return 'a cookie'
  if (!String(headers['content-security-policy']).includes("default-src 'none'")) return 'no policy'
  const type = String(headers['content-type'] ?? '')
  if (type.includes('html') && /<script>alert|<img src=x/.test(body)) return 'markup of the request'
  // A redirect leads to a page of ours, whatever was asked.
  const { location } = headers
  if (location !== undefined && !/^\/(?!\/)/.test(String(location))) return `a redirect to ${location}`
  const json = type.includes('json')
  if (status >= 400 && json && !type.includes('problem+json')) return `an error of type ${type}`
  if (status >= 400 && asked.accept === 'application/json' && asked['content-length'] !== 0 && body !== '' && !json)
    return `an error of type ${type} for a program`
  return null
}
