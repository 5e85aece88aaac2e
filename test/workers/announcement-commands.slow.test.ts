/** Announcements by commands, from the shell: written, looked at, tested, sent, followed, paused, sent again and called off. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runAnnouncements } from '../../src/newsletter/announcement-run.ts'
import { claim } from '../../src/store/outbox/claims.ts'
import { record } from '../../src/store/outbox/outcomes.ts'
import { storeInState } from '../support/fixtures/every-state.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { openNewsletter, SILENT, wakeNobody } from '../support/fixtures/newsletter.ts'
import { runProgram } from '../support/processes/program.ts'

const AT = new Date('2026-04-14T05:00:00Z')
/** Each command's clock begins at the first of these, and at the second after a tick. */
const CLOCK = '2026-04-15T09:00:00Z'
const LATER = '2026-04-15T10:00:00Z'
const TEXT = '---\nsubject: We move on Monday\n---\n\nSee [the plan](https://example.org/plan).\n'
const OUTCOME = { retryAfterMs: 0, counts: true, resend: false } as const

const openAnnouncer = async () => {
  const closers = new AsyncDisposableStack()
  const newsletter = closers.use(await openNewsletter())
  const folder = closers.use(await openTestFolder(0o711))
  const { db, url } = newsletter
  for (const [name, state] of [
    ['ada', 'active'],
    ['grace', 'active'],
    ['lise', 'active'],
    ['emmy', 'pending'],
  ] as const)
    await storeInState(db, state, `${name}@example.org`, AT)
  const file = join(folder.path, 'move.md')
  await writeFile(file, TEXT)
  const settings = { DATABASE_URL: url, DATA_DIR: folder.path, LOG_LEVEL: 'warn' }
  let clock = CLOCK
  return {
    ...{ db, folder, file },
    /** Runs `announcements …` to its end. */
    run: (...words: string[]) => runProgram('admin', ['announcements', ...words], { ...settings, CLOCK: clock }),
    /** What the scheduler does. */
    async tick() {
      clock = LATER
      await runAnnouncements({ db, log: SILENT, wake: wakeNobody }, new Date(LATER))
    },
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  }
}

