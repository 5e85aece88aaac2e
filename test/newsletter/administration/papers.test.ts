/** What operators do to papers: hide them, whatever curators do, show them again, and undo what curators did. */
import { expect, test } from 'vitest'
import { deriveToken } from '../../../src/core/token.ts'
import { createPaperAdministration, hidePaper, showPaper } from '../../../src/newsletter/administration/papers.ts'
import { createAudit } from '../../../src/newsletter/audit.ts'
import { createCurations } from '../../../src/newsletter/curation/curations.ts'
import { nameCurator } from '../../../src/newsletter/curation/curators.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import type { Database } from '../../../src/store/database.ts'
import { readCandidates } from '../../../src/store/papers/papers.ts'
import {
  BY_OPERATOR,
  KEYS,
  listingsOf,
  openNewsletter,
  storeDay,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOON = new Date('2026-04-14T12:00:00Z')
const now = () => NOON
const TOPICS = ['diffusion-lm', 'robotics']

const openDesk = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14', TOPICS)
  const [paper, other] = await db.selectFrom('papers').select('id').orderBy('id').execute()
  if (paper === undefined || other === undefined) throw new Error('too few papers')
  const woken: string[] = []
  const desk = createPaperAdministration({ db, keys: KEYS, now, wakeLetters: () => woken.push('letters') })
  const named = await nameCurator({ db, keys: KEYS, now }, BY_OPERATOR, 'grace@example.org', 'Grace Hopper')
  if ('problem' in named) throw new Error(named.problem)
  const token = deriveToken(KEYS, 'curator', named.curator.id, 0)
  const curations = createCurations({ db, keys: KEYS, now, wakeFetch: () => void wakeNobody() })
  return {
    ...newsletter,
    desk,
    woken,
    id: paper.id,
    other: other.id,
    ports: { db, now },
    act: (asked: Parameters<typeof curations.act>[1]) => curations.act(token, asked),
  }
}

/** Whether a digest would take it in. */
const isCandidate = async (db: Database, id: string): Promise<boolean> => {
  const { hidden_at: hidden } = await db
    .selectFrom('papers')
    .select('hidden_at')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const found = await readCandidates(db, NOON, { since: new Date('2026-04-13T00:00:00Z') })
  expect(found.some((one) => one.id === id)).toBe(hidden === null)
  return hidden === null
}

const actsOf = async (db: Database) =>
  (await db.selectFrom('audit_log').select(['action', 'subject', 'by_whom', 'detail']).orderBy('id').execute()).filter(
    ({ action }) => !action.startsWith('curator.'),
  )

test('a paper that an operator hides is in no digest, and says why; shown again it is, and both are on record', async () => {
  await using opened = await openDesk()
  const { db, id, ports, desk } = opened
  expect(await isCandidate(db, id)).toBe(true)
  expect(await hidePaper(ports, BY_OPERATOR, id, '  ')).toEqual({ problem: 'Say why: the record keeps it.' })
  expect(await hidePaper(ports, BY_OPERATOR, id, 'Plagiarised')).toMatchObject({ paperId: id })
  expect(await hidePaper(ports, BY_OPERATOR, id, 'Again')).toEqual({
    problem: 'test hid this paper already (“Plagiarised”).',
  })
  expect(await isCandidate(db, id)).toBe(false)
  expect((await desk.read(id))?.operatorHide).toEqual({ byWhom: 'test', reason: 'Plagiarised', at: NOON })
  expect((await desk.readHidden()).map((one) => one.id)).toEqual([id])
  expect(await showPaper(ports, BY_OPERATOR, id)).toMatchObject({ paperId: id })
  expect(await showPaper(ports, BY_OPERATOR, id)).toEqual({ problem: 'This paper is not hidden.' })
  expect(await isCandidate(db, id)).toBe(true)
  expect(await hidePaper(ports, BY_OPERATOR, 'nothing', 'Why')).toEqual({ problem: 'There is no such paper here.' })
  expect(await actsOf(db)).toEqual([
    { action: 'paper.hidden', subject: `paper:${id}`, by_whom: 'test', detail: { reason: 'Plagiarised' } },
    {
      action: 'paper.shown',
      subject: `paper:${id}`,
      by_whom: 'test',
      detail: { hidden: [{ by: 'test', reason: 'Plagiarised' }] },
    },
  ])
})

