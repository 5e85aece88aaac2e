/** Why a paper came to a reader or did not: told from the records and by the very choice that composes digests, never guessed. */
import { localDateAt } from '../core/calendar.ts'
import { fateOf } from '../core/digest/choice.ts'
import { type Press, pressesFor, withPress } from '../core/digest/press.ts'
import type { Arrival, NamedPaper, NearTopic, Verdict } from '../core/digest/verdict.ts'
import { readPaperReference } from '../core/papers/paper-reference.ts'
import { topicLabel } from '../core/subscriber/followed.ts'
import { offeredProfile } from '../core/subscriber/offered-topics.ts'
import { isSubscribed, type Profile } from '../core/subscriber/preferences.ts'
import { servedZone } from '../core/subscriber/time-zone.ts'
import { plainLatex, plainTitle } from '../core/text/latex.ts'
import { deriveToken, type Keys } from '../core/token.ts'
import { isTopic } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import { readWithdrawn } from '../store/papers/paper-news.ts'
import { type PaperRecord, readFoundPapers, readPaperRecord } from '../store/papers/paper-record.ts'
import { findDigestWith, type ReaderDigest, readDigestsOfReader } from '../store/reader-digests.ts'
import { profileOf, type Subscriber } from '../store/subscribers.ts'
import { type Composition, composeNext, recompose } from './publishing/composition.ts'
import { explainChoice } from './publishing/paper-choice.ts'
import { createPastPools, type PastPools } from './publishing/past-pools.ts'
import { findTokenOwner } from './subscription/token-owner.ts'

export interface Explanation {
  /** `title` is `null` where the paper is not shown here. */
  paper: { id: string; title: string | null }
  verdict: Verdict
  /** The topics that it fits best, and how well it fits those that are followed. */
  near: NearTopic[]
  /** The one change that would have brought it; `null` where there is none, or nothing was to be changed. */
  press: Press | null
  /** The token of the digest that the verdict is about; `null` where it is about none. */
  viewToken: string | null
}

export interface Explanations {
  /**
   * Explains what became of a paper for the owner of a preferences link. `no-paper`: what was typed names none.
   * `not-subscribed`: no digests are due to the owner. `null`: unknown or dead link.
   */
  explain(token: string, typed: string): Promise<Explanation | 'no-paper' | 'not-subscribed' | null>
}

interface ExplanationPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Where papers come from, as readers are told it. */
  reads: readonly string[]
  pools?: PastPools
}

const NEAREST = 3
/** Requests within a minute share what they are answered from. */
const MINUTE = 60_000

/** An id as a page or a digest has it, such as `biorxiv:10.1101/2026.04.01.123456`. */
const PLAIN_ID = /^[a-z]+:[\w./:-]{1,200}$/

export const createExplanations = ({
  db,
  keys,
  now,
  reads,
  pools = createPastPools({ db, now }),
}: ExplanationPorts): Explanations => ({
  async explain(token, typed) {
    const owner = await findTokenOwner(db, keys, 'preferences', token)
    if (owner === null) return null
    if (!isSubscribed(owner.state)) return 'not-subscribed'
    const id = readPaperReference(typed) ?? (PLAIN_ID.test(typed.trim()) ? typed.trim() : null)
    if (id === null) return 'no-paper'
    const at = new Date(Math.floor(now().getTime() / MINUTE) * MINUTE)
    const found = await explainTo({ db, pools, reads }, owner, id, at)
    const { mailId, ...explanation } = found
    return { ...explanation, viewToken: mailId === null ? null : deriveToken(keys, 'view', mailId, owner.epoch) }
  },
})

type Found = Omit<Explanation, 'viewToken'> & { mailId: string | null }
type Ports = { db: Database; pools: PastPools; reads: readonly string[] }

