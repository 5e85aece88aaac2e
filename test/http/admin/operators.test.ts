/** The pages of operators and of the record: who sees them, what they change, and what is taken back. */
import { expect, test } from 'vitest'
import { pauseEdition } from '../../../src/newsletter/edition-control.ts'
import { addSuppression } from '../../../src/newsletter/feedback/suppressions.ts'
import { recordAct } from '../../../src/store/audit.ts'
import { openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'
import { type AdminTestSite, openAdminSite } from '../../support/servers/admin-site.ts'

const readRecord = ({ db }: AdminTestSite) => db.selectFrom('audit_log').selectAll().orderBy('id').execute()
const tokenIn = (text: string): string => /<code>(paper-round-[\w-]{43})<\/code>/.exec(text)?.[1] ?? ''

test('an operator is added, is shown their token once, signs in by it, and is ended at once', async () => {
  await using site = await openAdminSite()
  const own = await site.signInAs('own')
  const added = await own.post('/admin/operators', { name: 'Grace Hopper', role: 'act' })
  const token = tokenIn(added.text)
  expect(token).not.toBe('')
  expect((await own.get('/admin/operators')).text).not.toContain(token)
  const grace = site.browser()
  await grace.signIn(token)
  expect((await grace.get('/admin')).text).toContain('Grace Hopper (act)')
  expect((await grace.get('/admin/operators')).status).toBe(403)

  expect((await own.press('/admin/operators/Grace%20Hopper/role', { role: 'look' })).text).toContain('may now: look')
  expect((await grace.post('/admin/service/hold', { why: 'a test' })).status).toBe(403)
  const renewed = tokenIn((await own.post('/admin/operators/Grace%20Hopper/token')).text)
  expect([renewed === token, (await grace.get('/admin')).status]).toEqual([false, 303])
  await grace.signIn(renewed)
  expect((await own.press('/admin/operators/grace%20hopper/end')).text).toContain(
    'Grace Hopper is no operator any more.',
  )
  expect([(await grace.get('/admin')).status, (await grace.signIn(renewed)).status]).toEqual([303, 403])

  const acts = (await readRecord(site)).filter(({ by_whom }) => by_whom === own.name)
  expect(acts.map(({ action, via }) => [action, via])).toEqual(
    ['added', 'role-changed', 'token-renewed', 'ended'].map((act) => [`operator.${act}`, 'admin']),
  )
  expect(JSON.stringify(acts) + site.log.join()).not.toMatch(new RegExp(`${token}|${renewed}`))
})

test('what is wrong about a new operator is said, with what was typed, and nobody ends themselves by a slip', async () => {
  await using site = await openAdminSite()
  const own = await site.signInAs('own')
  for (const [fields, sentence] of [
    [{ name: '', role: 'look' }, 'Give a name.'],
    [{ name: 'Admin', role: 'look' }, 'choose another name'],
    [{ name: 'ada@example.org', role: 'look' }, 'no @'],
    [{ name: 'Ada', role: 'king' }, 'look, act or own'],
    [{ name: own.name.toUpperCase(), role: 'look' }, 'Somebody has this name'],
  ] as const) {
    const refused = await own.post('/admin/operators', fields)
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining(sentence)])
    expect(refused.text).toContain(`value="${fields.name}"`)
  }
  const self = `/admin/operators/${encodeURIComponent(own.name)}`
  expect((await own.post(`${self}/end`)).text).toContain('You cannot end yourself')
  expect((await own.post(`${self}/role`, { role: 'look' })).text).toContain('You cannot end yourself')
  expect((await own.get('/admin')).status).toBe(200)
})

