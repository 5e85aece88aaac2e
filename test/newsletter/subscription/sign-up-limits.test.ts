/** The sign-up form cannot be made a weapon: limits on what it makes us send, whoever asks and however it is spelled. */
import { randomUUID } from 'node:crypto'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { CompiledQuery, sql } from 'kysely'
import { expect, test } from 'vitest'
import { mailboxKey } from '../../../src/core/subscriber/mailbox.ts'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import type { Challenge } from '../../../src/core/subscriber/proof-of-work.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { EVERY_STATE, storeInState } from '../../support/fixtures/every-state.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')
const openSubscriptions = (db: Database, now = NOW) =>
  createSubscriptions({ db, keys: KEYS, now: () => now, wake: wakeNobody })
const answer = (db: Database) => answerSignUps({ db, keys: KEYS, log: SILENT })
/** The addresses that a letter goes to, one for each letter. */
const written = async (db: Database): Promise<string[]> => {
  const { rows } = await sql<{ email: string }>`
    select email from letters l join subscribers s on s.id = l.subscriber_id order by l.created_at`.execute(db)
  return rows.map(({ email }) => email)
}
const solve = async (challenge: Challenge | null): Promise<string> => {
  if (challenge === null) throw new Error('there is no challenge')
  const solution = await solveChallenge({ challenge, deriveKey })
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64')
}
/** As long as sign-ups are held at most. */
const passHold = (db: Database) => sql`update sign_ups set not_before = not_before - interval '51 minutes'`.execute(db)

test('three hundred sign-ups at one domain by one client make ten letters at most, and nobody else waits for them', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  for (let n = 0; n < 300; n++) {
    await subscriptions.requestSubscription(`person${n}@victim.example.com`, LONDON_DAILY, { ip: '192.0.2.1' })
    if (n % 50 === 0) await answer(db)
  }
  await answer(db)
  // Work is asked for from eight on; the other two of the ten are left to those who cannot do any.
  expect(await written(db)).toHaveLength(8)
  expect(await subscriptions.requestSubscription('ada@example.org', LONDON_DAILY, { ip: '192.0.2.2' })).toBeNull()
  await answer(db)
  expect(await written(db)).toContain('ada@example.org')
  // Those that were held are looked at once more, and dropped where there is no room.
  await passHold(db)
  let calls = 0
  for (let goesOn = true; goesOn; calls++) {
    goesOn = false
    const wakeAgain = () => {
      goesOn = true
    }
    await answerSignUps({ db, keys: KEYS, log: SILENT, wakeAgain })
  }
  // Letters go between two calls: after each of the two that there is room for, and after 200 of the others.
  expect(calls).toBe(4)
  expect(await written(db)).toHaveLength(11)
  expect(await db.selectFrom('sign_ups').select('id').execute()).toEqual([])
})

test('whoever signs up when an attack’s held sign-ups are due is mailed before these are looked at', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = (name: string, ip: string) =>
    openSubscriptions(db).requestSubscription(`${name}@${name}.org`, LONDON_DAILY, { ip })
  const heldOnes = () => db.selectFrom('sign_ups').select('id').where('not_before', 'is not', null).execute()
  for (let n = 0; n < 40; n++) await ask(`person${n}`, '192.0.2.1')
  await answer(db)
  await passHold(db)
  await ask('ada', '192.0.2.2')
  const due = (await heldOnes()).length
  let woken = 0
  await answerSignUps({ db, keys: KEYS, log: SILENT, wakeAgain: () => woken++ })
  expect(await written(db)).toContain('ada@ada.org')
  expect([(await heldOnes()).length, woken]).toEqual([due, 1])
})