/** What became of a paper for a subscriber, as of `now`. */
export const explainTo = async (ports: Ports, owner: Subscriber, id: string, now: Date): Promise<Found> => {
  const { db } = ports
  const record = await readPaperRecord(db, id, 1)
  const nothing = { paper: { id, title: null }, near: [], press: null, mailId: null }
  if (record === undefined || record.firstSeenAt > now)
    return { ...nothing, verdict: { kind: 'unseen', reads: ports.reads } }
  const zone = servedZone(owner.time_zone)
  const dateOf = (at: Date) => localDateAt(at, zone)
  const made = await readDigestsOfReader(db, owner.id)
  const sent = await findSent(db, made, id)
  const paper = { id, title: record.hiddenAt === null ? plainTitle(record.title) : null }
  if (sent !== null) return { ...nothing, paper, ...sent }
  if (record.hiddenAt !== null) return { ...nothing, verdict: { kind: 'hidden', on: dateOf(record.hiddenAt) } }
  const withdrawnAt = (await readWithdrawn(db, [id])).get(id)
  if (withdrawnAt !== undefined) return { ...nothing, paper, verdict: { kind: 'withdrawn', on: dateOf(withdrawnAt) } }
  if (owner.paused_until !== null && eligibleAtOf(record, now) > (owner.last_cutoff ?? now))
    return { ...nothing, paper, verdict: { kind: 'paused', until: owner.paused_until } }
  const decided = (await decideNext(ports, owner, record, now)) ?? (await decidePast(ports, owner, record, made))
  if (decided !== null) return { ...nothing, paper, ...decided }
  return { ...nothing, paper, verdict: withoutDigest(record, made, now, dateOf) }
}

/** When a paper was news last, by an instant. */
const eligibleAtOf = ({ eligibleAt, eligibleAgainAt }: PaperRecord, by: Date): Date =>
  eligibleAgainAt !== null && eligibleAgainAt <= by && eligibleAgainAt > eligibleAt ? eligibleAgainAt : eligibleAt

const nameOf = async (db: Database, id: string): Promise<NamedPaper> => {
  const [paper] = await readFoundPapers(db, [id])
  return { id, title: paper === undefined ? id : plainTitle(paper.title) }
}

const arrivalOf = ({ state }: ReaderDigest): Arrival => {
  if (state === 'sent') return 'sent'
  return state === 'failed' || state === 'skipped' || state === 'canceled' ? 'not delivered' : 'on its way'
}

/** The digest that had the paper; `null` where none of these had. */
const findSent = async (
  db: Database,
  made: readonly ReaderDigest[],
  id: string,
): Promise<Pick<Found, 'verdict' | 'mailId'> | null> => {
  const digest = await findDigestWith(
    db,
    made.map(({ digestId }) => digestId),
    id,
  )
  const mail = made.find(({ digestId }) => digestId === digest?.id)
  if (digest === undefined || mail === undefined) return null
  const own = digest.entries.find(({ paperId }) => paperId === id)
  const shown = own ?? digest.entries.find(({ seeAlso = [] }) => seeAlso.some(({ paperId }) => paperId === id))
  const other = own === undefined ? shown?.paperId : own.twinOf?.paperId
  return {
    verdict: {
      kind: 'sent',
      on: mail.localDate,
      arrival: arrivalOf(mail),
      as: own === undefined ? 'folded' : own.twinOf === undefined ? 'paper' : 'twin',
      other: other === undefined ? null : await nameOf(db, other),
      group: shown?.group?.name ?? null,
    },
    mailId: mail.mailId,
  }
}

type Decided = Pick<Found, 'verdict' | 'near' | 'press' | 'mailId'>

/** What the next digest, were it composed now, makes of the paper; `null` where it could not choose it. */
const decideNext = async (ports: Ports, owner: Subscriber, record: PaperRecord, now: Date): Promise<Decided | null> => {
  const composition = await composeNext(ports, owner, now)
  const { pool, request } = composition
  const isNews = eligibleAtOf(record, now) > request.since
  if (!isNews) return null
  const nothing = { near: [], press: null, mailId: null }
  if (pool.partialDay === record.listDay) return { ...nothing, verdict: { kind: 'partial', listDay: record.listDay } }
  if (request.recentlySent.includes(record.id)) return { ...nothing, verdict: { kind: 'remembered' } }
  return decide(ports, owner, composition, record, { on: null, isExact: true, mailId: null })
}

