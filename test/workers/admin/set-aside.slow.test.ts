/** `set-aside` as an operator runs it. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { storeSignUp } from '../../../src/store/sign-ups.ts'
import { openDue } from '../../support/fixtures/due-newsletter.ts'
import { KEYS, LONDON_DAILY, SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { runProgram } from '../../support/processes/program.ts'

const DUE = new Date('2026-04-15T06:00:00Z')

test('set-aside lists what fails for a reason of its own, and has it tried again', async () => {
  await using newsletter = await openDue(2)
  const { db, ids } = newsletter
  const setAside = (...words: string[]) =>
    runProgram('admin', ['set-aside', ...words], { DATABASE_URL: newsletter.url, SECRET_KEY: '07'.repeat(32) })
  await sql`update subscribers set next_due_at = '-infinity' where id = ${ids[1]}`.execute(db)
  await publishDue({ db, log: SILENT, wake: wakeNobody }, DUE)
  const bad = { ...LONDON_DAILY, hour: 99 }
  await storeSignUp(db, { kind: 'subscribe', email: 'bad@example.org', preferences: bad, requestedAt: DUE })
  for (let n = 0; n < 3; n++) await answerSignUps({ db, keys: KEYS, log: SILENT })
  const signUp = (await db.selectFrom('sign_ups').select('id').executeTakeFirstOrThrow()).id

  const listed = await setAside('list')
  expect(listed.stdout).toContain(`subscriber ${ids[1]} (reader1@example.org): no digest since`)
  expect(listed.stdout).toContain(`sign-up ${signUp} (bad@example.org)`)
  expect(await setAside('retry', String(signUp))).toMatchObject({
    code: 0,
    stdout: '0 subscribers and 1 sign-up are tried again within a minute.\n',
  })
  expect(await setAside('retry', ids[0] ?? '')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not set aside'),
  })
  expect((await setAside('retry', 'all')).stdout).toContain('1 subscriber and 0 sign-ups')
  expect((await setAside('list')).stdout).toBe('Nothing is set aside.\n')
})
