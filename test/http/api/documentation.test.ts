/** The page about the API: it says all that the OpenAPI document says, and nothing is loaded for it. */

import { expect, test } from 'vitest'
import { PUBLIC } from '../../../src/http/guard.ts'
import { openTestSite } from '../../support/servers/recording-site.ts'

const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, '')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

/** Every value of a key, however deep. */
const valuesOf = (key: string, value: unknown): unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...valuesOf(key, inner)])

test('it shows each operation, field and shape of the document, and each link to a shape leads to it', async () => {
  await using site = await openTestSite()
  const document = (await (await fetch(`${site.url}/api/v1/openapi.json`)).json()) as { paths: object }
  const answer = await fetch(`${site.url}/api/docs`)
  const page = await answer.text()
  const text = textOf(page)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, PUBLIC])
  expect(page).not.toContain('<script')
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of Object.keys(methods).filter((one) => one !== 'head'))
      expect(text).toContain(`${method.toUpperCase()} ${path}`)
  for (const description of [...valuesOf('description', document), ...valuesOf('summary', document)])
    for (const paragraph of String(description).split('\n\n')) expect(text).toContain(paragraph)
  for (const properties of valuesOf('properties', document))
    for (const name of Object.keys(properties as object))
      expect([name, new RegExp(`<code>(?:[^<]*[.\\]])?${name}</code>`).test(page)]).toEqual([name, true])
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const linked = [...page.matchAll(/href="#(shape-[^"]+)"/g)].map(([, id]) => id)
  expect(linked.length).toBeGreaterThan(20)
  expect(linked.filter((id) => !ids.includes(id))).toEqual([])
  expect(Buffer.byteLength(page)).toBeLessThan(60_000)
})

test('every page leads to it, and it to the document', async () => {
  await using site = await openTestSite()
  expect(await (await fetch(`${site.url}/`)).text()).toContain('<a href="/api/docs">API</a>')
  const page = await (await fetch(`${site.url}/api/docs`)).text()
  expect(page).toContain('<a href="/api/v1/openapi.json">')
  expect(page).toContain('<link rel="service-desc" type="application/json" href="/api/v1/openapi.json">')
})
