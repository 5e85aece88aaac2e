/** Subscribing, confirming, and lost links. */
import { describe, expect, it } from 'vitest'
import { STANDARD } from '../../src/core/subscriber/preferences.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { EMAIL, form, openTestSite, STAMP, TOKEN } from '../support/servers/recording-site.ts'

const RIGHT = {
  email: 'ada@example.org',
  topics: ['agents', 'robotics'],
  frequency: 'daily',
  timezone: 'Europe/London',
}
const STORED = { ...STANDARD, topics: ['agents', 'robotics'], frequency: 'daily', timeZone: 'Europe/London' }

const post = (url: string, body: URLSearchParams | object, headers: Record<string, string> = {}) =>
  body instanceof URLSearchParams
    ? fetch(url, { method: 'POST', body, headers, redirect: 'manual' })
    : fetch(url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
        redirect: 'manual',
      })

it('a form is accepted and redirected to a page that says to check the inbox', async () => {
  await using site = await openTestSite()
  const answer = await post(`${site.url}/subscribe`, form(RIGHT))
  expect(answer.status).toBe(303)
  expect(site.changes).toEqual([['requestSubscription', 'ada@example.org', STORED]])
  const page = await (await fetch(`${site.url}${answer.headers.get('location')}`)).text()
  expect(page).toContain('<h1>Check your inbox</h1>')
})

it('the page that follows shows the address, which stands in no URL and in no cookie', async () => {
  await using site = await openTestSite()
  const pasted = '\u200bmailto:Ada.L+x@Example.ORG, '
  for (const path of ['/subscribe', '/links']) {
    const answer = await post(`${site.url}${path}`, form({ ...RIGHT, email: pasted }))
    const location = answer.headers.get('location') ?? ''
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([303, null])
    expect(location).toMatch(path === '/links' ? /^\/links\/sent\/[\w-]{80,}$/ : /^\/check-inbox\/[\w-]{80,}$/)
    expect(`${location}${Buffer.from(location.split('/').at(-1) ?? '', 'base64url')}`).not.toMatch(/ada|example/i)
    const page = await fetch(site.url + location)
    expect([page.status, page.headers.get('cache-control'), page.headers.get('x-robots-tag')]).toEqual([
      200,
      'no-store',
      'noindex',
    ])
    expect(await page.text()).toContain('Ada.L+x@example.org')
    for (const other of [location.slice(0, -3), `${location}0`, `${location.slice(0, 20)}`, location.toUpperCase()]) {
      const text = await (await fetch(site.url + other)).text()
      expect(text).not.toContain('Ada.L')
    }
  }
  expect(site.changes.map(([, email]) => email)).toEqual(['Ada.L+x@example.org', 'Ada.L+x@example.org'])
  const plain = await (await fetch(`${site.url}/check-inbox`)).text()
  expect(plain).toContain('If we can email this address')
})

it('a page answers a program that sends objects in the place of texts, with the error beside each field', async () => {
  await using site = await openTestSite()
  const odd = { toString: 1, valueOf: 1 }
  for (const field of ['topics', 'papers', 'frequency', 'timezone', 'hour', 'weekday', 'keywords', 'authors']) {
    for (const path of ['/subscribe', '/preview']) {
      const answer = await post(`${site.url}${path}`, { ...RIGHT, [field]: odd }, { accept: 'text/html' })
      expect([field, path, answer.status]).toEqual([field, path, 400])
      expect(await answer.text()).toContain('class="error"')
    }
  }
})

it('a form with one topic, an hour and a weekday is accepted', async () => {
  await using site = await openTestSite()
  await post(`${site.url}/subscribe`, form({ ...RIGHT, topics: 'agents', hour: '0', weekday: '7' }))
  expect(site.changes).toEqual([
    ['requestSubscription', 'ada@example.org', { ...STORED, topics: ['agents'], hour: 0, weekday: 7 }],
  ])
})