/** What the last digest that could have chosen the paper made of it; `null` where none could. */
const decidePast = async (
  ports: Ports,
  owner: Subscriber,
  record: PaperRecord,
  made: readonly ReaderDigest[],
): Promise<Decided | null> => {
  for (let at = made.length - 1; at >= 0; at--) {
    const digest = made[at]
    if (digest === undefined || record.firstSeenAt > digest.cutoff) continue
    const composition = await recompose(ports, owner, digest, made.slice(0, at))
    const { pool, request, isExact } = composition
    const isCandidate = pool.papers.some(({ id, eligibleAt }) => id === record.id && eligibleAt > request.since)
    if (!isCandidate) continue
    if (request.recentlySent.includes(record.id))
      return { verdict: { kind: 'remembered' }, near: [], press: null, mailId: null }
    return decide(ports, owner, composition, record, { on: digest.localDate, isExact, mailId: digest.mailId })
  }
  return null
}

const decide = async (
  { db }: Ports,
  owner: Subscriber,
  { pool, request, taste }: Composition,
  record: PaperRecord,
  { on, isExact, mailId }: { on: string | null; isExact: boolean; mailId: string | null },
): Promise<Decided | null> => {
  const { id } = record
  const choiceBy = (profile: Profile) => explainChoice(pool, { ...request, profile }, taste)
  const fateBy = (profile: Profile) => fateOf(id, choiceBy(profile))
  const choice = choiceBy(request.profile)
  const fate = fateOf(id, choice)
  const candidate = pool.papers.find((paper) => paper.id === id)
  if (fate.kind === 'not-open' || candidate === undefined) return null
  const from = { on, exact: isExact }
  const nothing = { near: [], press: null, mailId }
  if (choice.waits && fate.kind === 'chosen')
    return { verdict: { kind: 'waits', of: fate.of, least: request.profile.leastPapers }, ...nothing }
  if (on === null && fate.kind === 'chosen')
    return { verdict: { kind: 'next', place: fate.place, of: fate.of, extra: fate.topic === null }, ...nothing }
  // What is followed now may have been added since: then there is nothing to change any more.
  if (on !== null && fateBy(offeredProfile(profileOf(owner)).profile).kind === 'chosen')
    return { verdict: { kind: 'changed', on }, ...nothing }
  if (fate.kind === 'chosen') throw new Error(`paper ${id} was chosen and is in no digest`)
  const { profile } = request
  const mutedBy = profile.muted.filter((word) => pool.index.findPhrase(word).has(id))
  const paper = { candidate, authors: record.authors.map(plainLatex), topics: record.topics }
  const brings = (press: Press): boolean => fateBy(withPress(profile, press)).kind === 'chosen'
  const press = pressesFor(fate, profile, paper, mutedBy).find(brings) ?? null
  const near = nearTopics(record, candidate, profile.topics)
  switch (fate.kind) {
    case 'muted':
      return { verdict: { kind: 'muted', words: mutedBy, ...from }, near: [], press, mailId }
    case 'folded':
    case 'twin':
    case 'same-title':
      return { verdict: { kind: fate.kind, other: await nameOf(db, fate.paperId), ...from }, near: [], press, mailId }
    default:
      return { verdict: { ...fate, ...from }, near: fate.kind === 'off-topic' ? near : [], press, mailId }
  }
}

const nearTopics = (
  { topics }: PaperRecord,
  { relevance }: Pick<CandidateFits, 'relevance'>,
  followed: readonly string[],
): NearTopic[] =>
  topics
    .filter(({ topic }) => isTopic(topic))
    .filter(({ topic }, at) => at < NEAREST || followed.includes(topic))
    .map(({ topic, score }) => ({
      topic,
      label: topicLabel(topic),
      score,
      followed: followed.includes(topic),
      enough: relevance.some((fit) => fit.topic === topic),
    }))

type CandidateFits = Composition['pool']['papers'][number]

/** Why no digest could choose a paper: it was seen late, or was news before the first digest, or between two. */
const withoutDigest = (
  record: PaperRecord,
  made: readonly ReaderDigest[],
  now: Date,
  dateOf: (at: Date) => string,
): Verdict => {
  const { listDay, firstSeenAt } = record
  const eligible = eligibleAtOf(record, now)
  if (firstSeenAt > eligible) return { kind: 'late', listDay, seen: dateOf(firstSeenAt) }
  const before = made.findLast(({ cutoff }) => cutoff < eligible)
  const after = made.find(({ cutoff }) => cutoff >= eligible)
  if (before === undefined && after !== undefined) return { kind: 'before', listDay, first: after.localDate }
  return { kind: 'no-digest', listDay, after: before?.localDate ?? null, until: after?.localDate ?? null }
}
