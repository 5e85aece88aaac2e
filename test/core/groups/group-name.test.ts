/** The name of a group is shown to others: it is no link, no other alphabet's look-alike, and not ours. */
import { expect, test } from 'vitest'
import { readGroupName } from '../../../src/core/groups/group-name.ts'

const read = (typed: unknown) => readGroupName(typed, 'Paper Round')

test('names of groups as people have them are taken, cleaned', () => {
  for (const name of [
    'Vision Lab',
    'Laboratoire d’été, salle B12',
    '視覚研究室',
    'AG Müller & Söhne',
    'Лаборатория зрения',
    'NLP 2026',
  ])
    expect(read(name)).toEqual({ name })
  expect(read('  Vision \u202e\u200b  Lab\n')).toEqual({ name: 'Vision Lab' })
})

test('a name that is a link, a message, another alphabet in disguise or the service’s own is refused in a sentence', () => {
  const refused = [
    '',
    '42',
    { name: 'Vision Lab' },
    'x'.repeat(41),
    'Visit evil.example',
    'https://evil',
    'evil．com',
    'call 0800 123456',
    'You won “1000”!',
    '<b>Lab</b>',
    'lab@evil',
    'Vіsion Lab',
    'Paper Round team',
    'P4per-R0und',
  ]
  for (const name of refused)
    expect([name, read(name)]).toEqual([name, { problem: expect.stringMatching(/^[A-Z].*\.$/) }])
})