it('JSON with every topic is accepted with 202', async () => {
  await using site = await openTestSite()
  const topics = DEFAULT_TOPICS.all.map(({ slug }) => slug)
  const answer = await post(`${site.url}/subscribe`, { ...RIGHT, topics })
  expect([answer.status, await answer.json()]).toEqual([202, { status: 'check your inbox' }])
  expect(site.changes).toEqual([['requestSubscription', 'ada@example.org', { ...STORED, topics: topics.sort() }]])
})

it('own terms are accepted in a form and in JSON, and shown again as they were typed when one is wrong', async () => {
  await using site = await openTestSite()
  const own = { keywords: ['Lean 4', 'sheet music'], authors: ['Grace Hopper'], muted: ['survey'] }
  await post(`${site.url}/subscribe`, { ...RIGHT, ...own, topics: [] })
  await post(
    `${site.url}/subscribe`,
    form({ ...RIGHT, keywords: 'sheet music\nLean 4', authors: 'Grace Hopper', muted: 'survey' }),
  )
  expect(site.changes.map(([, , stored]) => stored)).toEqual([
    { ...STORED, ...own, topics: [] },
    { ...STORED, ...own },
  ])
  const keywords = `<b>RAG</b>\n${'x'.repeat(500)}\n🎵`
  const refused = await post(`${site.url}/subscribe`, form({ ...RIGHT, keywords, muted: 'لغة' }))
  const page = await refused.text()
  expect(refused.status).toBe(400)
  expect(page).toContain('id="keywords-error">Remove &lt; and &gt; from “&lt;b&gt;RAG&lt;/b&gt;”.')
  expect(page).toContain(`&lt;b&gt;RAG&lt;/b&gt;\n${'x'.repeat(500)}\n🎵</textarea>`)
  expect(page).toContain('لغة</textarea>')
  expect(page).toMatch(/<details class="own" open>/)
})

it('the response is the same, byte by byte, whatever the address', async () => {
  await using site = await openTestSite()
  const answers = await Promise.all(
    ['ada@example.org', EMAIL, 'someone-quite-different+tag@example.com'].map(async (email) => {
      const answer = await post(`${site.url}/subscribe`, { ...RIGHT, email })
      const headers = Object.fromEntries(
        [...answer.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
      )
      return JSON.stringify([answer.status, headers, await answer.text()])
    }),
  )
  expect(new Set(answers).size).toBe(1)
})

it('a form with mistakes comes back with what was typed and a sentence beside each field', async () => {
  await using site = await openTestSite()
  const answer = await post(
    `${site.url}/subscribe`,
    form({
      email: '"ada"<script>',
      topics: ['agents', 'nonsense'],
      frequency: 'weekly',
      timezone: 'Asia/Tokyo',
      hour: '24',
    }),
  )
  const page = await answer.text()
  expect(answer.status).toBe(400)
  expect(site.changes).toEqual([])
  expect(page).toContain('value="&#34;ada&#34;&lt;script&gt;"')
  expect(page).toMatch(/id="email"[^>]* aria-invalid="true" aria-describedby="email-error"/)
  expect(page).toContain('id="email-error">Enter an address with an @, such as ada@example.org.')
  expect(page).toContain('id="topics-error">There is no topic “nonsense”. Choose from the list.')
  expect(page).toContain('id="hour-error">Choose an hour from 0 to 23.')
  expect(page).toContain('value="agents" checked')
  expect(page).toContain('value="weekly" checked')
  expect(page).toContain('value="Asia/Tokyo" selected')
})

it('an address alone subscribes to what trends in all topics, as a form and as JSON', async () => {
  await using site = await openTestSite()
  const answer = await post(`${site.url}/subscribe`, form({ email: 'ada@example.org' }))
  expect([answer.status, answer.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/check-inbox/)])
  expect((await post(`${site.url}/subscribe`, { email: 'ada@example.org' })).status).toBe(202)
  const beside = { email: 'ada@example.org', topics: ['trending', 'agents'], papers: 5 }
  expect((await post(`${site.url}/subscribe`, beside)).status).toBe(202)
  const trending = { ...STANDARD, trending: true, topics: [] }
  expect(site.changes).toEqual([
    ['requestSubscription', 'ada@example.org', trending],
    ['requestSubscription', 'ada@example.org', trending],
    ['requestSubscription', 'ada@example.org', { ...trending, topics: ['agents'], papers: 5 }],
  ])
})

