/** Answers that are made once for all who ask: for how long, how many, and of which routes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { topics } from '../../src/core/topics.ts'
import type { Feeds } from '../../src/newsletter/feeds.ts'
import { pathsOf } from '../support/servers/every-page.ts'
import { entry, openTestSite } from '../support/servers/recording-site.ts'
import { propertyRuns } from '../support/thoroughness.ts'

/** A version that a test changes. */
const createVersion = () => {
  let version = 1
  let expired = 0
  return {
    read: async () => String(version),
    expire: () => {
      expired++
    },
    change: () => {
      version++
    },
    expired: () => expired,
  }
}
/** The archive changes with each look, so that nothing that is kept is ever given. */
const createChanging = () => {
  let version = 0
  return { read: async () => String(version++), expire: () => undefined }
}

const textOf = async (url: string, headers: Record<string, string> = {}): Promise<string> =>
  (await fetch(url, { headers: { accept: 'text/html', ...headers } })).text()

test('an answer is made once for those who ask at the same time and after, and again when the archive has another version', async () => {
  const archiveVersion = createVersion()
  await using site = await openTestSite({ archiveVersion })
  const preview = `${site.url}/preview?topics=agents`
  const pages = await Promise.all(Array.from({ length: 8 }, () => textOf(preview)))
  expect(new Set(pages).size).toBe(1)
  expect(site.asked).toHaveLength(1)
  await textOf(`${preview}&utm_source=a&ref=${'x'.repeat(2_000)}`)
  await fetch(preview, { method: 'HEAD', headers: { accept: 'text/html' } })
  expect(site.asked).toHaveLength(1)
  archiveVersion.change()
  await textOf(preview)
  expect(site.asked).toHaveLength(2)
  await textOf(`${site.url}/preview?topics=agents,robotics`)
  // A program gets the digest, and not the page.
  const digest = await fetch(preview, { headers: { accept: 'application/json' } })
  expect(digest.headers.get('content-type')).toContain('json')
  expect(site.asked).toHaveLength(4)
})

test('who asks with what they have is told that nothing has changed, first or not, and others get the whole page', async () => {
  await using first = await openTestSite()
  const asked = await fetch(`${first.url}/topics/agents`)
  const etag = asked.headers.get('etag') ?? ''
  await using site = await openTestSite()
  for (let n = 0; n < 2; n++) {
    const again = await fetch(`${site.url}/topics/agents`, { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
  }
  const whole = await fetch(`${site.url}/topics/agents`)
  expect([whole.status, await whole.text()]).toEqual([200, await asked.text()])
  const feed = await fetch(`${site.url}/feeds/all.atom`)
  const since = { 'if-modified-since': feed.headers.get('last-modified') ?? '' }
  expect((await fetch(`${site.url}/feeds/all.atom`, { headers: since })).status).toBe(304)
})

test('answers are kept up to a size in all: those that nobody asked for longest are made anew', async () => {
  const read: (readonly string[] | null)[] = []
  const large = { ...entry(), html: 'x'.repeat(800_000) }
  const feeds = {
    readPapers: async (topics: readonly string[] | null) => {
      read.push(topics)
      return [large]
    },
  } as Partial<Feeds> as Feeds
  await using site = await openTestSite({ feeds })
  const slugs = topics().all.map(({ slug }) => slug)
  const names = ['all', ...slugs].slice(0, 25)
  expect(names).toHaveLength(25)
  const ask = (name = '') => textOf(`${site.url}/feeds/${name}.json`)
  for (const name of names) {
    await ask(name)
    // Everybody's stays.
    await ask('all')
  }
  expect(read).toHaveLength(names.length)
  await ask(names.at(-1))
  expect(read).toHaveLength(names.length)
  await ask(names[1])
  expect(read).toHaveLength(names.length + 1)
})

test('whoever changes something has the next page look for changes, and whoever reads does not', async () => {
  const archiveVersion = createVersion()
  await using site = await openTestSite({ archiveVersion })
  await textOf(`${site.url}/`)
  expect(archiveVersion.expired()).toBe(0)
  await fetch(`${site.url}/preview`, { method: 'POST', body: new URLSearchParams({ topics: 'agents' }) })
  expect(archiveVersion.expired()).toBeGreaterThan(0)
})

test('a kept answer is that of the same request where nothing is kept, whatever the query holds', async () => {
  await using kept = await openTestSite()
  await using fresh = await openTestSite({ archiveVersion: createChanging() })
  const names = fc.constantFrom('page', 'topics', 'keywords', 'frequency', 'utm_source', '__proto__', 'constructor')
  const values = fc.constantFrom('1', '2', '01', '', 'agents', 'agents,robotics', 'weekly', '%00', 'a+b', '[]')
  const queries = fc.array(fc.tuple(names, values), { maxLength: 4 })
  const paths = fc.constantFrom('/', '/papers/2026-04-15', '/topics/agents', '/preview', '/embed', '/feeds/all.json')
  await fc.assert(
    fc.asyncProperty(paths, queries, fc.boolean(), async (path, query, isProgram) => {
      const asked = `${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`
      const headers = { accept: isProgram ? 'application/json' : 'text/html' }
      const [one, two] = await Promise.all([kept, fresh].map(({ url }) => fetch(url + asked, { headers })))
      const tell = async (answer: Response | undefined) => [
        answer?.status,
        answer?.headers.get('content-type'),
        answer?.headers.get('cache-control'),
        answer?.headers.get('etag'),
        answer?.headers.get('x-robots-tag'),
        answer?.headers.get('content-security-policy'),
        await answer?.text(),
      ]
      expect(await tell(one)).toEqual(await tell(two))
    }),
    { numRuns: propertyRuns(150) },
  )
})

test('what is kept is for anybody: no address with a token, no form, no answer that a cookie or a login changes', async () => {
  await using site = await openTestSite()
  const kept = site.app.routeTable.filter(({ config }) => config?.kept === true)
  expect(kept.map(({ url }) => url)).toEqual(
    expect.arrayContaining(['/', '/papers/:paper', '/topics/:topic', '/preview', '/feeds/:topics.atom']),
  )
  for (const { url, method } of kept) {
    expect(['GET', 'HEAD']).toContain(method)
    expect(url).not.toMatch(/:token|:invitation|:group|admin|vote|saved|own/)
  }
  for (const route of kept.filter(({ method }) => method === 'GET'))
    for (const path of pathsOf(route)) {
      const headers = { cookie: `vote=${'vote'.padEnd(43, '0')}`, authorization: 'Bearer x' }
      const answer = await fetch(site.url + path, { redirect: 'manual', headers: { accept: 'text/html', ...headers } })
      expect([path, answer.headers.get('set-cookie')]).toEqual([path, null])
      const plain = await fetch(site.url + path, { redirect: 'manual', headers: { accept: 'text/html' } })
      expect([path, await plain.text()]).toEqual([path, await answer.text()])
    }
})
