/** The thread that reads libraries. */
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLibraryReader } from '../../src/adapters/library-thread.ts'

const CANARY = 'canary'
const BIB = Array.from(
  { length: 3 },
  (_, n) =>
    `@misc{a${n}, title = {Robot manipulation for ${CANARY} ${n}}, eprint = {2604.1178${n}}, archiveprefix = {arXiv}}`,
).join('\n')

test('a library is read beside everything else, with the papers that it names lent once, and its octets are gone', async () => {
  const asked: string[][] = []
  const octets = Uint8Array.from(Buffer.from(BIB))
  let turns = 0
  const suggested = createLibraryReader(null)(octets, async (ids) => {
    asked.push(ids)
    return [{ id: '2604.11780', title: 'Robots', abstract: 'Robots that grasp.', authors: ['Ada Byron'] }]
  })
  let waiting = true
  const ended = suggested.finally(() => {
    waiting = false
  })
  while (waiting) {
    turns++
    await setImmediate()
  }
  expect(await ended).toMatchObject({ format: 'BibTeX', read: 3, used: 3, topics: [{ slug: 'robotics', entries: 3 }] })
  expect(asked).toEqual([['2604.11780', '2604.11781', '2604.11782']])
  // This thread was free meanwhile.
  expect(turns).toBeGreaterThan(100)
})

test('a library that takes too long is given up, and says nothing of it', async () => {
  const given = createLibraryReader(null, 1)(Buffer.from(BIB), async () => [])
  await expect(given).rejects.toThrow(
    expect.objectContaining({ name: 'UnreadLibrary', message: expect.not.stringContaining(CANARY) }),
  )
})

test('what fails in the thread is told without a word of the library', async () => {
  const given = createLibraryReader('/nowhere/model.json')(Buffer.from(`[{"title": "${CANARY}"}]`), async () => [])
  const error = await given.then(
    () => null,
    (reason: Error) => reason,
  )
  expect([error?.name, String(error?.stack).includes(CANARY)]).toEqual(['UnreadLibrary', false])
})

test('a fault of whoever lends papers is theirs', async () => {
  const given = createLibraryReader(null)(Buffer.from(BIB), async () => {
    throw new Error('the database is away')
  })
  await expect(given).rejects.toThrow('the database is away')
})
