/**
 * Test mails: what a new reader would be sent now, to an address that an operator names. Composed, signed and sent as every
 * other mail; nothing of them is kept or counted, and no link in them belongs to anybody.
 */
import type { DigestIssue, DigestKind } from '../../core/digest/digest.ts'
import { papersOf } from '../../core/digest/headline.ts'
import type { SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import { nextDue } from '../../core/subscriber/due.ts'
import type { Preferences } from '../../core/subscriber/preferences.ts'
import type { Claimed } from '../../store/outbox/claims.ts'
import { createCandidateCache } from '../publishing/candidate-cache.ts'
import { createPreviews, previewWelcome } from '../publishing/preview.ts'
import { type ComposedMail, type ComposePorts, createComposer, letterViewOf, type RenderedMail } from './mail.ts'

export interface TestMailPorts extends ComposePorts {
  now: () => Date
  /** A new UUID. */
  newId: () => string
  send: (envelope: ComposedMail & { to: string }) => Promise<SmtpOutcome>
}

/** Which mail; a digest is a `welcome` where the one of today would be empty, as at weekends. */
type TestKind = DigestKind | 'confirmation'

export interface SentTest {
  kind: TestKind
  subject: string
  /** `null` of a mail without papers. */
  papers: number | null
  outcome: SmtpOutcome
}

/** What the first lines of a test digest say. */
export const TEST_NOTE =
  'This is a test. Its links to settings, votes and the like open a page that says they no longer work, and change nothing.'

const marked = (mail: RenderedMail): RenderedMail => ({ ...mail, subject: `[Test] ${mail.subject}` })

/** The mail of a reader whom nobody is: its ids are of no row, so that its tokens open nothing. */
const claimOf = (
  { newId, now }: Pick<TestMailPorts, 'newId' | 'now'>,
  to: string,
  kind: Claimed['kind'],
  preferences: Preferences,
): Claimed => ({
  id: newId(),
  localDate: null,
  fence: 0,
  attempts: 0,
  waitedMs: 0,
  subscriberId: newId(),
  epoch: 0,
  email: to,
  kind,
  digestId: kind === 'confirmation' ? null : 0,
  date: now(),
  editionId: null,
  announcementId: null,
  waitsFor: null,
  ...preferences,
  nextDueAt: kind === 'confirmation' ? null : nextDue(preferences, now(), { date: null, at: now() }).at,
  toldChange: null,
  proposal: null,
  refusedLikeOthers: false,
})

/**
 * Sends the digest that these preferences would bring now, and with `letters` the confirmation and the welcome before it;
 * one after another, whatever becomes of each.
 */
export const sendTestMails = async (
  ports: TestMailPorts,
  to: string,
  preferences: Preferences,
  { letters }: { letters: boolean },
): Promise<SentTest[]> => {
  const { db, now } = ports
  const candidates = createCandidateCache({ db, now })
  const digest = await createPreviews({ db, now, candidates }).readDigest(preferences)
  const welcome = letters && digest.kind !== 'welcome' ? await previewWelcome({ db, candidates }, preferences) : null
  const mails: { kind: TestKind; issue: DigestIssue | null }[] = [
    ...(letters ? [{ kind: 'confirmation' as const, issue: null }] : []),
    ...[...(welcome === null ? [] : [welcome]), digest].map((issue) => ({ kind: issue.kind, issue })),
  ]
  const sent: SentTest[] = []
  for (const { kind, issue } of mails) {
    let subject = ''
    const mark = (mail: RenderedMail): RenderedMail => {
      const test = marked(mail)
      subject = test.subject
      return test
    }
    const compose = createComposer(
      {
        ...ports,
        renderDigest: (one, ...told) => mark(ports.renderDigest({ ...one, note: TEST_NOTE }, ...told)),
        renderLetter: (letter, view) => mark(ports.renderLetter(letter, view)),
      },
      {
        readIssue: async () => {
          if (issue === null) throw new Error(`a ${kind} has no papers`)
          return issue
        },
        readLetterView: async () => letterViewOf(preferences),
      },
    )
    const claimed = claimOf(ports, to, kind === 'welcome' || kind === 'confirmation' ? kind : 'digest', preferences)
    const outcome = await ports.send({ ...(await compose(claimed)), to })
    sent.push({ kind, subject, papers: issue === null ? null : papersOf(issue).length, outcome })
  }
  return sent
}
