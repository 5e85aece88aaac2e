/**
 * What must hold whatever went wrong: eight invariants, checked against what the mail server took and what readers were
 * answered. The ledger is asked only where the question is about the ledger.
 */
import type { Trace } from './environment.ts'
import type { Copy, History } from './history.ts'
import { headersOf, kindOf, withoutNextDigest } from './message-fields.ts'
import { MARK, type Reader, type ReaderRequest, type Readers } from './readers.ts'
import { BOUNCE_DOMAIN, SLOW_CONNECTION } from './service-settings.ts'

export interface Violation {
  /** 1 to 8; 0 where a process ended that the runner had not killed. */
  invariant: number
  what: string
}

/** A letter or a delivery as the ledger has it at the end. */
export interface LedgerRow {
  id: string
  what: string
  email: string
  localDate: string | null
  state: string
  reason: string | null
  resent: number
}

/** A fault that may have cost outcomes, by `performance.now`. */
export interface Disruption {
  what: string
  from: number
  to: number
  /** `mailer`: it had not recorded its last outcomes; `connection`: replies of the mail server did not arrive. */
  hits: 'mailer' | 'connection'
}

export interface Evidence {
  history: History
  readers: Readers
  disruptions: Disruption[]
  /** When the database was away, by `performance.now`: outcomes wait until it is back. */
  outages: { from: number; to: number }[]
  /** Evenings that were published: their local date, and when they were begun and seen to be done, by `elapsed`. */
  editions: { day: string; begun: number; done: number }[]
  /** Times within which the clocks jumped while mail was being sent: by `performance.now`, and by how much. */
  jumps: { from: number; to: number; ms: number }[]
  ledger: LedgerRow[]
  traces: Trace[]
  /** Copies whose signature does not hold, with what a receiver says of it. */
  unsigned: Map<Copy, string>
  /** How much later than it should this machine did things at worst, milliseconds: the service is on it, too. */
  late: number
}

/** Each step from a mailer's decision to our clock may be as late as the latest of ours; more than a second is a fault. */
const STEPS = 4
const LATEST = 1_000
/** The promise is 2 seconds; this much is allowed from a mailer's decision to our clock. */
const STOPPED_WITHIN = 2_000 + 800
/** From the reply of the server to the record in the database, at most: half a second of gathering and a slow statement. */
const RECORDED_WITHIN = 2_500
const ANSWERED_WITHIN = 500
/** Between a mailer's last look at its lease and its first word to the server, over a connection that is made slow. */
const LOOK_TO_MAIL = 50 + SLOW_CONNECTION
/** A message whose turn came just as time jumped had been decided upon before. */
const DECIDED_WITHIN = 500

const slackOf = (late: number): number => STEPS * Math.min(late, LATEST)

export interface Findings {
  violations: Violation[]
  messages: number
  duplicates: number
  losses: number
}

export const checkInvariants = (evidence: Evidence): Findings => {
  const { history, readers } = evidence
  const violations: Violation[] = []
  const find = (invariant: number, what: string) => violations.push({ invariant, what })
  const copiesOf = Map.groupBy(history.copies, (copy) => copy.messageId)

  for (const reader of readers.readers) {
    for (const what of consentProblems(reader, copiesOf)) find(1, what)
    for (const what of leavingProblems(reader, evidence)) find(2, what)
  }
  for (const copy of history.copies)
    if (readers.find(copy.to) === undefined) find(1, `a message went to ${copy.to}, who is no reader of this seed`)

  let duplicates = 0
  for (const [id, copies] of copiesOf) {
    duplicates += copies.length - 1
    // By when they were begun: a mailer that was frozen within a message ends it after its successor has sent it, too.
    const inOrder = copies.toSorted((a, b) => a.begunAt - b.begunAt)
    for (const [n, copy] of inOrder.entries()) {
      const before = inOrder[n - 1]
      if (before === undefined) continue
      if (!isExplained(before, copy, evidence))
        find(3, `copy ${n + 1} of ${id} to ${copy.to} was sent without a fault that could have hidden copy ${n}`)
      if (!isSameMail(before, copy)) find(6, `copy ${n + 1} of ${id} is not the same as the one before`)
    }
    for (const copy of copies) for (const what of messageProblems(copy, readers.find(copy.to))) find(5, what)
  }
  for (const [copy, what] of evidence.unsigned) find(5, `${copy.messageId} to ${copy.to} has the signature: ${what}`)

  const losses = ledgerProblems(evidence, copiesOf, find)
  for (const what of traceProblems(evidence)) find(8, what)
  return { violations, messages: history.copies.length, duplicates, losses }
}