test('while what is counted cannot be read, nobody is answered or mailed; afterwards the limits hold as before', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = (n: number) =>
    openSubscriptions(db).requestSubscription(`person${n}@d${n}.org`, LONDON_DAILY, { ip: '192.0.2.1' })
  for (let n = 0; n < 12; n++) await ask(n)
  await sql`alter table sign_up_counts rename to elsewhere`.execute(db)
  await expect(ask(12)).rejects.toThrow('does not exist')
  await expect(answer(db)).rejects.toThrow('does not exist')
  await sql`alter table elsewhere rename to sign_up_counts`.execute(db)
  expect(await written(db)).toEqual([])

  // A database that is slow: both wait.
  const ended: string[] = []
  const waiting: Promise<unknown>[] = []
  await db.transaction().execute(async (trx) => {
    await sql`lock table sign_up_counts in access exclusive mode`.execute(trx)
    waiting.push(ask(13).then((challenge) => ended.push(challenge === null ? 'answered next' : 'held')))
    waiting.push(answer(db).then(() => ended.push('worked off')))
    for (let locked = 0; locked < waiting.length; ) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int from pg_locks where relation = 'sign_up_counts'::regclass and not granted`.execute(trx)
      locked = rows[0]?.count ?? 0
    }
    expect([ended, await written(db)]).toEqual([[], []])
  })
  await Promise.all(waiting)
  await answer(db)
  expect(ended).toContain('held')
  expect(await written(db)).toHaveLength(8)
})

test('as many clients as there are networks get no further than the domain they write to', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (let n = 0; n < 60; n++) {
    const ip = `2001:db8:0:${n.toString(16)}::1`
    await openSubscriptions(db).requestSubscription(`person${n}@d${n}.victim.com`, LONDON_DAILY, { ip })
    await answer(db)
  }
  expect((await written(db)).length).toBeLessThanOrEqual(20)
})

test('a mailbox gets one letter a day, whatever is asked for and however its address is spelled', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  await subscribe(db, 'ada@icloud.com', LONDON_DAILY, NOW)
  await db.deleteFrom('letters').execute()
  const spellings = [
    'ada@icloud.com',
    'ADA@me.com',
    'ada+1@mac.com',
    'ada@me.com',
    'g@pm.me',
    'g@proton.me',
    'g@protonmail.com',
  ]
  for (const email of [...spellings, 'n@yandex.ru', 'n@ya.ru', '+x@gmail.com', '+y@gmail.com']) {
    await subscriptions.requestSubscription(email, LONDON_DAILY)
    await subscriptions.requestLinks(email)
    await answer(db)
    await db.updateTable('letters').set({ state: 'sent' }).execute()
  }
  const mailboxes = (await written(db)).map(mailboxKey)
  expect(mailboxes.sort()).toEqual(['@gmail.com', 'ada@icloud.com', 'g@proton.me', 'n@yandex.ru'])
})

test('work that is proven for a held sign-up has it answered next, once, and stands for no other', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  const ask = (name: string) =>
    subscriptions.requestSubscription(`${name}@example.org`, LONDON_DAILY, { ip: '192.0.2.1' })
  for (let n = 0; n < 10; n++) await ask(`person${n}`)
  await answer(db)
  const proof = await solve(await ask('ada'))
  expect(await ask('grace')).not.toBeNull()
  await answer(db)
  expect(await written(db)).not.toContain('ada@example.org')
  expect(await subscriptions.proveWork('nothing')).toBe(false)
  expect(await subscriptions.proveWork(proof)).toBe(true)
  expect(await subscriptions.proveWork(proof)).toBe(false)
  await answer(db)
  expect((await written(db)).slice(8)).toEqual(['ada@example.org'])
  expect(await subscriptions.proveWork(proof)).toBe(false)
})

test('a form that comes back at once is held, and without any work it is answered within the hour', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const stamp = openSubscriptions(db).stampForm()
  const ask = (email: string, after: number) =>
    openSubscriptions(db, new Date(NOW.getTime() + after)).requestSubscription(email, LONDON_DAILY, {
      ip: '192.0.2.1',
      stamp,
    })
  expect(await ask('program@example.org', 300)).not.toBeNull()
  expect(await ask('ada@example.org', 86_400_000)).toBeNull()
  await answer(db)
  expect(await written(db)).toEqual(['ada@example.org'])
  await passHold(db)
  await answer(db)
  expect(await written(db)).toEqual(['ada@example.org', 'program@example.org'])
})

const openEveryState = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const state of EVERY_STATE) await storeInState(db, state, `${state}@${state}.org`, NOW)
  await db.deleteFrom('sign_up_counts').execute()
  return newsletter
}

test('a request makes the same statement for every address, and it reads nothing of subscribers', async () => {
  await using newsletter = await openEveryState()
  const statements: string[] = []
  const db = openDatabase(newsletter.url, { connections: 1, name: 'seen', onError: () => undefined })
  const executor = db.getExecutor()
  const compile = executor.compileQuery.bind(executor)
  executor.compileQuery = (node, id) => {
    const compiled = compile(node, id)
    statements.push(compiled.sql)
    return compiled
  }
  const made = new Map<string, string[]>()
  for (const state of EVERY_STATE) {
    for (const kind of ['subscribe', 'links']) {
      const subscriptions = openSubscriptions(db)
      const email = `${state}@${state}.org`
      if (kind === 'subscribe') await subscriptions.requestSubscription(email, LONDON_DAILY, { ip: '192.0.2.1' })
      else await subscriptions.requestLinks(email, { ip: '192.0.2.1' })
      made.set(`${kind} ${state}`, statements.splice(0))
    }
  }
  expect(new Set([...made.values()].map((list) => list.join('\n'))).size).toBe(1)
  const [list = []] = made.values()
  expect(list).toHaveLength(1)
  expect(list[0]).toContain('insert into sign_ups')
  expect(list[0]).not.toMatch(/subscribers|suppressions|letter|deliveries/)
  await db.destroy()
})

test('what is counted is the same for every address, so that no limit tells who subscribes', async () => {
  await using newsletter = await openEveryState()
  const { db } = newsletter
  for (const state of EVERY_STATE) {
    for (let n = 0; n < 2; n++) {
      await openSubscriptions(db).requestSubscription(`${state}@${state}.org`, LONDON_DAILY)
      await openSubscriptions(db).requestLinks(`${state}@${state}.org`)
    }
  }
  await answer(db)
  const counts = await db.selectFrom('sign_up_counts').select('count').orderBy('count').execute()
  // Of each domain, of the minute (which may have ended meanwhile), and of the hour.
  const ofDomains = counts.map(({ count }) => count).filter((count) => count === 4)
  expect(ofDomains.length).toBeGreaterThanOrEqual(EVERY_STATE.length)
  expect(counts.at(-1)).toEqual({ count: 4 * EVERY_STATE.length })
})

/** The tokens of all confirmations to an address, the oldest first. */
const tokensOf = async (db: Database): Promise<string[]> => {
  const rows = await db
    .selectFrom('letters')
    .select('id')
    .where('kind', '=', 'confirmation')
    .orderBy('requested_at')
    .execute()
  return rows.map(({ id }) => deriveToken(KEYS, 'confirm', id))
}

test.each([0, 1])(
  'each confirmation confirms the choices that it was asked with: of two the one of index %i',
  async (used) => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const choices: Preferences[] = [
      { ...LONDON_DAILY, topics: ['agents'], keywords: ['Lean 4'] },
      { ...LONDON_DAILY, topics: ['robotics'], frequency: 'weekly', hour: 19 },
    ]
    for (const [n, preferences] of choices.entries()) {
      await openSubscriptions(db, new Date(NOW.getTime() + n)).requestSubscription('ada@example.org', preferences)
      await answer(db)
      await db.updateTable('letters').set({ state: 'sent' }).execute()
      await sql`update letter_limits set last_at = last_at - interval '25 hours'`.execute(db)
    }
    const subscriptions = openSubscriptions(db, new Date(NOW.getTime() + 1000))
    const tokens = await tokensOf(db)
    for (const [n, token] of tokens.entries())
      expect((await subscriptions.readConfirmation(token))?.preferences).toEqual(choices[n])
    expect(await subscriptions.confirm(tokens[used] ?? '')).toBe('confirmed')
    // The other link changes nothing any more.
    expect(await subscriptions.confirm(tokens[1 - used] ?? '')).toBe('already')
    expect((await subscriptions.readConfirmation(tokens[1 - used] ?? ''))?.preferences).toEqual(choices[used])
  },
)

test('whoever enters a pending address again changes neither its confirmation nor the one that it asks to have again', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const mine = { ...LONDON_DAILY, topics: ['agents'] }
  await openSubscriptions(db).requestSubscription('ada@example.org', mine)
  await answer(db)
  await openSubscriptions(db).requestSubscription('Ada@example.org', { ...LONDON_DAILY, topics: ['robotics'] })
  await answer(db)
  const [token = '', ...rest] = await tokensOf(db)
  expect(rest).toEqual([])
  expect((await openSubscriptions(db).readConfirmation(token))?.preferences).toEqual(mine)
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await sql`update letter_limits set last_at = last_at - interval '25 hours'`.execute(db)
  await openSubscriptions(db, new Date(NOW.getTime() + 1000)).requestLinks('ada@example.org')
  await answer(db)
  const tokens = await tokensOf(db)
  expect(tokens).toHaveLength(2)
  expect((await openSubscriptions(db).readConfirmation(tokens[1] ?? ''))?.preferences).toEqual(mine)
})

test('of who is erased no choice is kept with a letter', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, keywords: [`secret ${randomUUID()}`] }, NOW)
  await eraseFrom(db, id)
  const { rows } = await db.executeQuery<{ text: string }>(
    CompiledQuery.raw('select letters::text as text from letters union all select subscribers::text from subscribers'),
  )
  expect(rows.map(({ text }) => text).join()).not.toContain('secret')
})
