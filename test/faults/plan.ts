/** What happens in one seed: who does what and what goes wrong, drawn by fast-check from the seed's number alone. */
import fc from 'fast-check'
import type { RoleName } from './supervisor.ts'

export const SMTP_STAGES = ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'body', 'dot', 'accepted'] as const
export const SMTP_FAULTS = [
  'drop',
  'reset',
  'hang',
  'slow',
  '4xx',
  '421',
  '5xx',
  'garbage',
  'half-line',
  'policy',
] as const
export type SmtpStage = (typeof SMTP_STAGES)[number]
export type SmtpFault = (typeof SMTP_FAULTS)[number]

export type Action =
  /** This many more readers sign up. */
  | { act: 'sign-up'; readers: number }
  /** The reader is one of those that there are, by the remainder of the number. */
  | { act: 'change' | 'leave' | 'return'; reader: number }
  /** The service's clock moves on to the next evening, and what has fallen due is published. */
  | { act: 'publish' }
  /** A minute is over early. */
  | { act: 'tick' }
  /** This many minutes pass while every role works. */
  | { act: 'pass'; minutes: number }
  | { act: 'kill'; role: RoleName }
  /** Both mailers stand still for 15 minutes; then this one goes on first. */
  | { act: 'freeze'; first: 'mailer-1' | 'mailer-2' }
  /** The next evening comes, and this scheduler stands still in the middle of publishing it until the other has done so. */
  | { act: 'freeze publisher'; which: 'scheduler-1' | 'scheduler-2' }
  | { act: 'wipe queue'; how: 'emptied' | 'dropped' }
  /** Where the queue is on Postgres it is emptied instead. */
  | { act: 'kill Redis'; forMs: number }
  | { act: 'Postgres'; how: 'stop' | 'kill' | 'cut' }
  /** The next `times` times that the server would reply at this stage. */
  | { act: 'SMTP'; stage: SmtpStage; fault: SmtpFault; times: number }
  /** The connections between the mailers and the mail server. */
  | { act: 'connection'; how: 'cut' | 'halve' | 'swallow' | 'refuse' | 'slow' }
  /** An operator stops what is being sent of the newest edition, until the recovery. */
  | { act: 'pause' }
  /** The clock of a role is wrong by this much until the end; schedulers share theirs. */
  | { act: 'skew'; role: RoleName; minutes: number }

export interface Plan {
  /** How long the mail server takes for each message, milliseconds. */
  pace: number
  readers: number
  /** With what is waited after each, milliseconds. */
  actions: (Action & { wait: number })[]
}

const SCHEDULERS = ['scheduler-1', 'scheduler-2'] as const
const role = fc.constantFrom<RoleName>('api', ...SCHEDULERS, 'mailer-1', 'mailer-2', 'mailer-1', 'mailer-2')
const reader = fc.nat(30)

const smtp = fc
  .record({
    act: fc.constant('SMTP' as const),
    stage: fc.constantFrom(...SMTP_STAGES),
    fault: fc.constantFrom(...SMTP_FAULTS),
    times: fc.integer({ min: 1, max: 5 }),
  })
  // With a server that takes a mail and then says that it did not, no sender can keep a promise.
  .filter(({ stage, fault }) => stage !== 'accepted' || !['4xx', '421', '5xx', 'policy'].includes(fault))

const human: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('sign-up' as const), readers: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('change', 'leave', 'leave', 'return'), reader }) },
)
const fault: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('kill' as const), role }) },
  { weight: 10, arbitrary: smtp },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('freeze' as const), first: fc.constantFrom('mailer-1', 'mailer-2') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('freeze publisher' as const), which: fc.constantFrom(...SCHEDULERS) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 90 }) }) },
  { weight: 3, arbitrary: fc.constant<Action>({ act: 'tick' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('wipe queue' as const),
      how: fc.constantFrom('emptied', 'emptied', 'emptied', 'dropped'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('kill Redis' as const), forMs: fc.integer({ min: 0, max: 400 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('Postgres' as const), how: fc.constantFrom('stop', 'kill', 'cut', 'cut') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('connection' as const),
      how: fc.constantFrom('cut', 'halve', 'swallow', 'refuse', 'slow'),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Action>({ act: 'pause' }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('skew' as const), role, minutes: fc.constantFrom(-60, -1, 1, 60) }),
  },
)

const some = (one: fc.Arbitrary<Action>, most: number) =>
  fc.array(fc.record({ action: one, wait: fc.nat(200) }), { minLength: 1, maxLength: most, size: 'max' })

const publish = { action: { act: 'publish' } as Action, wait: 80 }

const plan: fc.Arbitrary<Plan> = fc
  .record({
    pace: fc.integer({ min: 5, max: 60 }),
    readers: fc.integer({ min: 8, max: 14 }),
    early: some(fc.oneof(human, fault), 2),
    first: some(fc.oneof({ weight: 1, arbitrary: human }, { weight: 3, arbitrary: fault }), 4),
    second: some(fc.oneof({ weight: 1, arbitrary: human }, { weight: 2, arbitrary: fault }), 4),
  })
  .map(({ pace, readers, early, first, second }) => ({
    pace,
    readers,
    actions: [...early, publish, ...first, publish, ...second].map(({ action, wait }) => ({ ...action, wait })),
  }))

/** The plan of a seed: the same for the same number, whatever ran before it. */
export const drawPlan = (seed: number): Plan => {
  // Without fast-check's liking for small values, which is for what is drawn many times over.
  const [drawn] = fc.sample(fc.noBias(plan), { seed, numRuns: 1 })
  if (drawn === undefined) throw new Error('nothing was drawn')
  return drawn
}

/** An action in a few words. */
export const describeAction = (action: Action & { wait?: number }): string => {
  const { act, wait, ...rest } = action
  return [act, ...Object.values(rest), ...(wait === undefined ? [] : [`(then ${wait} ms)`])].join(' ')
}
