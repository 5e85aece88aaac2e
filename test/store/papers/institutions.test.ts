/** Institutions as they are kept: of the latest listing that names one, and found by their names. */
import { expect, test } from 'vitest'
import type { Institution, Listing } from '../../../src/core/papers/paper.ts'
import { readHuggingFaceRow } from '../../../src/core/papers/paper-row.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import type { Database } from '../../../src/store/database.ts'
import { findInstitutions, readInstitution, readInstitutionSlugs } from '../../../src/store/papers/institutions.ts'
import { readPapersOfInstitution, readShownPapers } from '../../../src/store/papers/paper-lists.ts'
import { listingsOf, openNewsletter } from '../../support/fixtures/newsletter.ts'

const at = (instant: string) => new Date(instant)
const NOW = at('2026-04-20T09:00:00Z')
const PLAN: Institution = { name: 'PLAN-Lab', fullName: 'Perception and LANguage Lab' }
const ETS: Institution = { name: 'ETSMTL', fullName: 'École de Technologie Supérieure' }

/** A paper of 13 April as it is listed at an hour, with an institution or without. */
const listing = (topic: string, hour: number, institution?: Institution): Listing => {
  const [made] = listingsOf('2026-04-13', [topic], `2026-04-13T${String(hour).padStart(2, '0')}:00:00Z`)
  if (made === undefined) throw new Error('no such topic')
  return institution === undefined ? made : { ...made, institution }
}

const institutionOf = async (db: Database, { paper }: Listing) =>
  (await readShownPapers(db, NOW, [paper.id]))[0]?.institution

test('the latest listing that names an institution counts, in whatever order they come, and none takes it away', async () => {
  await using newsletter = await openNewsletter()
  await using other = await openNewsletter()
  const readings = [
    listing('robotics', 8, ETS),
    listing('robotics', 9, PLAN),
    listing('robotics', 10),
    listing('agents', 9, { ...PLAN, fullName: 'Perception and LANguage Lab @UIUC' }),
    listing('agents', 11),
  ]
  for (const one of readings) await storeAll(newsletter.db, 'huggingface', [one])
  for (const one of readings.toReversed()) await storeAll(other.db, 'huggingface', [one])
  for (const { db } of [newsletter, other]) {
    expect(await institutionOf(db, listing('robotics', 8))).toMatchObject({ name: 'PLAN-Lab' })
    expect((await readPapersOfInstitution(db, NOW, 'plan-lab', { offset: 0, limit: 9 })).total).toBe(2)
    expect(await readInstitutionSlugs(db, NOW, 9)).toEqual(['plan-lab'])
  }
  // Neither makes a revision of the texts.
  const { db } = newsletter
  expect(await db.selectFrom('papers').select('revision').execute()).toEqual([{ revision: 1 }, { revision: 1 }])
  // What arXiv lists later names none.
  await storeAll(db, 'arxiv', [listing('robotics', 15)])
  expect(await institutionOf(db, listing('robotics', 8))).toMatchObject({ name: 'PLAN-Lab' })
  // A batch may hold a paper twice.
  await storeAll(db, 'huggingface', [listing('robotics', 16, ETS), listing('robotics', 17)])
  expect(await institutionOf(db, listing('robotics', 8))).toEqual(ETS)
})

test('they are found by the beginning of the full name or by the short one, whatever its marks, the fullest first', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeAll(db, 'huggingface', [
    listing('robotics', 9, ETS),
    listing('agents', 9, PLAN),
    listing('code', 9, { name: 'ETSI', fullName: 'École de Sondage' }),
    listing('evaluation', 9, { name: 'ETSI', fullName: 'École de Sondage' }),
  ])
  const find = async (typed: string, now = NOW) => (await findInstitutions(db, now, typed, 3)).map(({ name }) => name)
  expect(await find('ecole de')).toEqual(['ETSI', 'ETSMTL'])
  expect(await find('École de technologie supérieure')).toEqual(['ETSMTL'])
  expect(await find('plan lab')).toEqual(['PLAN-Lab'])
  expect(await find('PLAN-Lab')).toEqual(['PLAN-Lab'])
  for (const typed of ['eco', 'technologie', '', '%', '_____', '\0', '-', 'x'.repeat(10_000)])
    expect(await find(typed)).toEqual([])
  expect(await find('plan lab', at('2026-04-13T08:00:00Z'))).toEqual([])
  expect(await readInstitution(db, 'etsmtl')).toEqual(ETS)
  expect(await readInstitution(db, 'ETSMTL')).toBeNull()
  await db.updateTable('papers').set({ hidden_at: NOW }).execute()
  expect(await find('plan lab')).toEqual([])
})

test.each([
  [
    { name: 'nvidia', fullname: 'NVIDIA', avatar: 'https://example.org/a.png' },
    { name: 'nvidia', fullName: 'NVIDIA' },
  ],
  [{ name: 'ByteDance-Seed' }, { name: 'ByteDance-Seed', fullName: 'ByteDance-Seed' }],
  [
    { name: 'lab', fullname: '\u202e<b>Evil</b>\0\n Lab ' },
    { name: 'lab', fullName: '<b>Evil</b> Lab' },
  ],
  [{ name: '../admin', fullname: 'A' }, undefined],
  [{ name: '..', fullname: 'A' }, undefined],
  [{ name: 'a/b', fullname: 'A' }, undefined],
  [{ name: 'x'.repeat(200), fullname: 'A' }, undefined],
  [{ name: 12, fullname: 'A' }, undefined],
  [{ fullname: 'A' }, undefined],
  ['nvidia', undefined],
  [null, undefined],
])('of %j in a row of Hugging Face is kept %j', (organization, kept) => {
  const row = { paper: { id: '2604.00001', title: 'A title', organization }, numComments: 0 }
  const context = { listDay: '2026-04-13', observedAt: null, today: '2026-04-13' }
  expect(readHuggingFaceRow(row, context).institution).toEqual(kept)
})
