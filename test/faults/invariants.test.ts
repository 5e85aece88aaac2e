/** Which second copies a fault explains: the check must neither miss one without a fault, nor blame the service for one. */
import { expect, test } from 'vitest'
import { type Copy, createHistory } from './history.ts'
import { checkInvariants, type Evidence } from './invariants.ts'
import { createReaders } from './readers.ts'

const SITE = { url: 'http://127.0.0.1:1', elapsed: () => 0, now: () => new Date(0) }

const copyOf = (times: Pick<Copy, 'begunAt' | 'takenAt'> & Partial<Copy>): Copy => ({
  to: 'ada@example.org',
  from: 'bounce@bounces.example.net',
  messageId: '<1@example.net>',
  raw: 'Message-ID: <1@example.net>\r\n\r\n',
  recipients: 1,
  unanswered: null,
  ...times,
})

/** What is found of copies, in the order in which the server took them, that breaks an invariant. */
const broken = (
  invariant: number,
  copies: Copy[],
  faults: Partial<Pick<Evidence, 'disruptions' | 'outages'>> = {},
): number => {
  const history = createHistory()
  history.copies.push(...copies)
  const { violations } = checkInvariants({
    ...{ history, readers: createReaders(SITE, 'test', () => undefined), disruptions: [], outages: [], editions: [] },
    ...{ jumps: [], ledger: [], traces: [], unsigned: new Map(), late: 0 },
    ...faults,
  })
  return violations.filter((one) => one.invariant === invariant).length
}

/** How many second copies are found to have no explanation. */
const unexplained = (copies: Copy[], faults: Parameters<typeof broken>[2] = {}): number => broken(3, copies, faults)

const FREEZE = { what: 'freeze', hits: 'mailer', from: 10_000, to: 10_200 } as const
const KILL = { what: 'kill', hits: 'mailer', from: 10_000, to: 10_050 } as const

test('a second copy without a fault is not explained', () => {
  expect(unexplained([copyOf({ begunAt: 1_000, takenAt: 1_020 }), copyOf({ begunAt: 70_000, takenAt: 70_020 })])).toBe(
    1,
  )
})

test('a second copy is explained by a reply that was never given', () => {
  const first = copyOf({ begunAt: 1_000, takenAt: 1_020, unanswered: 'reset' })
  expect(unexplained([first, copyOf({ begunAt: 1_500, takenAt: 1_520 })])).toBe(0)
})

test('a second copy is explained by a kill just after the first was taken, and not by one long after', () => {
  const second = copyOf({ begunAt: 70_000, takenAt: 70_020 })
  const killed = { disruptions: [KILL] }
  expect(unexplained([copyOf({ begunAt: 9_900, takenAt: 9_950 }), second], killed)).toBe(0)
  expect(unexplained([copyOf({ begunAt: 5_000, takenAt: 5_020 }), second], killed)).toBe(1)
})

test('a second copy is explained where a mailer was frozen within a message and ended it after its successor', () => {
  const bySuccessor = copyOf({ begunAt: 10_900, takenAt: 10_950 })
  const byFrozen = copyOf({ begunAt: 9_990, takenAt: 11_300 })
  expect(unexplained([bySuccessor, byFrozen], { disruptions: [FREEZE] })).toBe(0)
  expect(unexplained([bySuccessor, byFrozen])).toBe(1)
})

test('while the database is away no outcome is recorded, so a kill at its end explains a second copy', () => {
  const copies = [copyOf({ begunAt: 5_000, takenAt: 5_020 }), copyOf({ begunAt: 70_000, takenAt: 70_020 })]
  expect(unexplained(copies, { disruptions: [KILL], outages: [{ from: 5_100, to: 9_800 }] })).toBe(0)
})

test('a second copy is the same mail where only the date of the next digest has moved, and not where anything else has', () => {
  const digest = (line: string): string =>
    `DKIM-Signature: v=1; bh=${line.length};\r\n b=${line.length}\r\nMessage-ID: <1@example.net>\r\nFeedback-ID: 20260519:daily:digest:x\r\n\r\n${line}\r\n`
  const expected = (date: string) =>
    `Two papers.\r\nYour next digest is expected on ${date}, if there are new papers for you.`
  const changed = (first: string, second: string): number =>
    broken(6, [
      copyOf({ begunAt: 1_000, takenAt: 1_020, unanswered: 'reset', raw: first }),
      copyOf({ begunAt: 9_000, takenAt: 9_020, raw: second }),
    ])
  const [tuesday, wednesday] = ['Tuesday 19 May at 07:00=\r\n London time', 'Wednesday 20 May at 07:00 London time']
  expect(changed(digest(expected(tuesday)), digest(expected(wednesday)))).toBe(0)
  expect(changed(digest(expected(tuesday)), digest(expected(tuesday).replace('Two', 'Three')))).toBe(1)
})

test('a message that begins while the clocks jump was decided before, however long the jump takes', () => {
  const history = createHistory()
  const readers = createReaders(SITE, 'test', () => undefined)
  readers.signUp(1)
  const [reader] = readers.readers
  if (reader === undefined) throw new Error('no reader signed up')
  readers.giveUp()
  const done = { tries: 1, served: null, refused: false }
  reader.requests.push({ what: 'left', begun: 90, answered: 100, ...done })
  // Two seconds into a jump of an hour, which the clock shows already.
  history.attempts.push({ to: reader.email, at: 2_100, elapsed: 3_602_100 })
  const check = (jumps: Evidence['jumps']) =>
    checkInvariants({
      ...{ history, readers, disruptions: [], outages: [], editions: [], jumps },
      ...{ ledger: [], traces: [], unsigned: new Map(), late: 0 },
    }).violations.filter(({ invariant }) => invariant === 2).length
  expect(check([{ from: 50, to: 2_050, ms: 3_600_000 }])).toBe(0)
  expect(check([])).toBe(1)
})
