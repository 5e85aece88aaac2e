import { expect, test } from 'vitest'
import { withoutName, wordsOfRefusal, wordsOfReply } from '../../../src/core/sending/refusal-words.ts'
import { readReply } from '../../../src/core/sending/smtp-outcome.ts'

const refused = (text: string) => {
  const reply = readReply(text)
  if (reply === null) throw new Error(text)
  return { kind: 'refused' as const, permanent: reply.code >= 500, stage: 'rcpt' as const, ...reply }
}

test.each([
  [
    '550 5.1.1 <ada@a.example>: Recipient address rejected: User unknown in virtual mailbox table',
    '550 5.1.1 <bob@b.example>: Recipient address rejected: User unknown in virtual mailbox table',
  ],
  [
    '550-5.4.5 Daily sending quota exceeded. o65sm25351206pga.71 - gsmtp',
    '550-5.4.5 Daily sending quota exceeded. x9sm4411206pga.7 - gsmtp',
  ],
  [
    '451 mx1.a.example: temporary problem 4f8a21, see https://a.example/1',
    '451 mx2.b.example: temporary problem 77c1, see https://b.example/2',
  ],
  ['550 No mailbox ada at a.example', '550 No mailbox bob at b.example'],
])('the words of %j and %j are the same', (one, other) => {
  const words = wordsOfRefusal(refused(one), 'ada@a.example')
  expect(words).not.toBeNull()
  expect(wordsOfRefusal(refused(other), 'bob@b.example')).toBe(words)
  expect(wordsOfReply(`refused at rcpt: ${refused(one).reply}`, 'ada@a.example')).toBe(words)
})

test('words of different refusals differ, and greylisting has none', () => {
  const words = ['550 5.1.1 No such user', '550 5.2.1 No such user', '550 5.1.1 Mailbox disabled'].map((text) =>
    wordsOfRefusal(refused(text), 'ada@a.example'),
  )
  expect(new Set(words).size).toBe(3)
  expect(wordsOfRefusal(refused('450 4.2.0 Greylisted, come back'), 'ada@a.example')).toBeNull()
  expect(wordsOfRefusal({ kind: 'unknown', reason: 'gone' }, 'ada@a.example')).toBeNull()
  expect(wordsOfReply('no delivery, at rcpt: gone', 'ada@a.example')).toBeNull()
})

test.each([
  ['421 Too many messages for Ada.Lovelace, slow down', '421 Too many messages for <address>, slow down'],
  ['421 "ada.lovelace" (ada.lovelace at a.example)', '421 "<address>" (<address> at a.example)'],
  ['421 adaXlovelace and ada.lovelaces are others', '421 adaXlovelace and ada.lovelaces are others'],
])('the name of the mailbox is left out of %j', (text, without) => {
  expect(withoutName(text, 'ada.lovelace@a.example')).toBe(without)
})
