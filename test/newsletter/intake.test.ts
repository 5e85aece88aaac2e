/** Papers coming in: what a failing source leaves alone, and when the sample stands in and goes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { samplePapers } from '../../src/adapters/sources/sample-papers.ts'
import { daysToRead, fillWithSample, refreshPapers, storeAll } from '../../src/newsletter/intake.ts'
import type { Source } from '../../src/newsletter/source.ts'
import type { Database } from '../../src/store/database.ts'
import { holdsRealPapers, readListDays } from '../../src/store/papers/papers.ts'
import { listingsOf, openNewsletter, SILENT, storeDay } from '../support/fixtures/newsletter.ts'
import { propertyRuns } from '../support/thoroughness.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const dump = async (db: Database) => ({
  papers: await db.selectFrom('papers').selectAll().orderBy('id').execute(),
  texts: await db.selectFrom('paper_texts').selectAll().orderBy('paper_id').orderBy('revision').execute(),
  observations: await db.selectFrom('observations').selectAll().orderBy('paper_id').orderBy('observed_at').execute(),
})
const source = (label: string, fetchDay: (day: string) => ReturnType<typeof listingsOf>): Source => ({
  kind: 'days',
  name: 'huggingface',
  label,
  rateLimit: { name: label, gap: 0, timeout: 1000 },
  fetchDay: async (day) => ({ rows: fetchDay(day), problems: [] }),
})

describe('a refresh', () => {
  test('of a source that fails changes nothing that is stored, and the others go on', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await storeDay(db, '2026-04-13', ['robotics'])
    const before = await dump(db)
    const broken = source('broken', () => {
      throw new Error('it answered 500')
    })
    const warned: object[] = []
    const log = { ...SILENT, warn: (facts: object) => void warned.push(facts) }
    expect(await refreshPapers({ db, now: () => NOW, log }, [broken])).toEqual([])
    expect(await dump(db)).toEqual(before)
    expect(warned).toMatchObject([{ source: 'broken', error: 'it answered 500' }])
    const good = source('good', (day) => (day === '2026-04-14' ? listingsOf(day, ['code']) : []))
    expect(await refreshPapers({ db, now: () => NOW, log: SILENT }, [broken, good])).toEqual(['good'])
    expect(await readListDays(db, NOW, 9)).toEqual(['2026-04-14', '2026-04-13'])
  })

  test('reads the archive at first, and later the days that still grow and those that were missed', () => {
    expect(daysToRead('2026-04-14', null).length).toBeGreaterThanOrEqual(28)
    expect(daysToRead('2026-04-15', new Date('2026-04-15T09:00:00Z'))).toEqual([
      '2026-04-15',
      '2026-04-14',
      '2026-04-13',
    ])
    expect(daysToRead('2026-04-17', new Date('2026-04-13T09:00:00Z'))).toContain('2026-04-13')
  })
})

describe('storing', () => {
  test('the same list twice changes nothing', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await storeDay(db, '2026-04-13', ['robotics', 'code'])
    const before = await dump(db)
    expect(await storeDay(db, '2026-04-13', ['robotics', 'code'])).toEqual({
      added: 0,
      changed: 0,
      unchanged: 2,
      skipped: [],
    })
    expect(await dump(db)).toEqual(before)
  })

  test('in any order gives the same first sightings, list days and latest texts', async () => {
    const at = ['2026-04-13T09:00:00Z', '2026-04-14T09:00:00Z', '2026-04-15T09:00:00Z']
    const lists = at.map((time, n) =>
      listingsOf('2026-04-13', ['robotics'], time).map((one) => ({
        ...one,
        paper: { ...one.paper, title: `Title number ${n}` },
      })),
    )
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), async (order) => {
        await using newsletter = await openNewsletter()
        const { db } = newsletter
        for (const n of order) await storeAll(db, 'huggingface', lists[n] ?? [])
        const [paper] = (await dump(db)).papers
        expect(paper).toMatchObject({ list_day: '2026-04-13', first_seen_at: new Date(at[0] ?? '') })
        const text = await db
          .selectFrom('paper_texts')
          .select('title')
          .where('revision', '=', paper?.revision ?? 0)
          .executeTakeFirst()
        expect(text).toEqual({ title: 'Title number 2' })
      }),
      { numRuns: propertyRuns(6) },
    )
  })

  test('a source that leaves a link out does not take it away', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const [first] = listingsOf('2026-04-13', ['robotics'])
    if (first === undefined) throw new Error('no listing')
    await storeAll(db, 'huggingface', [{ ...first, paper: { ...first.paper, codeUrl: 'https://github.com/a/b' } }])
    const later = { ...first, observation: { ...first.observation, at: new Date('2026-04-14T09:00:00Z') } }
    await storeAll(db, 'huggingface', [later])
    expect((await dump(db)).texts).toMatchObject([{ revision: 1, code_url: 'https://github.com/a/b' }])
  })
})

describe('the sample', () => {
  test('fills an empty installation, and is hidden permanently by the first real paper', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    expect(await fillWithSample(db, samplePapers())).toBe(true)
    expect(await readListDays(db, NOW, 9)).toHaveLength(7)
    await storeDay(db, '2026-04-14', ['robotics'])
    expect(await readListDays(db, NOW, 9)).toEqual(['2026-04-14'])
    expect(await holdsRealPapers(db)).toBe(true)
    expect(await fillWithSample(db, samplePapers())).toBe(false)
    await storeAll(db, 'sample', samplePapers())
    expect(await readListDays(db, NOW, 9)).toEqual(['2026-04-14'])
  })

  test('is replaced by the real text of the same paper', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const [sample] = samplePapers()
    if (sample === undefined) throw new Error('no sample')
    await storeAll(db, 'sample', [sample])
    await storeAll(db, 'huggingface', [{ ...sample, paper: { ...sample.paper, abstract: 'The real abstract.' } }])
    const { papers, texts } = await dump(db)
    expect(papers).toMatchObject([{ source: 'huggingface', hidden_at: null, revision: 2 }])
    expect(texts.at(-1)?.abstract).toBe('The real abstract.')
  })
})