it('an empty form lacks the address alone', async () => {
  await using site = await openTestSite()
  for (const body of [form({}), undefined]) {
    const answer = await fetch(`${site.url}/subscribe`, { method: 'POST', ...(body === undefined ? {} : { body }) })
    const page = await answer.text()
    expect(answer.status).toBe(400)
    expect(page).toContain('Please fix one problem')
    expect(page).toContain('id="email-error"')
  }
})

it('JSON with mistakes gets a problem that names every field', async () => {
  await using site = await openTestSite()
  const answer = await post(`${site.url}/subscribe`, {
    email: 7,
    topics: [],
    frequency: 'hourly',
    timezone: { a: 1 },
    hour: [],
  })
  expect(answer.status).toBe(400)
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  const problem = (await answer.json()) as { errors: { field: string; problem: string; expected: string }[] }
  expect(problem.errors.map(({ field }) => field)).toEqual(['email', 'topics', 'frequency', 'hour', 'timezone'])
  for (const error of problem.errors) expect(error.problem.length * error.expected.length).toBeGreaterThan(0)
})

it.each([['null'], ['[]'], ['7'], ['"ada"'], ['{"email":'], ['{"__proto__":{"a":1}}'], ['']])(
  'the JSON body %j is refused in words',
  async (body) => {
    await using site = await openTestSite()
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${site.url}/subscribe`, { method: 'POST', body, headers })
    const text = await answer.text()
    expect(answer.status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ status: 400 })
    expect(text).not.toMatch(/FST_|stack|Unexpected token/)
    expect(site.changes).toEqual([])
  },
)

it('a confirmation page shows what is confirmed and one button, and the button confirms', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/confirm/${TOKEN.confirm}`)).text()
  expect(page).toContain('at 07:00 London time, on days with new papers')
  expect(page).toContain('LLM agents &amp; tool use')
  const [seen = ''] = page.split('<details')
  expect(seen.match(/<button/g)).toHaveLength(1)
  expect(page).not.toContain('<script')
  expect(site.changes).toEqual([])
  const answer = await fetch(`${site.url}/confirm/${TOKEN.confirm}`, { method: 'POST' })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('You’re subscribed')])
  expect(site.changes).toEqual([['confirm', TOKEN.confirm, { hour: 7, timeZone: 'Europe/London' }]])
})

it('the time and zone can be changed while confirming, and nothing else', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/confirm/${TOKEN.confirm}`
  const page = await (await fetch(url)).text()
  expect(page).toMatch(/<option value="Europe\/London" selected>/)
  expect(page).toMatch(/<option value="7" selected>/)
  const chosen = { hour: '18', timezone: 'Asia/Calcutta', topics: 'code', frequency: 'weekly' }
  const answer = await post(url, form(chosen))
  expect(await answer.text()).toContain('at 18:00 Kolkata time, on days with new papers')
  // A zone that a browser made up costs nobody their subscription.
  await post(url, form({ timezone: 'Etc/Unknown' }))
  expect(site.changes).toEqual([
    ['confirm', TOKEN.confirm, { hour: 18, timeZone: 'Asia/Kolkata' }],
    ['confirm', TOKEN.confirm, { hour: 7, timeZone: 'UTC' }],
  ])
  const refused = await post(url, form({ hour: '24' }))
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('id="hour-error"')])
  expect((await post(url, { timezone: 'nowhere' })).status).toBe(400)
  expect(site.changes).toHaveLength(2)
})

it('a confirmation’s link that has expired says so, and one press asks again', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/confirm/${TOKEN.expired}`
  for (const method of ['GET', 'POST']) {
    const answer = await fetch(url, { method })
    const page = await answer.text()
    expect([answer.status, page.match(/<button/g)?.length]).toEqual([410, 1])
    expect(page).toContain('<h1>This confirmation link has expired</h1>')
    expect(page).toContain('work for 7 days')
    expect(page).toContain('a•••@example.org')
  }
  expect(site.changes).toEqual([])
  const pressed = await fetch(`${url}/again`, { method: 'POST' })
  expect(await pressed.text()).toContain('If we can email <strong class="address">a•••@example.org</strong>')
  expect(site.changes).toEqual([['requestAgain', TOKEN.expired]])
  expect(site.origins).toMatchObject([{ source: 'form', form: '/confirm/:token/again' }])
  const program = await fetch(url, { headers: { accept: 'application/json' } })
  expect([program.status, await program.json()]).toEqual([410, expect.objectContaining({ title: 'Expired link' })])
})

