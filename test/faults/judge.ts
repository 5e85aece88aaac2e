/**
 * What must hold whatever went wrong: eight invariants, judged by what the mail server took and what readers were
 * answered. The ledger is asked only where the question is about the ledger.
 */
import { type Book, type Copy, headersOf, kindOf, readable } from './book.ts'
import { type Deed, MARK, type Reader, type Readers } from './readers.ts'
import { BOUNCE_DOMAIN } from './stage.ts'

export interface Violation {
  /** 1 to 8; 0 where a process ended that nobody had killed. */
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

/** A moment at which outcomes may have been lost, by `performance.now`. */
export interface Accident {
  what: string
  from: number
  to: number
  /** `process`: of a mailer, which had not written down its last outcomes; `way`: answers did not arrive. */
  hits: 'process' | 'way'
}

export interface Evidence {
  book: Book
  people: Readers
  accidents: Accident[]
  /** Evenings that were published: their local date, and when they were begun and seen to be done, by `elapsed`. */
  editions: { day: string; begun: number; done: number }[]
  /** Moments at which time jumped while mail was being sent: by `performance.now`, and by how much. */
  jumps: { at: number; ms: number }[]
  ledger: LedgerRow[]
  traces: { where: string; text: string }[]
  /** Copies whose signature does not hold, with what a receiver says of it. */
  unsigned: Map<Copy, string>
  /** How much later than it should this machine did things at worst, milliseconds: the service is on it, too. */
  late: number
}

/** Each step from a mailer's decision to our clock may be as late as the latest of ours; more than a second is a fault. */
const STEPS = 4
const LATEST = 1_000
/** The promise is 2 seconds; this much is let go by from a mailer's decision to our clock. */
const STOPPED_WITHIN = 2_000 + 800
/** From the answer of the server to the record in the database, at most: half a second of gathering and a slow statement. */
const RECORDED_WITHIN = 2_500
const ANSWERED_WITHIN = 500
/** Between a mailer's last look at its lease and its first word to the server. */
const JUST = 50
/** A message whose turn came just as time jumped had been decided upon before. */
const DECIDED_WITHIN = 500

const slackOf = (late: number): number => STEPS * Math.min(late, LATEST)

export interface Judgement {
  violations: Violation[]
  messages: number
  duplicates: number
  losses: number
}

export const judge = (evidence: Evidence): Judgement => {
  const { book, people } = evidence
  const violations: Violation[] = []
  const find = (invariant: number, what: string) => violations.push({ invariant, what })
  const copiesOf = Map.groupBy(book.copies, (copy) => copy.messageId)

  for (const reader of people.readers) {
    for (const what of consentTroubles(reader, copiesOf)) find(1, what)
    for (const what of partingTroubles(reader, evidence)) find(2, what)
  }
  for (const copy of book.copies)
    if (people.find(copy.to) === undefined) find(1, `a message went to ${copy.to}, who is nobody of this seed`)

  let duplicates = 0
  for (const [id, copies] of copiesOf) {
    duplicates += copies.length - 1
    for (const [n, copy] of copies.entries()) {
      const before = copies[n - 1]
      if (before === undefined) continue
      if (!isExplained(before, copy, evidence))
        find(3, `copy ${n + 1} of ${id} to ${copy.to} came without a fault that could have hidden copy ${n}`)
      if (before.raw !== copy.raw || before.to !== copy.to || before.from !== copy.from)
        find(6, `copy ${n + 1} of ${id} is not the same as the first`)
    }
    for (const copy of copies) for (const what of messageTroubles(copy, people.find(copy.to))) find(5, what)
  }
  for (const [copy, what] of evidence.unsigned) find(5, `${copy.messageId} to ${copy.to} has the signature: ${what}`)

  const losses = ledgerTroubles(evidence, copiesOf, find)
  for (const what of traceTroubles(evidence)) find(8, what)
  return { violations, messages: book.copies.length, duplicates, losses }
}

/** Digests and welcomes only after a confirmation was posted, letters only after somebody asked, and not more of them. */
const consentTroubles = (reader: Reader, copiesOf: Map<string, Copy[]>): string[] => {
  const troubles: string[] = []
  const asked = reader.deeds.filter((deed) => deed.what === 'asked').length
  const confirmed = reader.deeds.some((deed) => deed.what === 'confirmed')
  let letters = 0
  for (const [first] of copiesOf.values()) {
    if (first?.to !== reader.email) continue
    if (kindOf(first.raw) === 'letter') letters++
    else if (!confirmed) troubles.push(`a ${kindOf(first.raw)} went to ${reader.email}, who never confirmed`)
  }
  if (letters > asked) troubles.push(`${letters} letters went to ${reader.email}, who asked ${asked} times`)
  return troubles
}

/** Nothing begins more than 2 s after leaving was answered, until they come back. */
const partingTroubles = (reader: Reader, { book, jumps, late }: Evidence): string[] =>
  book.beginnings.flatMap(({ to, at, elapsed }) => {
    if (to !== reader.email) return []
    const jumped = jumps.filter((jump) => jump.at < at && at - jump.at < DECIDED_WITHIN + slackOf(late))
    const when = elapsed - jumped.reduce((sum, jump) => sum + jump.ms, 0)
    const left = reader.deeds.findLast((deed) => deed.what === 'left' && deed.answered !== null && deed.answered < when)
    if (left?.answered == null || when - left.answered <= STOPPED_WITHIN + slackOf(late)) return []
    const back = reader.deeds.some((deed) => deed.what === 'asked' && isOpenAfter(deed, left) && deed.begun <= when)
    if (back) return []
    const after = Math.round(when - left.answered)
    return [`a message to ${reader.email} began ${after} ms after their leaving was answered`]
  })

const isOpenAfter = (deed: Deed, left: Deed): boolean => deed.answered === null || deed.answered > left.begun

/** Whether something happened that could have kept the sender from knowing of the copy before, or from writing it down. */
const isExplained = (before: Copy, copy: Copy, { accidents, late }: Evidence): boolean =>
  before.unanswered !== null ||
  accidents.some(({ from, to, hits }) => {
    const slack = slackOf(late)
    const within = (hits === 'process' ? RECORDED_WITHIN : ANSWERED_WITHIN) + slack
    return from < copy.takenAt && to > before.begunAt - JUST - slack && from < before.takenAt + within
  })

const messageTroubles = (copy: Copy, reader: Reader | undefined): string[] => {
  const troubles: string[] = []
  const say = (what: string) => troubles.push(`${copy.messageId} to ${copy.to} ${what}`)
  if (!copy.from.endsWith(`@${BOUNCE_DOMAIN}`)) say(`comes back to ${copy.from}`)
  if (copy.recipients !== 1) say(`went to ${copy.recipients} recipients`)
  if (headersOf(copy.raw, 'To').join() !== copy.to) say('is not addressed to them alone')
  for (const name of ['From', 'Subject', 'Date', 'Message-ID', 'MIME-Version'])
    if (headersOf(copy.raw, name).length !== 1) say(`has ${headersOf(copy.raw, name).length} headers ${name}`)
  const list = headersOf(copy.raw, 'List-Unsubscribe')
  const post = headersOf(copy.raw, 'List-Unsubscribe-Post')
  if (kindOf(copy.raw) === 'letter') {
    if (list.length + post.length > 0) say('is a letter and has List-Unsubscribe')
    return troubles
  }
  if (post.join() !== 'List-Unsubscribe=One-Click') say('has no one-click header')
  const token = /^<https?:\/\/[^<>,]+\/unsubscribe\/([\w-]{43})>$/.exec(list.join())?.[1]
  if (token === undefined) say('has no List-Unsubscribe with one address')
  else if (reader?.tokens.get('unsubscribe') !== token) say('has the unsubscribe link of somebody else')
  return troubles
}

/** Everything due has ended, nothing said to be sent is missing, every second copy is counted. Returns the losses. */
const ledgerTroubles = (
  { book, people, editions, ledger }: Evidence,
  copiesOf: Map<string, Copy[]>,
  find: (invariant: number, what: string) => void,
): number => {
  let losses = 0
  const lose = (what: string) => {
    losses++
    find(4, what)
  }
  const refusals = [...book.refused]
  let sent = 0
  for (const row of ledger) {
    const copies = copiesOf.get(`<${row.id}@example.net>`) ?? []
    const name = `the ${row.what} to ${row.email} (${row.id})`
    if (copies.length > 0 && copies.length - 1 > row.resent)
      find(7, `${name} came ${copies.length} times, and ${row.resent} are counted as sent again`)
    if (row.state === 'sent') {
      sent++
      if (copies.length === 0) lose(`${name} is written down as sent, and never came`)
    } else if (row.state === 'failed') {
      // Those at MAIL were refused without a name.
      const at = [row.email, ''].map((to) => refusals.indexOf(to)).find((found) => found >= 0)
      if (at === undefined) lose(`${name} was given up (${row.reason}), and no server refused it`)
      else if (refusals[at] === '') refusals.splice(at, 1)
    } else if (row.state === 'skipped') {
      const reader = people.find(row.email)
      const changed = reader?.deeds.some((deed) => deed.what === 'left' || deed.what === 'asked')
      const suppressed = book.refused.includes(row.email)
      if (reader === undefined || !(changed || suppressed)) lose(`${name} was skipped (${row.reason})`)
    } else lose(`${name} is still ${row.state} (${row.reason})`)
  }
  const known = new Map(ledger.map((row) => [`<${row.id}@example.net>`, row]))
  const counted = [...copiesOf.keys()].filter((id) => known.get(id)?.state === 'sent').length
  if (counted !== sent) find(7, `${sent} are written down as sent, ${counted} of them came`)
  for (const id of copiesOf.keys()) if (!known.has(id)) find(7, `${id} came and is not in the ledger`)
  for (const reader of people.readers)
    for (const { day, begun, done } of editions) {
      if (!mustHave(reader, day, begun, done, book.refused)) continue
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
  const deeds = reader.deeds.filter((deed) => deed.begun < done)
  const last = deeds.at(-1)
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

const traceTroubles = ({ traces, people }: Evidence): string[] =>
  traces.flatMap(({ where, text }) => {
    const at = text.indexOf(MARK)
    const troubles = at < 0 ? [] : [`${where} holds an address: …${text.slice(Math.max(0, at - 120), at + 60)}…`]
    const token = text.match(TOKEN)?.find((one) => people.tokens.has(one))
    return token === undefined ? troubles : [...troubles, `${where} holds the token of a link`]
  })

/** The one-click address of a message that has one. */
export const oneClickOf = (raw: string): string | null =>
  kindOf(raw) === 'letter'
    ? null
    : (/<(https?:[^<>]+)>/.exec(readable(headersOf(raw, 'List-Unsubscribe').join()))?.[1] ?? null)