test('a pause and a suppression are taken back from their entries, and what took them back may be', async () => {
  await using newsletter = await openSendingNewsletter(2)
  const { db } = newsletter
  await using site = await openAdminSite({ db, clock: '2026-04-15T06:30:00Z' })
  const act = await site.signInAs('act')
  const { id } = await db.selectFrom('editions').select('id').executeTakeFirstOrThrow()
  const by = { byWhom: 'Ada', via: 'command' } as const
  await pauseEdition(db, id, { by: 'Ada', why: null }, by)
  await addSuppression(db, 'reader1@example.org', { ...by, whom: 'Ada', why: 'asked by phone' })
  await addSuppression(db, 'nobody@example.org', { ...by, whom: 'Ada', why: 'asked by phone' })
  const undo = async (action: string) => {
    const entry = (await readRecord(site)).filter((one) => one.action === action).at(0)
    return (await act.press(`/admin/audit/${entry?.id}/undo`)).text
  }
  expect(await undo('edition.paused')).toContain('is undone.')
  expect(await undo('suppression.added')).toContain('is undone.')
  const stateOf = async () => [
    (await db.selectFrom('editions').select('paused_at').executeTakeFirstOrThrow()).paused_at !== null,
    await db.selectFrom('suppressions').select('email').execute(),
  ]
  expect(await stateOf()).toEqual([false, [{ email: 'nobody@example.org' }]])
  expect(await undo('edition.resumed')).toContain('is undone.')
  expect(await undo('suppression.removed')).toContain('is undone.')
  expect(await stateOf()).toEqual([true, expect.arrayContaining([{ email: 'reader1@example.org' }])])
  const record = await readRecord(site)
  expect(
    record.map(({ action, undoes }) => [
      action,
      undoes === null ? null : record.find((one) => one.id === undoes)?.action,
    ]),
  ).toEqual([
    ['operator.added', null],
    ['edition.paused', null],
    ['suppression.added', null],
    ['suppression.added', null],
    ['edition.resumed', 'edition.paused'],
    ['suppression.removed', 'suppression.added'],
    ['edition.paused', 'edition.resumed'],
    ['suppression.added', 'suppression.removed'],
  ])
  // No address in whole: what was on one that is no subscriber's cannot be taken back from here.
  expect(JSON.stringify(record)).not.toMatch(/(?:reader1|nobody)@/)
  expect((await act.get('/admin/audit')).text.match(/\/undo"/g)).toHaveLength(2)
})

test('the record is read by whom, by what and on what, fifty at a time', async () => {
  await using site = await openAdminSite()
  const at = new Date('2026-04-15T06:00:00Z')
  for (let n = 1; n <= 60; n++)
    await recordAct(
      site.db,
      {
        byWhom: n % 2 === 0 ? 'Ada' : 'Grace',
        via: 'command',
        action: n % 3 === 0 ? 'edition.paused' : 'suppression.added',
        subject: n % 3 === 0 ? `edition:${n}` : `subscriber:${n}`,
        detail: { why: `reason ${n}`, nothing: null },
      },
      at,
    )
  const look = await site.signInAs('look')
  const numbersOf = (text: string) => [...text.matchAll(/id="entry-(\d+)"/g)].map(([, id]) => Number(id))
  const first = await look.get('/admin/audit')
  expect(numbersOf(first.text)).toHaveLength(50)
  const older = /href="([^"]+)" rel="next"/.exec(first.text)?.[1] ?? ''
  expect(numbersOf((await look.get(older)).text)).toHaveLength(11)
  const some = await look.get('/admin/audit?by=Ada&action=edition')
  expect(numbersOf(some.text)).toHaveLength(10)
  expect(some.text).toContain('why: reason 6')
  expect(some.text).not.toContain('nothing:')
  expect(numbersOf((await look.get('/admin/audit?on=edition:6&action=edition.paused')).text)).toHaveLength(1)
  expect((await look.get('/admin/audit?by=nobody')).text).toContain('Nothing is on record that is like this')
})

test('what can be taken back is, once, by whoever may act, and the record says by whom', async () => {
  await using site = await openAdminSite()
  const act = await site.signInAs('act')
  await act.post('/admin/service/hold', { why: 'a slip' })
  const held = (await readRecord(site)).find(({ action }) => action === 'service.held')
  const path = `/admin/audit/${held?.id}/undo`
  expect((await act.get('/admin/audit')).text).toContain(`action="${path}"`)
  expect((await (await site.signInAs('look')).get('/admin/audit')).text).not.toContain('/undo"')
  // Two at the same moment: one of them does it.
  const other = await site.signInAs('act')
  const answers = await Promise.all([act.post(path), other.post(path)])
  expect(answers.map(({ status }) => status)).toEqual([303, 303])
  expect(await site.db.selectFrom('service_hold').selectAll().execute()).toEqual([])
  const undone = (await readRecord(site)).filter(({ undoes }) => undoes !== null)
  expect(undone).toMatchObject([{ action: 'service.resumed', undoes: held?.id }])
  expect([act.name, other.name]).toContain(undone[0]?.by_whom)
  const page = (await act.get('/admin/audit')).text
  expect(page).toContain(`It was taken back by no. ${undone[0]?.id}.`)
  expect(page).not.toContain(`action="${path}"`)
  expect((await act.press(path)).text).toContain('It was undone before.')
  expect((await act.press(`/admin/audit/${undone[0]?.id}/undo`)).text).toContain('This cannot be undone.')
})