/** Octet for octet, but for what a digest says of the next one: that is another once the next edition is published. */
const isSameMail = (before: Copy, copy: Copy): boolean =>
  before.to === copy.to &&
  before.from === copy.from &&
  (before.raw === copy.raw ||
    (kindOf(copy.raw) !== 'letter' && withoutNextDigest(before.raw) === withoutNextDigest(copy.raw)))

/** Digests and welcomes only after a confirmation was posted, letters only after a request, and not more than requests. */
const consentProblems = (reader: Reader, copiesOf: Map<string, Copy[]>): string[] => {
  const problems: string[] = []
  // One that was not answered in time was sent again, and may have been done each time.
  const asked = reader.requests.reduce((sum, { what, tries }) => sum + (what === 'asked' ? tries : 0), 0)
  const confirmed = reader.requests.some((request) => request.what === 'confirmed')
  let letters = 0
  for (const [first] of copiesOf.values()) {
    if (first?.to !== reader.email) continue
    if (kindOf(first.raw) === 'letter') letters++
    else if (!confirmed) problems.push(`a ${kindOf(first.raw)} went to ${reader.email}, who never confirmed`)
  }
  if (letters > asked) problems.push(`${letters} letters went to ${reader.email}, who asked ${asked} times`)
  return problems
}

/** Nothing begins more than 2 s after leaving was answered, until they come back. */
const leavingProblems = (reader: Reader, { history, jumps, late }: Evidence): string[] =>
  history.attempts.flatMap(({ to, at, elapsed }) => {
    if (to !== reader.email) return []
    const jumped = jumps.filter(({ from, to }) => from < at && at < to + DECIDED_WITHIN + slackOf(late))
    const when = elapsed - jumped.reduce((sum, jump) => sum + jump.ms, 0)
    const left = reader.requests.findLast(
      (request) => request.what === 'left' && request.answered !== null && request.answered < when,
    )
    if (left?.answered == null || when - left.answered <= STOPPED_WITHIN + slackOf(late)) return []
    const back = reader.requests.some(
      (request) => request.what === 'asked' && isOpenAfter(request, left) && request.begun <= when,
    )
    if (back) return []
    const after = Math.round(when - left.answered)
    return [`a message to ${reader.email} began ${after} ms after their leaving was answered`]
  })

const isOpenAfter = (request: ReaderRequest, left: ReaderRequest): boolean =>
  request.answered === null || request.answered > left.begun

/** Whether something happened that could have kept the sender from knowing of the copy before, or from recording it. */
const isExplained = (before: Copy, copy: Copy, evidence: Evidence): boolean => {
  const { disruptions, late } = evidence
  const slack = slackOf(late)
  const begunBy = before.begunAt - LOOK_TO_MAIL - slack
  const knownAt = { mailer: recordedBy(before, evidence), connection: before.takenAt + ANSWERED_WITHIN + slack }
  return (
    before.unanswered !== null ||
    disruptions.some(({ from, to, hits }) => from < copy.takenAt && to > begunBy && from < knownAt[hits])
  )
}

/** When the outcome of a copy is in the database at the latest: what cannot be recorded in an outage waits for its end. */
const recordedBy = (copy: Copy, { outages, late }: Evidence): number => {
  const within = RECORDED_WITHIN + slackOf(late)
  let by = copy.takenAt + within
  for (const { from, to } of outages) if (to > copy.takenAt && from < by) by = Math.max(by, to + within)
  return by
}

const messageProblems = (copy: Copy, reader: Reader | undefined): string[] => {
  const problems: string[] = []
  const say = (what: string) => problems.push(`${copy.messageId} to ${copy.to} ${what}`)
  if (!copy.from.endsWith(`@${BOUNCE_DOMAIN}`)) say(`comes back to ${copy.from}`)
  if (copy.recipients !== 1) say(`went to ${copy.recipients} recipients`)
  if (headersOf(copy.raw, 'To').join() !== copy.to) say('is not addressed to them alone')
  for (const name of ['From', 'Subject', 'Date', 'Message-ID', 'MIME-Version'])
    if (headersOf(copy.raw, name).length !== 1) say(`has ${headersOf(copy.raw, name).length} headers ${name}`)
  const list = headersOf(copy.raw, 'List-Unsubscribe')
  const post = headersOf(copy.raw, 'List-Unsubscribe-Post')
  if (kindOf(copy.raw) === 'letter') {
    if (list.length + post.length > 0) say('is a letter and has List-Unsubscribe')
    return problems
  }
  if (post.join() !== 'List-Unsubscribe=One-Click') say('has no one-click header')
  const token = /^<https?:\/\/[^<>,]+\/unsubscribe\/([\w-]{43})>,\s+<mailto:[^<>,]+>$/.exec(list.join())?.[1]
  if (token === undefined) say('has no List-Unsubscribe with an address for one click and one for a mail')
  else if (reader?.tokens.get('unsubscribe') !== token) say('has the unsubscribe link of another reader')
  return problems
}