test('one is looked at and tested, and sent only with --yes', async () => {
  await using announcer = await openAnnouncer()
  const { db, folder, file, run } = announcer
  expect(await run('list')).toMatchObject({ code: 0, stdout: 'There are no announcements yet.\n' })
  const bad = join(folder.path, 'bad.md')
  await writeFile(bad, '---\nsubject: Hello\n---\n\n<b>all</b>\n')
  expect(await run('preview', bad)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${bad}:5: HTML can’t be used`),
  })
  expect(await run('preview', join(folder.path, 'none.md'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('none.md cannot be read'),
  })

  const preview = await run('preview', file)
  expect(preview).toMatchObject({ code: 0, stderr: '' })
  expect(preview.stdout).toMatch(/^Subject: We move on Monday\n[\s\S]*See the plan \(https:\/\/example\.org\/plan\)\./)
  const out = join(folder.path, 'move.html')
  expect(await run('preview', file, '--out', out)).toMatchObject({
    code: 0,
    stdout: `“We move on Monday”, written to ${out}.\n`,
  })
  expect(await readFile(out, 'utf8')).toContain('href="https://example.org/plan"')

  expect(await run('test', file, '--to', 'emmy@example.org')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('emmy@example.org is not an active subscriber'),
  })
  expect(await run('test', file, '--to', 'ada@example.org', '--by', 'Grace')).toMatchObject({
    code: 0,
    stdout: 'The test is on its way to ada@example.org.\n',
  })
  expect(await run('send', file, '--to', 'topic:nothing')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no topic nothing. The topics are:'),
  })
  expect(await run('send', file, '--to', 'all', '--at', '2026-04-01T00:00:00Z', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('2026-04-01T00:00:00.000Z is over'),
  })
  const unsure = await run('send', file, '--to', 'all')
  expect(unsure).toMatchObject({
    code: 2,
    stdout: 'Nothing was sent.\n3 readers would get it.\n  not reached: 1 not confirmed yet\n',
    stderr: expect.stringContaining('nothing was sent; to send it, add --yes'),
  })
  const stored = () => db.selectFrom('announcements').select(['subject', 'written_by']).orderBy('id').execute()
  expect(await stored()).toEqual([{ subject: 'Test: We move on Monday', written_by: 'Grace' }])

  const sent = await run('send', file, '--to', 'topic:robotics', '--by', 'Grace', '--yes')
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  expect(sent.stdout).toMatch(
    /^Announcement (\d+) goes to readers of Robotics.*\.\n3 readers [\s\S]*How it goes: announcements show \1\n$/,
  )
  expect((await stored())[1]).toEqual({ subject: 'We move on Monday', written_by: 'Grace' })
  expect(await run('send', file, '--to', 'all', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('has the same text and is not addressed to everybody yet'),
  })
})

test('one that some missed is shown, paused, sent to them again, resumed and canceled, all on record', async () => {
  await using announcer = await openAnnouncer()
  const { db, file, run } = announcer
  const { stdout } = await run('send', file, '--to', 'all', '--by', 'Grace', '--yes')
  const id = /^Announcement (\d+)/.exec(stdout)?.[1] ?? ''
  await announcer.tick()
  const [taken, refused] = await claim(db, 'announcement_mails', 2)
  if (taken === undefined || refused === undefined) throw new Error('too few were claimed')
  const reply = { code: 550, enhanced: '5.1.1', said: 'no such user' }
  await record(db, 'announcement_mails', [
    { ...taken, ...OUTCOME, state: 'sent', reason: null, reply: null },
    { ...refused, ...OUTCOME, state: 'failed', reason: 'refused at rcpt', reply },
  ])

  const equation = 'due 3 = sent 1 + failed 1 + skipped 0 + pending 1 + unknown 0 + canceled 0'
  expect((await run('list')).stdout).toContain(`sending    “We move on Monday” to all readers\n        ${equation}`)
  const shown = await run('show', id)
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(/written \S+ by Grace\n/)
  expect(shown.stdout).toMatch(/1 failed: refused at rcpt/)
  expect(await run('missed', id)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^(ada|grace|lise)@example\.org\tfailed\trefused at rcpt\t550 5\.1\.1 no such user\n$/,
    ),
  })
  for (const words of [
    ['show', '99'],
    ['missed', '99'],
  ])
    expect(await run(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no announcement 99'),
    })

  expect(await run('pause', id, '--why', 'a mistake', '--by', 'Grace')).toMatchObject({
    code: 0,
    stdout: `Announcement ${id} is paused. To go on: announcements resume ${id}\n`,
  })
  expect((await run('show', id)).stdout).toMatch(/paused since \S+ by Grace: a mistake\n/)
  expect(await run('resend', id, '--by', 'Grace')).toMatchObject({
    code: 0,
    stdout: `1 email put back in the queue. It is paused; to go on: announcements resume ${id}\n`,
  })
  expect(await claim(db, 'announcement_mails', 2)).toEqual([])
  expect(await run('resume', id, '--by', 'Grace')).toMatchObject({ code: 0, stdout: `Announcement ${id} goes on.\n` })
  expect(await run('resume', id)).toMatchObject({ code: 2, stderr: expect.stringContaining('is not paused') })
  const canceled = await run('cancel', id, '--by', 'Grace')
  expect(canceled).toMatchObject({ code: 0, stderr: '' })
  expect(canceled.stdout).toMatch(/due 3 = sent 1 .* \+ canceled 2\n[\s\S]*canceled \S+ by Grace\n/)
  expect(await run('pause', id)).toMatchObject({ code: 2, stderr: expect.stringContaining(`${id} is canceled`) })
  const acts = await db.selectFrom('audit_log').select(['action', 'by_whom']).orderBy('id').execute()
  expect(acts).toEqual(
    ['sent', 'paused', 'resent', 'resumed', 'canceled'].map((what) => ({
      action: `announcement.${what}`,
      by_whom: 'Grace',
    })),
  )
})