it('a link whose request is forgotten promises no email: it has the form that subscribes by an address alone', async () => {
  await using site = await openTestSite()
  const answer = await fetch(`${site.url}/confirm/${TOKEN.forgotten}`)
  const page = await answer.text()
  expect(answer.status).toBe(410)
  expect(page).toContain('<h1>This confirmation link has expired</h1>')
  expect(page).toContain('action="/subscribe"')
  expect(page).not.toContain('action="/links"')
  const [seen = ''] = page.split('<details')
  expect(seen.match(/<button/g)).toHaveLength(1)
  const again = await fetch(`${site.url}/confirm/${TOKEN.forgotten}/again`, { method: 'POST', redirect: 'manual' })
  expect([again.status, again.headers.get('location')]).toEqual([303, `/confirm/${TOKEN.forgotten}`])
  expect(site.changes).toEqual([])
})

it('confirming again says that it was done before', async () => {
  await using site = await openTestSite()
  for (const method of ['GET', 'POST']) {
    const answer = await fetch(`${site.url}/confirm/${TOKEN.confirmed}`, { method })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('You’re already subscribed')])
  }
})

it('every dead link gets the same page, which offers fresh ones', async () => {
  await using site = await openTestSite()
  const dead = [TOKEN.view, TOKEN.confirm.slice(1), `${TOKEN.confirm}0`, 'x', '%00', 'a'.repeat(1500)]
  const paths = ['confirm', 'preferences', 'unsubscribe', 'digests'].flatMap((page) =>
    dead.filter((token) => !(page === 'digests' && token === TOKEN.view)).map((token) => `/${page}/${token}`),
  )
  const answers = await Promise.all(
    paths.map(async (path) => {
      const answer = await fetch(site.url + path)
      return `${answer.status} ${await answer.text()}`
    }),
  )
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toMatch(/^404 .*This link no longer works.*action="\/links"/s)
})