/** Everything due has ended, nothing said to be sent is missing, every second copy is counted. Returns the losses. */
const ledgerProblems = (
  { history, readers, editions, ledger }: Evidence,
  copiesOf: Map<string, Copy[]>,
  find: (invariant: number, what: string) => void,
): number => {
  let losses = 0
  const lose = (what: string) => {
    losses++
    find(4, what)
  }
  const refusals = [...history.refused]
  let sent = 0
  for (const row of ledger) {
    const copies = copiesOf.get(`<${row.id}@example.net>`) ?? []
    const name = `the ${row.what} to ${row.email} (${row.id})`
    if (copies.length > 0 && copies.length - 1 > row.resent)
      find(7, `${name} came ${copies.length} times, and ${row.resent} are counted as sent again`)
    if (row.state === 'sent') {
      sent++
      if (copies.length === 0) lose(`${name} is recorded as sent, and never came`)
    } else if (row.state === 'failed') {
      // Those at MAIL were refused without a name.
      const at = [row.email, ''].map((to) => refusals.indexOf(to)).find((found) => found >= 0)
      if (at === undefined) lose(`${name} was given up (${row.reason}), and no server refused it`)
      else if (refusals[at] === '') refusals.splice(at, 1)
    } else if (row.state === 'skipped') {
      const reader = readers.find(row.email)
      const changed = reader?.requests.some((request) => request.what === 'left' || request.what === 'asked')
      const suppressed = history.refused.includes(row.email)
      if (reader === undefined || !(changed || suppressed)) lose(`${name} was skipped (${row.reason})`)
    } else if (row.state === 'canceled') lose(`${name} was canceled, and nobody called its edition off`)
    else lose(`${name} is still ${row.state} (${row.reason})`)
  }
  const known = new Map(ledger.map((row) => [`<${row.id}@example.net>`, row]))
  const counted = [...copiesOf.keys()].filter((id) => known.get(id)?.state === 'sent').length
  if (counted !== sent) find(7, `${sent} are recorded as sent, ${counted} of them came`)
  for (const id of copiesOf.keys()) if (!known.has(id)) find(7, `${id} came and is not in the ledger`)
  for (const reader of readers.readers)
    for (const { day, begun, done } of editions) {
      if (!mustHave(reader, day, begun, done, history.refused)) continue
      if (!ledger.some((row) => row.email === reader.email && row.localDate === day))
        lose(`${reader.email} was due on ${day}, and nothing is owed to them`)
    }
  return losses
}

/**
 * Readers who confirmed by ten in the morning of the day before and did nothing since: twenty hours after a welcome, seven
 * in the morning in each of their zones has passed.
 */
const mustHave = (reader: Reader, day: string, begun: number, done: number, refused: string[]): boolean => {
  const requests = reader.requests.filter((request) => request.begun < done)
  const last = requests.at(-1)
  if (
    last?.what !== 'confirmed' ||
    last.refused ||
    last.answered === null ||
    last.answered >= begun ||
    last.served === null
  )
    return false
  const by = new Date(`${day}T10:00:00Z`).getTime() - 24 * 3_600_000
  return last.served.getTime() <= by && !refused.includes(reader.email)
}

const TOKEN = /[A-Za-z0-9_-]{43}/g

const traceProblems = ({ traces, readers }: Evidence): string[] =>
  traces.flatMap(({ where, text }) => {
    const at = text.indexOf(MARK)
    const problems = at < 0 ? [] : [`${where} holds an address: …${text.slice(Math.max(0, at - 120), at + 60)}…`]
    const token = text.match(TOKEN)?.find((one) => readers.tokens.has(one))
    return token === undefined ? problems : [...problems, `${where} holds the token of a link`]
  })