test('a curator who undoes a hide does not show what an operator hid too; whoever lists it does not either', async () => {
  await using opened = await openDesk()
  const { db, id, ports, act, desk } = opened
  expect(await act({ act: 'hide', paperId: id, note: 'Off topic' })).toMatchObject({ outcome: 'done' })
  expect(await hidePaper(ports, BY_OPERATOR, id, 'Plagiarised')).toMatchObject({ paperId: id })
  const [hide] = (await desk.read(id))?.inForce ?? []
  expect(await act({ act: 'undo', curationId: hide?.id ?? '' })).toMatchObject({ outcome: 'done' })
  expect(await isCandidate(db, id)).toBe(false)
  await storeAll(db, 'file', listingsOf('2026-04-14', TOPICS, '2026-04-14T11:00:00Z'))
  expect(await isCandidate(db, id)).toBe(false)
  expect(await act({ act: 'pick', paperId: id, note: 'A pick' })).toMatchObject({ outcome: 'hidden', hide: null })
})

test('to show a paper ends a curator’s hide as well, and says who undid it', async () => {
  await using opened = await openDesk()
  const { db, id, ports, act, desk } = opened
  await act({ act: 'hide', paperId: id, note: 'Off topic' })
  await showPaper(ports, BY_OPERATOR, id)
  expect(await isCandidate(db, id)).toBe(true)
  const { curations } = await desk.readCurators(null)
  expect(curations).toMatchObject([{ action: 'hide', curator: 'Grace Hopper', undoneBy: 'test', undoneAt: NOON }])
})

test('an operator undoes what a curator did, once, and it is on record', async () => {
  await using opened = await openDesk()
  const { db, id, other, act, desk, ports } = opened
  await act({ act: 'hide', paperId: id, note: 'Off topic' })
  await act({ act: 'hide', paperId: other, note: 'Off topic' })
  await hidePaper(ports, BY_OPERATOR, other, 'Plagiarised')
  const { curations } = await desk.readCurators(null)
  for (const { id: curation } of curations)
    expect(await desk.undoCuration(BY_OPERATOR, curation)).toHaveProperty('title')
  expect([await isCandidate(db, id), await isCandidate(db, other)]).toEqual([true, false])
  expect(await desk.undoCuration(BY_OPERATOR, curations[0]?.id ?? '')).toEqual({ problem: 'It was undone already.' })
  const acts = (await actsOf(db)).map(({ action, subject }) => `${action} ${subject}`)
  expect(acts.slice(1).sort()).toEqual([id, other].map((one) => `curation.undone paper:${one}`).sort())
})

test('a hide is undone from the record of what was done, once', async () => {
  await using opened = await openDesk()
  const { db, id, ports } = opened
  await hidePaper(ports, BY_OPERATOR, id, 'By mistake')
  const audit = createAudit({ db, now } as never)
  const entry = await db
    .selectFrom('audit_log')
    .select('id')
    .where('action', '=', 'paper.hidden')
    .executeTakeFirstOrThrow()
  expect(await audit.undo(BY_OPERATOR, entry.id)).toBe('undone')
  expect(await isCandidate(db, id)).toBe(true)
  expect(await audit.undo(BY_OPERATOR, entry.id)).toEqual({ problem: 'It was undone before.' })
})

test('papers are found by id, address and words, hidden ones too, and nothing by nonsense', async () => {
  await using opened = await openDesk()
  const { id, ports, desk } = opened
  await hidePaper(ports, BY_OPERATOR, id, 'Plagiarised')
  const idsOf = async (typed: string) => {
    const found = await desk.search(typed)
    return found === 'slow' ? found : found.map((one) => one.id)
  }
  expect(await idsOf(id)).toEqual([id])
  expect(await idsOf(`https://arxiv.org/abs/${id}v2`)).toEqual([id])
  const title = (await desk.read(id))?.title ?? ''
  expect(await idsOf(title)).toContain(id)
  for (const typed of ['xyzzyqwx', '"', '-robotics', '\0', '%'.repeat(500)]) expect(await idsOf(typed)).toEqual([])
})

test('a curator is named, gets a fresh link and is ended on the admin pages as by the commands', async () => {
  await using opened = await openDesk()
  const { db, desk, woken } = opened
  const named = await desk.addCurator(BY_OPERATOR, 'mary@example.org', 'Mary Somerville')
  if ('problem' in named) throw new Error(named.problem)
  expect(woken).toEqual(['letters'])
  expect(await desk.renewLink(BY_OPERATOR, named.curator.id)).toMatchObject({ curator: { epoch: 1 } })
  expect(await desk.endCurator(BY_OPERATOR, named.curator.id)).toMatchObject({ address: null })
  expect(await desk.renewLink(BY_OPERATOR, named.curator.id)).toHaveProperty('problem')
  const acts = await db.selectFrom('audit_log').select(['action', 'detail']).orderBy('id').execute()
  expect(acts.slice(1)).toEqual(
    ['named', 'link-renewed', 'ended'].map((what) => ({
      action: `curator.${what}`,
      detail: { name: 'Mary Somerville' },
    })),
  )
})