it('whatever stands for a token is led back to as it was written', async () => {
  await using site = await openTestSite()
  // A NUL is replaced before any route sees it.
  const nul = await fetch(`${site.url}/confirm/a%00b/again`, { method: 'POST', redirect: 'manual' })
  expect([nul.status, nul.headers.get('location')]).toEqual([303, '/confirm/a%EF%BF%BDb'])
  for (const token of ['%F4%83%AD%BC', 'a%0D%0Ab', '%2F%2Fevil.example']) {
    const answer = await fetch(`${site.url}/confirm/${token}/again`, { method: 'POST', redirect: 'manual' })
    // A NUL is replaced on every route.
    const read = token.replace('%00', '%EF%BF%BD')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/confirm/${read}`])
  }
})

it('lost links are requested by address, with the same response for every address', async () => {
  await using site = await openTestSite()
  expect(await (await fetch(`${site.url}/links`)).text()).toContain('Your subscription')
  for (const email of ['ada@example.org', EMAIL]) {
    const answer = await post(`${site.url}/links`, form({ email }))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/links\/sent\/./)])
  }
  expect(site.changes).toEqual([
    ['requestLinks', 'ada@example.org'],
    ['requestLinks', EMAIL],
  ])
  expect((await post(`${site.url}/links`, { email: EMAIL })).status).toBe(202)
  const refused = await post(`${site.url}/links`, form({ email: 'ada@' }))
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('Enter a domain after the @')])
})

it('the page links to the embedded mailbox where there is one', async () => {
  await using site = await openTestSite({ mailboxUrl: 'http://127.0.0.1:8025/' })
  expect(await (await fetch(`${site.url}/check-inbox`)).text()).toContain('href="http://127.0.0.1:8025/"')
  await using live = await openTestSite()
  expect(await (await fetch(`${live.url}/check-inbox`)).text()).not.toContain('8025')
})

describe('an address with a likely typing error', () => {
  const TYPED = { ...RIGHT, email: 'ada@gmial.com', keywords: 'sheet music\r\nLean 4', shown: STAMP, subject: '' }

  /** The fields that the page sends with one of its buttons. */
  const fieldsOf = (page: string, button: RegExp) => {
    const fields = new URLSearchParams()
    for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g))
      fields.append(name, value)
    const [, name = '', value = ''] = button.exec(page) ?? []
    fields.append(name, value)
    return fields
  }
  const YES = /<button[^>]* name="(email)" value="([^"]*)">Yes/
  const NO = /<button[^>]* name="(email)" value="([^"]*)">No/

  it.each([
    ['the address that was meant', YES, 'ada@gmail.com'],
    ['the address as it was typed', NO, 'ada@gmial.com'],
  ])('is asked about once, and one press takes %s, with all that was chosen', async (_, button, taken) => {
    await using site = await openTestSite()
    const answer = await post(`${site.url}/subscribe`, form(TYPED))
    const page = await answer.text()
    expect(answer.status).toBe(200)
    expect(page).toContain('<h1>Did you mean ada@gmail.com?</h1>')
    expect(page).not.toContain('<script')
    expect(site.changes).toEqual([])
    const next = await post(`${site.url}/subscribe`, fieldsOf(page, button))
    expect(next.status).toBe(303)
    const stored = { ...STORED, keywords: ['Lean 4', 'sheet music'] }
    expect(site.changes).toEqual([['requestSubscription', taken, stored]])
    expect(site.origins).toEqual([{ ip: '127.0.0.1', form: '/subscribe', source: 'form', stamp: STAMP }])
  })

  it('is never refused: JSON is accepted, and told what was likely meant', async () => {
    await using site = await openTestSite()
    const answer = await post(`${site.url}/subscribe`, { ...RIGHT, email: 'ada@gmail.con' })
    expect([answer.status, await answer.json()]).toEqual([
      202,
      { status: 'check your inbox', did_you_mean: 'ada@gmail.com' },
    ])
    const form303 = await post(
      `${site.url}/subscribe`,
      form({ ...RIGHT, email: 'ada@gmail.con', sure: 'ada@gmail.con' }),
    )
    expect(form303.status).toBe(303)
    expect(site.changes.map(([, email]) => email)).toEqual(['ada@gmail.con', 'ada@gmail.con'])
  })
})

describe('a domain without mail', () => {
  const takesMail = async (domain: string) => (domain === 'slow.org' ? null : domain === 'takes.org')

  it('is said at once, and taken when it is entered again', async () => {
    await using site = await openTestSite({ takesMail })
    const answer = await post(`${site.url}/subscribe`, form({ ...RIGHT, email: 'Ada@Nothing.org' }))
    const page = await answer.text()
    expect(answer.status).toBe(400)
    expect(page).toContain('id="email-error">Check the part after the @: we can’t find a mail server for nothing.org.')
    expect(page).toContain('name="sure" value="Ada@nothing.org"')
    expect(page).toContain('value="agents" checked')
    expect(site.changes).toEqual([])
    const again = await post(
      `${site.url}/subscribe`,
      form({ ...RIGHT, email: 'Ada@nothing.org', sure: 'Ada@nothing.org' }),
    )
    expect(again.status).toBe(303)
    for (const email of ['ada@takes.org', 'ada@slow.org'])
      expect((await post(`${site.url}/subscribe`, form({ ...RIGHT, email, sure: 'Ada@nothing.org' }))).status).toBe(303)
    expect(site.changes.map(([, email]) => email)).toEqual(['Ada@nothing.org', 'ada@takes.org', 'ada@slow.org'])
  })

  it('is a problem for a program, which may be sure as well; a program that fills in all fields has nobody asked', async () => {
    const asked: string[] = []
    await using site = await openTestSite({ takesMail: async (domain) => asked.push(domain) < 0 })
    const body = { ...RIGHT, email: 'ada@nothing.org' }
    const answer = await post(`${site.url}/subscribe`, body)
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ errors: [expect.objectContaining({ field: 'email' })] }),
    ])
    expect((await post(`${site.url}/subscribe`, { ...body, sure: body.email })).status).toBe(202)
    expect((await post(`${site.url}/subscribe`, form({ ...body, subject: 'Buy now' }))).status).toBe(303)
    expect(asked).toEqual(['nothing.org'])
  })
})

describe('a time zone', () => {
  it.each(['Etc/Unknown', 'America/Newville', 'Mars', '+05:30'])(
    'that a browser reports and nobody knows, %s, costs no refusal: it is UTC',
    async (timezone) => {
      await using site = await openTestSite()
      expect((await post(`${site.url}/subscribe`, form({ ...RIGHT, timezone }))).status).toBe(303)
      expect(site.changes).toEqual([['requestSubscription', RIGHT.email, { ...STORED, timeZone: 'UTC' }]])
    },
  )

  it.each([
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['US/Pacific', 'America/Los_Angeles'],
    ['Europe/Kiev', 'Europe/Kyiv'],
  ])('under its old name, %s, is %s', async (timezone, timeZone) => {
    await using site = await openTestSite()
    await post(`${site.url}/subscribe`, form({ ...RIGHT, timezone }))
    await post(`${site.url}/subscribe`, { ...RIGHT, timezone })
    expect(site.changes.map(([, , stored]) => stored)).toMatchObject([{ timeZone }, { timeZone }])
  })

  it('that a program sends and we do not know is UTC, and told; what is no name of a zone is refused', async () => {
    await using site = await openTestSite()
    const unknown = await post(`${site.url}/subscribe`, { ...RIGHT, timezone: 'Europe/Lundon' })
    expect([unknown.status, await unknown.json()]).toEqual([
      202,
      {
        status: 'check your inbox',
        timezone: 'UTC',
        note: 'We don’t know the time zone “Europe/Lundon”, so times are in UTC.',
      },
    ])
    for (const timezone of ['Mars', '+05:30', { a: 1 }])
      expect((await post(`${site.url}/subscribe`, { ...RIGHT, timezone })).status).toBe(400)
    expect(site.changes).toMatchObject([['requestSubscription', RIGHT.email, { timeZone: 'UTC' }]])
  })
})

/** A challenge as the page has it; the site of these tests takes `right` for its solution. */
const CHALLENGE = { parameters: { nonce: '"><script>' }, signature: 'ab' } as never

describe('what keeps programs from the form', () => {
  it('a field that no reader sees, filled in, stores nothing, and the answer is the same', async () => {
    await using site = await openTestSite()
    for (const [path, to] of [
      ['/subscribe', '/check-inbox'],
      ['/links', '/links/sent'],
      ['/vote', '/vote/sent'],
    ] as const) {
      const fields = { ...RIGHT, paper: '2604.11784' }
      const right = await post(`${site.url}${path}`, form({ ...fields, subject: '' }))
      const filled = await post(`${site.url}${path}`, form({ ...fields, subject: 'Buy now' }))
      // The address is sealed, the same for the same moment.
      for (const answer of [right, filled])
        expect([answer.status, answer.headers.get('location')]).toEqual([303, right.headers.get('location')])
      expect(right.headers.get('location')).toContain(to)
    }
    expect(site.changes.map(([what]) => what)).toEqual(['requestSubscription', 'requestLinks', 'requestVoteLink'])
  })

  it('each form has the stamp of the moment in which it was shown, and sends it back', async () => {
    await using site = await openTestSite()
    for (const path of ['/', '/links', '/preview?topics=agents', '/unsubscribe/unknown', '/vote?paper=2604.11784']) {
      const page = await (await fetch(site.url + path)).text()
      expect([path, page.includes(`name="shown" value="${STAMP}"`)]).toEqual([path, true])
      expect(page).toMatch(/<div class="unseen" aria-hidden="true">\s*<label for="subject">/)
    }
    await post(`${site.url}/subscribe`, form({ ...RIGHT, shown: STAMP }))
    await post(`${site.url}/subscribe`, RIGHT)
    await post(`${site.url}/subscribe`, { ...RIGHT, shown: 7 })
    expect(site.origins).toEqual([
      { ip: '127.0.0.1', form: '/subscribe', source: 'form', stamp: STAMP },
      { ip: '127.0.0.1', form: '/subscribe', source: 'api' },
      { ip: '127.0.0.1', form: '/subscribe', source: 'api', stamp: '' },
    ])
  })

  it('a request that is held is told so, with a challenge that its browser can solve, and one script for it', async () => {
    await using site = await openTestSite({ challenge: CHALLENGE })
    for (const path of ['/subscribe', '/links']) {
      const answer = await post(`${site.url}${path}`, form(RIGHT))
      const page = await answer.text()
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'")
      expect(page).toContain('Your email may take up to an hour')
      expect(page).toContain(
        'data-challenge="{&#34;parameters&#34;:{&#34;nonce&#34;:&#34;\\&#34;&gt;&lt;script&gt;&#34;}',
      )
      const script = /<script type="module" src="([^"]+)">/.exec(page)?.[1] ?? ''
      const { headers, status } = await fetch(site.url + script)
      expect([status, Number(headers.get('content-length')) < 10_000]).toEqual([200, true])
      const program = await post(`${site.url}${path}`, { email: RIGHT.email, ...(path === '/links' ? {} : RIGHT) })
      expect([program.status, await program.json()]).toEqual([
        202,
        { status: 'check your inbox', challenge: CHALLENGE },
      ])
    }
    for (const proof of ['right', 'wrong', ['right']])
      expect((await post(`${site.url}/subscribe/proof`, { proof })).status).toBe(202)
    expect(site.changes.slice(4).map(([, proof]) => proof)).toEqual(['right', 'wrong', ''])
  })

  it('the client is the one that a trusted proxy names; others may write into a header what they like', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.7, 192.0.2.9' }
    await using open = await openTestSite()
    await post(`${open.url}/subscribe`, RIGHT, forwarded)
    expect(open.origins).toEqual([{ ip: '127.0.0.1', form: '/subscribe', source: 'api' }])
    await using proxied = await openTestSite({ trustProxy: ['127.0.0.0/8'] })
    await post(`${proxied.url}/subscribe`, RIGHT, forwarded)
    expect(proxied.origins).toEqual([{ ip: '192.0.2.9', form: '/subscribe', source: 'api' }])
  })

  it('a field that there is not is refused by name in JSON, and ignored in a form', async () => {
    await using site = await openTestSite()
    for (const path of ['/subscribe', '/links', '/preview']) {
      const refused = await post(`${site.url}${path}`, { ...RIGHT, isAdmin: true, 'x"\n': 1 })
      expect([refused.status, await refused.json()]).toEqual([
        400,
        expect.objectContaining({
          detail: expect.stringContaining(path === '/links' ? '“topics”' : '“isAdmin”, “x"”'),
        }),
      ])
      const ignored = await post(`${site.url}${path}`, form({ ...RIGHT, isAdmin: 'true' }))
      expect(ignored.status).toBe(path === '/preview' ? 200 : 303)
    }
  })
})
