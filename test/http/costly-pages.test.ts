/** Costly pages: one at a time, and once for the same content. */
import { expect, test } from 'vitest'
import { createTurns, keepPages } from '../../src/http/costly-pages.ts'

test('of work that is asked for at once one piece goes on after the other, and others have room between, failed or not', async () => {
  const inTurn = createTurns()
  const events: string[] = []
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      events.push(`${name} begins`)
      await Promise.resolve()
      events.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const asked = [work('a'), work('b', true), work('c')]
  // What is due in the event loop after a, and before c, as a request is that comes meanwhile.
  void asked[0]?.then(() => setImmediate(() => events.push('a request')))
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(events.filter((event) => event !== 'a request')).toEqual([
    'a begins',
    'a ends',
    'b begins',
    'b ends',
    'c begins',
    'c ends',
  ])
  expect(events.indexOf('a request')).toBeLessThan(events.indexOf('c begins'))
})

test('an open page is rendered once for its content, and one with a token each time', () => {
  const rendered: unknown[] = []
  const pages = keepPages({
    assets: [],
    formStamp: 'x',
    render: (name, view) => {
      rendered.push([name, view])
      return `${name} ${JSON.stringify(view)}`
    },
  })
  for (const view of [{ a: 1 }, { a: 1 }, { a: 2 }])
    expect(pages.render('home', view)).toBe(`home ${JSON.stringify(view)}`)
  expect(rendered).toHaveLength(2)
  for (let n = 0; n < 2; n++) pages.render('preferences', { a: 1 })
  expect(rendered).toHaveLength(4)
})

test('pages are kept up to a size in all, whatever readers choose: those that were not asked for longest are made anew', () => {
  let rendered = 0
  const pages = keepPages({
    assets: [],
    formStamp: 'x',
    render: () => {
      rendered++
      return 'x'.repeat(100_000)
    },
  })
  for (let n = 0; n < 200; n++) {
    pages.render('preview', { n })
    // Everybody's page stays.
    pages.render('home', {})
  }
  expect(rendered).toBe(201)
  pages.render('preview', { n: 199 })
  expect(rendered).toBe(201)
  pages.render('preview', { n: 100 })
  expect(rendered).toBe(202)
})
