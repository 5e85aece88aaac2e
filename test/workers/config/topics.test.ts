/** The setting TOPICS_FILE: what it makes of a file, and how its faults are told with those of other settings. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { readConfig } from '../../../workers/config/config.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

test('without a file the topics are those that ship', () => {
  expect(readConfig({}).topics).toBe(DEFAULT_TOPICS)
})

test('the demonstration of biology is a file without faults', () => {
  const { topics } = readConfig({ TOPICS_FILE: 'topics/biology.json' })
  expect(topics.all.length).toBeGreaterThanOrEqual(10)
  expect(topics.bySlug('gene-editing')?.label).toBe('Gene editing & CRISPR')
})

test('every fault of the file is told, with those of other settings', async () => {
  await using folder = await openTestFolder()
  const file = join(folder.path, 'topics.json')
  await writeFile(
    file,
    JSON.stringify({ groups: [{ label: 'One', topics: [{ slug: 'all', label: 'All', strong: [] }] }] }),
  )
  expect(faultsOf({ TOPICS_FILE: file, PORT: 'x' })).toEqual([
    expect.stringMatching(/^PORT: /),
    'TOPICS_FILE: groups[0].topics[0].slug: “all” is used by the service itself; take another',
    'TOPICS_FILE: groups[0].topics[0].strong: must list the phrases that mean the topic, one at least',
  ])
  expect(faultsOf({ TOPICS_FILE: join(folder.path, 'none.json') })).toEqual([
    expect.stringMatching(/^TOPICS_FILE: .*none\.json cannot be read \(ENOENT\)$/),
  ])
})
