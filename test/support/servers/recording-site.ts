/** A site on loopback whose use cases write down what was asked of them: for tests of the HTTP floor alone. */
import type { AddressInfo } from 'node:net'
import { drawMailLogo } from '../../../src/adapters/mail-logo.ts'
import { createShareImages } from '../../../src/adapters/share-image.ts'
import { createPages } from '../../../src/adapters/templates/pages.ts'
import { UNBRANDED } from '../../../src/core/branding/branding.ts'
import type { DigestIssue, PaperCard } from '../../../src/core/digest/digest.ts'
import type { Volume } from '../../../src/core/digest/volume.ts'
import { entryHtml, entryId, type FeedEntry } from '../../../src/core/feed/feed.ts'
import type { CitedPaper } from '../../../src/core/papers/citation/citation.ts'
import { type Preferences, STANDARD } from '../../../src/core/subscriber/preferences.ts'
import type { Challenge } from '../../../src/core/subscriber/proof-of-work.ts'
import { openSealedAddress, sealAddress } from '../../../src/core/subscriber/sealed-address.ts'
import { buildApp } from '../../../src/http/app.ts'
import type { ConnectionLimits } from '../../../src/http/connections.ts'
import type { App, PrivacyFacts, Site } from '../../../src/http/site.ts'
import type { Archive } from '../../../src/newsletter/archive/archive.ts'
import type { ArchiveVersion } from '../../../src/newsletter/archive/archive-version.ts'
import type { PaperPage } from '../../../src/newsletter/archive/paper.ts'
import { readSearch } from '../../../src/newsletter/archive/search.ts'
import type { Citations } from '../../../src/newsletter/citations.ts'
import type { Comparisons } from '../../../src/newsletter/comparison.ts'
import type { Curation, Curations } from '../../../src/newsletter/curation/curations.ts'
import type { Suggestions } from '../../../src/newsletter/curation/suggestions.ts'
import type { Explanations } from '../../../src/newsletter/explanation.ts'
import type { Feeds } from '../../../src/newsletter/feeds.ts'
import type { GroupChannels } from '../../../src/newsletter/group-channel.ts'
import type { Invitation } from '../../../src/newsletter/group-invitations.ts'
import type { Groups } from '../../../src/newsletter/groups.ts'
import type { Previews } from '../../../src/newsletter/publishing/preview.ts'
import type { ReadingLists } from '../../../src/newsletter/reading-list.ts'
import type { SavedPapers } from '../../../src/newsletter/saved-papers.ts'
import type { AccountData } from '../../../src/newsletter/subscription/account-link.ts'
import type { Accounts } from '../../../src/newsletter/subscription/accounts.ts'
import type { OwnPreferences } from '../../../src/newsletter/subscription/preferences.ts'
import type { Origin, Subscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { OwnProposal, ProposalState, TasteProposals } from '../../../src/newsletter/taste-proposals.ts'
import type { Taste, Tastes } from '../../../src/newsletter/tastes.ts'
import type { Votes } from '../../../src/newsletter/votes.ts'
import { createRecordedArchive, INSTITUTION, LIST_DAYS } from './recorded-archive.ts'
import { createRecordedLibraries } from './recorded-libraries.ts'

/** Tokens of the one subscriber there is; every other token is unknown. */
export const TOKEN = {
  confirm: 'confirm'.padEnd(43, '0'),
  confirmed: 'already'.padEnd(43, '0'),
  expired: 'expired'.padEnd(43, '0'),
  forgotten: 'forgotten'.padEnd(43, '0'),
  preferences: 'preferences'.padEnd(43, '0'),
  left: 'left'.padEnd(43, '0'),
  unsubscribe: 'unsubscribe'.padEnd(43, '0'),
  legacy: 'legacy'.padEnd(43, '0'),
  view: 'view'.padEnd(43, '0'),
  never: 'never'.padEnd(43, '0'),
  account: 'account'.padEnd(43, '0'),
  usedAccount: 'used-account'.padEnd(43, '0'),
  address: 'address'.padEnd(43, '0'),
  undo: 'undo'.padEnd(43, '0'),
  feed: 'feed'.padEnd(43, '0'),
  saved: 'saved'.padEnd(43, '0'),
  vote: 'vote'.padEnd(43, '0'),
  group: 'group'.padEnd(43, '0'),
  announcements: 'announcements'.padEnd(43, '0'),
  curate: 'curate'.padEnd(43, '0'),
  formerCurator: 'former-curator'.padEnd(43, '0'),
}

/** Numbers that are no default. */
export const PRIVACY: PrivacyFacts = {
  operator: 'The Round Society',
  postalAddress: '1 Ledger Lane, London',
  contact: 'privacy@round.example.org',
  retention: { unconfirmed: 9, leavers: 31, consent: 730, clients: 61 },
  keepDeliveries: 100,
}

const KEY = Buffer.alloc(32, 7)
const SEALED_AT = new Date('2026-04-15T05:00:00Z')

/** The revision of settings that are no longer stored. */
export const STALE = 'stale'

/** The stamp of every form. */
export const STAMP = 'stamp-of-a-form'

export const EMAIL = 'ada.canary@example.org'

const PREFERENCES: Preferences = {
  ...STANDARD,
  topics: ['agents', 'robotics'],
  frequency: 'daily',
  timeZone: 'Europe/London',
}

export const card = (over: Partial<PaperCard> = {}): PaperCard => ({
  id: '2604.11784',
  title: 'A paper about agents',
  url: 'https://arxiv.org/abs/2604.11784',
  reason: 'LLM agents & tool use: “agents” in the title',
  excerpt: 'It is about agents.',
  authors: 'Ada Lovelace',
  links: [{ label: 'PDF', url: 'https://arxiv.org/pdf/2604.11784' }],
  upvotes: 12,
  seeAlso: [],
  ...over,
})

/** What feeds show of the card. */
export const entry = (over: Partial<FeedEntry> = {}): FeedEntry => ({
  id: entryId('http://round.example.org', 'papers', '2604.11784'),
  title: 'A paper about agents',
  url: 'https://arxiv.org/abs/2604.11784',
  authors: ['Ada Lovelace'],
  published: new Date('2026-04-13T09:00:00Z'),
  updated: new Date('2026-04-14T09:00:00Z'),
  topics: ['LLM agents & tool use'],
  summary: 'It is about agents.',
  html: entryHtml(card()),
  ...over,
})

/** Papers as citations have them: of the held days two, and one with the id of the card. */
const CITED: CitedPaper[] = ['2604.11784', '2604.11785'].map((id) => ({
  paper: {
    id,
    title: 'A paper about agents',
    abstract: 'It is about agents.',
    authors: ['Ada Lovelace'],
    publishedOn: '2026-04-13',
    categories: ['cs.CL'],
    codeUrl: null,
    projectUrl: null,
    discussionUrl: null,
  },
  withdrawn: false,
}))

const createRecordedCitations = (): Citations => ({
  readPaper: async (id) => CITED.filter(({ paper }) => paper.id === id),
  readDay: async (listDay) => (LIST_DAYS.includes(listDay) ? CITED : []),
  readWeek: async (week) => (week === '2026-W16' ? CITED : []),
  readDigest: async (token) => (token === TOKEN.view ? { localDate: '2026-04-15', papers: CITED } : null),
})

const createRecordedFeeds = (entries: FeedEntry[]): Feeds => ({
  readPapers: async () => entries,
  readSearch: async (request) => {
    const read = readSearch(request)
    return read === null || 'problem' in read ? read : entries
  },
  readAuthor: async (slug) => (slug === 'ada-lovelace' ? { name: 'Ada Lovelace', entries } : null),
  readInstitution: async (slug) => (slug === 'plan-lab' ? { name: INSTITUTION.fullName, entries } : null),
  readOwn: async (token) => (token === TOKEN.feed ? entries : null),
  readEmptySince: async () => new Date('2026-04-15T00:00:00Z'),
})

export const issueOf = (cards: PaperCard[]): DigestIssue => ({
  kind: 'daily',
  localDate: '2026-04-15',
  listDays: ['2026-04-14', '2026-04-15'],
  topics: ['LLM agents & tool use'],
  cards,
  trendingExtras: [],
  groups: [],
  news: [],
  listed: 26,
  cutoff: '2026-04-20T06:00:00.000Z',
  note: null,
  sample: false,
})

export interface TestSite extends AsyncDisposable {
  app: App
  url: string
  /** Every use case that changes something, as it was called. */
  changes: unknown[][]
  /** Where each sign-up and each request for links came from. */
  origins: (Origin | undefined)[]
  /** Whose digest was previewed. */
  asked: Preferences[]
  /** Every line that was logged, as JSON. */
  log: string[]
}

/** Writes a call down, and resolves to what is to be answered. */
type RecordChange = <T>(answer: T, ...call: unknown[]) => Promise<T>

const own = (over: Partial<OwnPreferences> = {}): OwnPreferences => ({
  email: EMAIL,
  state: 'active',
  preferences: PREFERENCES,
  pausedUntil: null,
  nextDigestAt: new Date('2026-04-16T06:00:00Z'),
  announcements: true,
  revision: 'revision',
  unsubscribeToken: TOKEN.unsubscribe,
  feedToken: TOKEN.feed,
  ...over,
})

const tooLate = (token: string) => (token === TOKEN.unsubscribe ? ('too-late' as const) : null)

const reducedTo = (to: { frequency: 'weekly' } | { pauseUntil: string }) =>
  'frequency' in to
    ? { preferences: { ...PREFERENCES, ...to }, pausedUntil: null }
    : { preferences: PREFERENCES, pausedUntil: to.pauseUntil }

/** What reads no database, and goes on when that fails. */
const PURE = new Set(['countRequest', 'stampForm', 'sealAddress', 'openAddress', 'localToday'])

/** Use cases that all reject with `fault`, save those that need no database. */
const failingBy = <UseCases extends object>(fault: Error | null, useCases: UseCases): UseCases =>
  fault === null
    ? useCases
    : new Proxy(useCases, {
        get: (target, name, receiver) =>
          PURE.has(String(name)) ? Reflect.get(target, name, receiver) : async () => Promise.reject(fault),
      })

/** The use cases of the one subscriber there is. */
const createRecordedSubscriptions = (
  change: RecordChange,
  origins: (Origin | undefined)[],
  challenge: Challenge | null,
  chosen: Partial<Preferences>,
): Subscriptions => ({
  requestSubscription: (email, preferences, origin) => {
    origins.push(origin)
    return change(challenge, 'requestSubscription', email, preferences)
  },
  requestLinks: (email, origin) => {
    origins.push(origin)
    return change(challenge, 'requestLinks', email)
  },
  requestVoteLink: (email, paperId, origin) => {
    origins.push(origin)
    return change(challenge, 'requestVoteLink', email, paperId)
  },
  requestMembership: (email, group, origin) => {
    origins.push(origin)
    return change(challenge, 'requestMembership', email, group)
  },
  proveWork: (proof) => change(proof === 'right', 'proveWork', proof),
  stampForm: () => STAMP,
  sealAddress: (address) => sealAddress([KEY], address, SEALED_AT),
  openAddress: (sealed) => openSealedAddress([KEY], sealed, SEALED_AT),
  readConfirmation: async (token) =>
    token === TOKEN.confirm || token === TOKEN.confirmed
      ? { email: EMAIL, preferences: PREFERENCES, confirmed: token === TOKEN.confirmed }
      : null,
  confirm: (token, _, time) => change(token === TOKEN.confirm ? 'confirmed' : 'already', 'confirm', token, time),
  readExpiredConfirmation: async (token) => {
    if (token === TOKEN.forgotten) return { email: null }
    return token === TOKEN.expired ? { email: MASKED } : null
  },
  requestAgain: (token, origin) => {
    if (token !== TOKEN.expired) return Promise.resolve(null)
    origins.push(origin)
    return change({ email: MASKED, held: challenge }, 'requestAgain', token)
  },
  readPreferences: async (token) => {
    if (token === TOKEN.left) return own({ state: 'unsubscribed', nextDigestAt: null })
    return token === TOKEN.preferences ? own({ preferences: { ...PREFERENCES, ...chosen } }) : null
  },
  changePreferences: async (token, preferences, seen) =>
    seen === STALE ? 'stale' : change(own({ preferences }), 'changePreferences', token, preferences),
  findNextDigest: async () => new Date('2026-04-18T06:00:00Z'),
  followTopic: (token, topic, follow) => {
    const { preferences } = own()
    const topics = [...preferences.topics.filter((slug) => slug !== topic), ...(follow ? [topic] : [])]
    if (token !== TOKEN.preferences) return Promise.resolve(null)
    return change(own({ preferences: { ...preferences, topics } }), 'followTopic', token, topic, follow)
  },
  pause: (token, until) =>
    change(own({ state: until === null ? 'active' : 'paused', pausedUntil: until }), 'pause', token, until),
  readUnsubscription: async (token) => {
    if (token === TOKEN.left)
      return { email: EMAIL, state: 'unsubscribed', frequency: 'daily', atOnce: false, papers: null, undoable: true }
    return token === TOKEN.unsubscribe
      ? { email: EMAIL, state: 'active', frequency: 'daily', atOnce: false, papers: null, undoable: false }
      : null
  },
  unsubscribe: (token) => change(token === TOKEN.unsubscribe ? 'unsubscribed' : null, 'unsubscribe', token),
  findLegacyLink: async (token) => (token === TOKEN.legacy ? TOKEN.unsubscribe : null),
  readAnnouncementStop: async (token) => (token === TOKEN.announcements ? { email: MASKED, wanted: true } : null),
  stopAnnouncements: (token) =>
    change(token === TOKEN.announcements ? { email: MASKED, wanted: false } : null, 'stopAnnouncements', token),
  changeAnnouncements: (token, wants) => change(own({ announcements: wants }), 'changeAnnouncements', token, wants),
  readOptOut: async (token) => (token === TOKEN.never ? { email: EMAIL } : null),
  optOut: (token) => change(token === TOKEN.never ? { email: EMAIL } : null, 'optOut', token),
  reduce: (token, to) => change(token === TOKEN.unsubscribe ? reducedTo(to) : null, 'reduce', token, to),
  undoReduced: (token) =>
    change(
      token === TOKEN.left ? { preferences: PREFERENCES, pausedUntil: null } : tooLate(token),
      'undoReduced',
      token,
    ),
  localToday: () => '2026-04-15',
})

/** What an account link of the subscriber, or a used one, leads to. */
const byAccountLink = <T>(token: string, answer: T): T | 'ended' | null => {
  if (token === TOKEN.usedAccount) return 'ended'
  return token === TOKEN.account ? answer : null
}

const MASKED = 'a•••@example.org'
const byUndoLink = (token: string) =>
  token === TOKEN.undo ? { email: MASKED } : byAccountLink(token, { email: MASKED })

/** Everything that is held of the one subscriber there is. */
const DATA: AccountData = {
  exportedAt: new Date('2026-04-15T06:00:00Z'),
  subscriber: {
    id: '0a0b0c0d-0000-4000-8000-000000000001',
    email: EMAIL,
    state: 'active',
    preferences: { ...PREFERENCES, keywords: ['</pre><b>Lean 4'] },
    wantsAnnouncements: true,
    requestedAt: new Date('2026-04-01T06:00:00Z'),
    confirmedAt: new Date('2026-04-01T06:05:00Z'),
    leftAt: null,
    pausedUntil: null,
    nextDigestAt: new Date('2026-04-16T06:00:00Z'),
  },
  consent: [],
  digests: [
    {
      date: '2026-04-15',
      subject: 'A paper about agents',
      papers: [],
      state: 'sent',
      reason: null,
      sentAt: null,
      reply: null,
    },
  ],
  letters: [],
  announcements: [],
  votes: [],
  saved: [],
  likes: [],
  taste: null,
  proposals: [],
  groups: [],
  feedback: [],
  suppression: null,
  suppressionChanges: [],
  legacyLinks: [],
  requests: [],
  before: null,
}

/** The votes of the one subscriber there is, for the paper of the card. */
const createRecordedVotes = (change: RecordChange): Votes => {
  const paper = { id: '2604.11784', title: 'A paper about agents', votes: 7 }
  const answer = <T>(token: string, paperId: string, found: T) => {
    if (token !== TOKEN.vote) return null
    return paperId === paper.id ? found : { outcome: 'no paper' as const }
  }
  return {
    readPaper: async (paperId) => (paperId === paper.id ? paper : null),
    read: async (token, paperId) => answer(token, paperId, { outcome: 'open', paper }),
    vote: (token, paperId) => change(answer(token, paperId, { outcome: 'counts', paper }), 'vote', token, paperId),
    takeBack: (token, paperId) =>
      change(answer(token, paperId, { outcome: 'taken back', paper }), 'takeBack', token, paperId),
  }
}

/** A group that the subscriber has made, and one that another has. */
export const GROUP = '0a0b0c0d-0000-4000-8000-00000000000a'
export const OTHERS_GROUP = '0a0b0c0d-0000-4000-8000-00000000000b'

const INVITATION: Invitation = { id: GROUP, name: 'Vision <Lab>', follows: ['LLM agents & tool use'], weekday: 3 }

const createRecordedGroups = (change: RecordChange): Groups => {
  const answer = <T>(token: string, found: T) => {
    if (token === TOKEN.left) return 'not subscribed' as const
    return token === TOKEN.preferences ? found : null
  }
  const ofGroup = <T>(token: string, groupId: string, found: T) =>
    answer(token, groupId === GROUP ? found : groupId === OTHERS_GROUP ? ('not yours' as const) : ('no group' as const))
  const mine = { ...INVITATION, members: 2, maker: true }
  const others = { ...INVITATION, id: OTHERS_GROUP, members: 40, maker: false }
  const made = {
    joinToken: TOKEN.group,
    choices: { ...PREFERENCES, name: 'Vision <Lab>', weekday: 3 },
    members: [
      { id: 'a', email: MASKED, maker: true, subscribed: true },
      { id: 'b', email: 'b•••@example.org', maker: false, subscribed: true },
      { id: 'c', email: 'c•••@example.org', maker: false, subscribed: false },
    ],
  }
  const errors = [
    { field: 'name', problem: 'Enter a name, such as Vision Lab.', expected: 'a name such as Vision Lab' },
  ]
  return {
    list: async (token) => answer(token, { groups: [mine, others], only: false, preferences: PREFERENCES }),
    read: async (token, id) => {
      if (id === OTHERS_GROUP) return answer(token, { group: others, made: null })
      return ofGroup(token, id, { group: mine, made })
    },
    make: (token, typed) => {
      if (typed.name === undefined) return Promise.resolve(answer(token, { errors }))
      return change(answer(token, { id: GROUP }), 'makeGroup', token, typed)
    },
    change: (token, id, typed) => {
      if (typed.name === undefined) return Promise.resolve(ofGroup(token, id, { errors }))
      return change(ofGroup(token, id, 'done' as const), 'changeGroup', token, id, typed)
    },
    readInvitation: async (token) => (token === TOKEN.group ? INVITATION : null),
    preferencesFor: async (token) => (token === TOKEN.group ? { groupId: GROUP, preferences: PREFERENCES } : null),
    join: (token, invitation) =>
      change(answer(token, invitation === TOKEN.group ? ('joined' as const) : ('no group' as const)), 'join', token),
    leave: (token, id) => change(ofGroup(token, id, 'done' as const), 'leaveGroup', token, id),
    remove: (token, id, member) => change(ofGroup(token, id, 'done' as const), 'removeMember', token, id, member),
    handOver: (token, id, member) => change(ofGroup(token, id, 'done' as const), 'handOver', token, id, member),
    renewLink: (token, id) => change(ofGroup(token, id, 'done' as const), 'renewGroupLink', token, id),
    end: (token, id) => change(ofGroup(token, id, 'done' as const), 'endGroup', token, id),
    setOnly: (token, only) => change(answer(token, 'done' as const), 'setOnly', token, only),
  }
}

const createRecordedChannels = (change: RecordChange): GroupChannels => {
  const answer = <T>(token: string, groupId: string, found: T) => {
    if (token === TOKEN.left) return 'not subscribed' as const
    if (token !== TOKEN.preferences) return null
    return groupId === GROUP ? found : ('not yours' as const)
  }
  const secret = { secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }
  const channel = {
    host: 'chat.example.org',
    delivered: 2,
    waiting: 0,
    failing: true,
    disabled: 'it has taken nothing for five days: it answered 500',
  }
  return {
    read: async (token, id) => answer(token, id, { channel }),
    set: (token, id, url) => {
      if (!url.startsWith('https://'))
        return change(answer(token, id, { problem: 'It must begin with https://.' }), 'setChannel', token, id, url)
      return change(answer(token, id, secret), 'setChannel', token, id, url)
    },
    renewSecret: (token, id) => change(answer(token, id, secret), 'renewChannelSecret', token, id),
    test: (token, id) => change(answer(token, id, 'done' as const), 'testChannel', token, id),
    enable: (token, id) => change(answer(token, id, 'done' as const), 'enableChannel', token, id),
    remove: (token, id) => change(answer(token, id, 'done' as const), 'removeChannel', token, id),
  }
}

const createRecordedSavedPapers = (change: RecordChange): SavedPapers => {
  const paper = { id: '2604.11784', title: 'A paper about agents' }
  const answer = <T>(token: string, paperId: string, found: T) => {
    if (token !== TOKEN.vote) return null
    return paperId === paper.id ? found : { outcome: 'no paper' as const }
  }
  return {
    read: async (token, paperId) => answer(token, paperId, { outcome: 'open', paper }),
    save: (token, paperId) => change(answer(token, paperId, { outcome: 'saved', paper }), 'save', token, paperId),
    remove: (token, paperId) => change(answer(token, paperId, { outcome: 'removed', paper }), 'remove', token, paperId),
  }
}

/** What was learnt of the one subscriber there is. */
const TASTE: Taste = {
  on: true,
  lines: [
    { term: 'masked diffusion', kind: 'words', label: 'masked diffusion', direction: 'more', share: 1 },
    { term: 'topic:reasoning', kind: 'topic', label: 'Reasoning & planning', direction: 'more', share: 0.4 },
    { term: 'benchmarks', kind: 'words', label: 'benchmarks', direction: 'less', share: 0.2 },
  ],
  removed: [{ term: 'author:ada lovelace', label: 'Ada Lovelace' }],
  presses: [
    { id: '2604.11784', title: 'A paper about agents', direction: 'more', at: new Date('2026-04-15T08:00:00Z') },
  ],
  revision: 3,
}

const createRecordedTastes = (change: RecordChange, taste: Taste): Tastes => {
  const paper = { id: '2604.11784', title: 'A paper about agents' }
  const ofPaper = <T>(token: string, paperId: string, found: T) => {
    if (token !== TOKEN.vote) return null
    return paperId === paper.id ? found : { outcome: 'no paper' as const }
  }
  const own = (token: string) => (token === TOKEN.preferences || token === TOKEN.left ? taste : null)
  const about = ['masked diffusion', 'small models']
  return {
    readPaper: async (token, paperId) => ofPaper(token, paperId, { outcome: 'open', paper }),
    press: (token, paperId, direction) =>
      change(ofPaper(token, paperId, { outcome: 'learnt', paper, about }), 'press', token, paperId, direction),
    takeBack: (token, paperId) =>
      change(ofPaper(token, paperId, { outcome: 'taken back', paper }), 'takeBackTaste', token, paperId),
    read: async (token) => own(token),
    removeTerm: (token, term) => change(own(token), 'removeTerm', token, term),
    restoreTerm: (token, term) => change(own(token), 'restoreTerm', token, term),
    forgetPress: (token, paperId) => change(own(token), 'forgetPress', token, paperId),
    reset: (token) => change(own(token), 'reset', token),
    turnOn: (token) => change(own(token), 'turnOn', token),
    turnOff: (token) => change(own(token), 'turnOff', token),
  }
}

/** The list of the subscriber: one paper to read and one that is hidden; of who has left, none. */
const createRecordedReadingLists = (change: RecordChange, entries: FeedEntry[]): ReadingLists => {
  const listed = { withdrawn: false, savedOn: '2026-04-15', readOn: null, digestDate: '2026-04-14' }
  const isHolder = (token: string) => token === TOKEN.preferences || token === TOKEN.left
  const papers = [
    { ...listed, id: '2604.11784', card: card() },
    { ...listed, id: '2604.11785', card: null, digestDate: null },
  ]
  const answer = <T>(token: string, paperId: string, found: T) => {
    if (!isHolder(token)) return null
    return papers.some(({ id }) => id === paperId) ? found : ('none' as const)
  }
  return {
    read: async (token, { read, topic, after }) => {
      if (!isHolder(token)) return null
      if (after === 'nowhere' || (topic !== null && topic !== 'agents')) return 'no such page'
      const isEmpty = token === TOKEN.left || read
      return {
        papers: isEmpty ? [] : papers,
        counts: { unread: isEmpty ? 0 : 2, read: 0 },
        topics: isEmpty ? [] : [{ slug: 'agents', label: 'LLM agents & tool use', count: 1 }],
        next: isEmpty ? null : '1776232800000:2604.11785',
        feedToken: TOKEN.saved,
        subscribed: token === TOKEN.preferences,
      }
    },
    add: (token, typed) => {
      const paper = { id: '2604.11784', title: 'A paper about agents' }
      const found = typed === paper.id ? { outcome: 'saved' as const, paper } : { outcome: 'unreadable' as const }
      return change(isHolder(token) ? found : null, 'add', token, typed)
    },
    setRead: (token, paperId, isRead) => change(answer(token, paperId, 'done'), 'setRead', token, paperId, isRead),
    remove: (token, paperId) => change(answer(token, paperId, 'removed'), 'removeListed', token, paperId),
    readCited: async (token) =>
      isHolder(token)
        ? CITED.map((one) => ({ ...one, savedOn: '2026-04-15', readOn: null, digestDate: '2026-04-14' }))
        : null,
    readFeed: async (token) => (token === TOKEN.saved ? entries : null),
  }
}

/** What is proposed to the one subscriber there is: its number is 12. */
const createRecordedProposals = (change: RecordChange, state: ProposalState): TasteProposals => {
  const found = (token: string, id: number, over: Partial<OwnProposal> = {}) => {
    if (id !== 12) return null
    if (token === TOKEN.left) return 'not subscribed' as const
    if (token !== TOKEN.preferences) return null
    return {
      kind: 'keyword' as const,
      value: 'masked diffusion',
      label: 'masked diffusion',
      presses: 5,
      state,
      ...over,
    }
  }
  return {
    read: async (token, id) => found(token, id),
    accept: (token, id) => change(found(token, id, { state: 'accepted' }), 'acceptProposal', token, id),
    decline: (token, id) => change(found(token, id, { state: 'declined' }), 'declineProposal', token, id),
    undo: (token, id) => change(found(token, id, { state: 'open' }), 'undoProposal', token, id),
  }
}

/** The account of the one subscriber there is. */
const createRecordedAccounts = (change: RecordChange, challenge: Challenge | null): Accounts => ({
  requestLink: (token) => change(token === TOKEN.preferences || token === TOKEN.left, 'requestLink', token),
  read: async (token) => byAccountLink(token, { email: EMAIL, state: 'active' as const, subscribed: true }),
  renewLinks: (token) => change(byAccountLink(token, 'renewed' as const), 'renewLinks', token),
  takeData: (token) => change(byAccountLink(token, DATA), 'takeData', token),
  erase: (token) => change(byAccountLink(token, 'erased' as const), 'erase', token),
  changeAddress: (token, email) => change(byAccountLink(token, { held: challenge }), 'changeAddress', token, email),
  readAddressChange: async (token) =>
    token === TOKEN.address ? { email: MASKED, preferences: PREFERENCES, confirmed: false } : null,
  confirmAddressChange: (token) =>
    change(
      token === TOKEN.address ? { email: MASKED, preferences: PREFERENCES, confirmed: true } : null,
      'confirmAddressChange',
      token,
    ),
  readAddressUndo: async (token) => byUndoLink(token),
  undoAddressChange: (token) => change(byUndoLink(token), 'undoAddressChange', token),
})

/** The real ones, as the pages are; one for all, for it has fonts. */
const shareImages = createShareImages(UNBRANDED)
/** What the one curator there is did: a pick that arXiv is asked for, a pin that was undone, and a hide. */
const DID = {
  curator: 'Grace Hopper',
  at: new Date('2026-04-15T09:00:00Z'),
  undoneBy: null,
  undoneAt: null,
  askedAt: null,
}
const CURATIONS: Curation[] = [
  {
    ...DID,
    id: '0a0b0c0d-0000-4000-8000-000000000011',
    action: 'pick',
    paperId: '2604.19999',
    title: null,
    note: 'The first proof of its kind',
    listDay: '2026-04-15',
  },
  {
    ...DID,
    id: '0a0b0c0d-0000-4000-8000-000000000012',
    action: 'pin',
    paperId: '2604.11784',
    title: 'A paper about agents',
    note: null,
    listDay: '2026-04-15',
    undoneBy: 'Ada Lovelace',
    undoneAt: new Date('2026-04-15T10:00:00Z'),
  },
  {
    ...DID,
    id: '0a0b0c0d-0000-4000-8000-000000000013',
    action: 'hide',
    paperId: '2604.11785',
    title: 'A paper about <b>agents</b>',
    note: 'Withdrawn by its authors',
    listDay: null,
  },
]

const createRecordedCurations = (change: RecordChange): Curations => ({
  readPage: async (token) => {
    if (token === TOKEN.formerCurator) return 'removed'
    return token === TOKEN.curate
      ? {
          name: 'Grace Hopper',
          suggestions: [
            {
              id: '0a0b0c0d-0000-4000-8000-000000000021',
              paperId: '2604.20001',
              note: 'It halves the cost',
              at: new Date('2026-04-15T08:00:00Z'),
            },
          ],
          waiting: 1,
          done: CURATIONS,
          older: null,
          newestDay: '2026-04-15',
        }
      : null
  },
  act: async (token, asked) => {
    if (token === TOKEN.formerCurator) return 'removed'
    if (token !== TOKEN.curate) return null
    return change({ outcome: 'done', paperId: '2604.11784', waiting: false, newsUntil: null }, 'act', token, asked)
  },
})

const createRecordedSuggestions = (change: RecordChange): Suggestions => ({
  suggest: (paper) => change('stored', 'suggest', paper),
})

/** What became of three papers for the one subscriber there is. */
const createRecordedExplanations = (): Explanations => ({
  explain: async (token, typed) => {
    if (token === TOKEN.left) return 'not-subscribed'
    if (token !== TOKEN.preferences) return null
    const nothing = { near: [], press: null, viewToken: null }
    switch (typed) {
      case '2604.11784':
        return {
          paper: { id: typed, title: 'A paper about <b>agents</b>' },
          verdict: { kind: 'off-topic', on: '2026-04-14', exact: true },
          near: [
            { topic: 'vlm', label: 'Vision-language models', score: 0.62, followed: false, enough: true },
            { topic: 'robotics', label: 'Robotics & embodied AI', score: 0.31, followed: true, enough: false },
          ],
          press: { kind: 'follow', topic: 'vlm' },
          viewToken: TOKEN.view,
        }
      case '2604.11785':
        return {
          paper: { id: typed, title: 'Another' },
          verdict: { kind: 'next', place: 3, of: 10, extra: false },
          ...nothing,
        }
      case '2604.99999':
        return { paper: { id: typed, title: null }, verdict: { kind: 'unseen', reads: ['arXiv (cs.CL)'] }, ...nothing }
      default:
        return 'no-paper'
    }
  },
})

/** What settings of the one subscriber there is would have brought: a paper a day for each topic. */
const createRecordedComparisons = (): Comparisons => ({
  compare: async (token, typed) => {
    if (token === TOKEN.left) return 'not-subscribed'
    if (token !== TOKEN.preferences) return null
    const dates = ['2026-04-13', '2026-04-14', '2026-04-15']
    const brought = ({ topics }: Preferences) => ({
      digests: 3,
      empty: 0,
      papers: 3 * topics.length,
      byDate: dates.map((date) => ({ date, papers: topics.length })),
    })
    const paper = {
      id: '2604.11784',
      title: 'A paper about <b>agents</b>',
      date: '2026-04-14',
      reason: 'LLM agents',
      upvotes: 1,
    }
    return {
      first: '2026-04-13',
      last: '2026-04-15',
      days: 3,
      stored: brought(PREFERENCES),
      typed: typed === null ? null : brought(typed),
      gained: typed === null ? { count: 0, best: [] } : { count: 12, best: [paper] },
      lost: { count: 0, best: [] },
    }
  },
})

/** A clock that is a minute on each time it is read, so that requests are refused by no budget, however fast they come. */
const createMinutes = (): (() => number) => {
  let at = 0
  return () => {
    at += 60_000
    return at
  }
}

export const openTestSite = async ({
  baseUrl = 'http://round.example.org',
  branding = UNBRANDED,
  contact = null as string | null,
  cards = [card()],
  sample = false,
  paper = {} as Partial<PaperPage>,
  held = true,
  feedEntries = [entry()],
  issue = null as DigestIssue | null,
  mailboxUrl = null as string | null,
  ready = async () => undefined,
  fault = null as Error | null,
  /** In the place of those that write down. */
  subscriptions = null as Subscriptions | null,
  archive = null as Archive | null,
  feeds = null as Feeds | null,
  adminToken = null as string | null,
  challenge = null as Challenge | null,
  chosen = {} as Partial<Preferences>,
  taste = {} as Partial<Taste>,
  /** How the proposal stands. */
  proposal = 'open' as ProposalState,
  topicQuality = [] as NonNullable<Site['topicQuality']>,
  trustProxy = [] as string[],
  monotonic = createMinutes(),
  connections = {} as Partial<ConnectionLimits>,
  takesMail = async (_domain: string): Promise<boolean | null> => null,
  /** By default nothing changes in the archive. */
  archiveVersion = { read: async () => '1', expire: () => undefined } as ArchiveVersion,
  editions = { list: async () => [], readAccount: async () => null } as Site['editions'],
} = {}): Promise<TestSite> => {
  const changes: unknown[][] = []
  const asked: Preferences[] = []
  const log: string[] = []
  const change: RecordChange = async (answer, ...call) => {
    changes.push(call)
    return answer
  }
  const origins: (Origin | undefined)[] = []
  const recorded = createRecordedArchive({ cards, sample, held, issue, viewToken: TOKEN.view, paper })
  const previews: Previews = {
    readDigest: async (preferences) => {
      asked.push(preferences)
      return issue ?? issueOf(cards)
    },
    // Ten papers a week for each topic, keyword and author, so that a change is seen.
    readVolume: async ({ topics, keywords, authors }): Promise<Volume | null> =>
      held ? { papers: 40 * (topics.length + keywords.length + authors.length), weeks: 4 } : null,
    readBroadAuthors: async ({ authors }) =>
      authors
        .filter((name) => name === 'J. Wang')
        .map((name) => ({ name, papers: 12, weeks: 4, found: ['Jie Wang', 'Jun Wang', 'Jing Wang'] })),
  }
  const write = (facts: object, event: string) => log.push(JSON.stringify({ event, ...facts }))
  const drawn = branding.logo === null ? null : await drawMailLogo(branding.logo)
  const app = buildApp({
    subscriptions: failingBy(fault, subscriptions ?? createRecordedSubscriptions(change, origins, challenge, chosen)),
    accounts: failingBy(fault, createRecordedAccounts(change, challenge)),
    votes: failingBy(fault, createRecordedVotes(change)),
    groups: failingBy(fault, createRecordedGroups(change)),
    groupChannels: failingBy(fault, createRecordedChannels(change)),
    savedPapers: failingBy(fault, createRecordedSavedPapers(change)),
    tastes: failingBy(fault, createRecordedTastes(change, { ...TASTE, ...taste })),
    readingLists: failingBy(fault, createRecordedReadingLists(change, feedEntries)),
    proposals: failingBy(fault, createRecordedProposals(change, proposal)),
    curations: failingBy(fault, createRecordedCurations(change)),
    suggestions: failingBy(fault, createRecordedSuggestions(change)),
    archive: failingBy(fault, archive ?? recorded),
    archiveVersion,
    citations: failingBy(fault, createRecordedCitations()),
    feeds: failingBy(fault, feeds ?? createRecordedFeeds(feedEntries)),
    previews: failingBy(fault, previews),
    explanations: failingBy(fault, createRecordedExplanations()),
    libraries: failingBy(fault, createRecordedLibraries()),
    comparisons: failingBy(fault, createRecordedComparisons()),
    topicQuality,
    serviceName: branding.name,
    hasImprint: branding.texts.imprint !== null,
    privacy: PRIVACY,
    takesMail,
    pages: createPages({
      mailboxUrl,
      branding,
      contact,
      files: drawn === null ? [] : [drawn.file],
      logoOnPaper: drawn?.onPaper ?? false,
    }),
    drawShareImage: (branding === UNBRANDED ? shareImages : createShareImages(branding)).draw,
    log: { info: write, warn: write, error: write },
    ready,
    editions: failingBy(fault, editions),
    metrics: failingBy(fault, {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      read: async () => '# figures\n',
      countRequest: () => undefined,
    }),
    roleOfToken: adminToken === null ? null : async (token) => (token === adminToken ? 'own' : null),
    baseUrl,
    trustProxy,
    monotonic,
    connections,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    changes,
    origins,
    asked,
    log,
    [Symbol.asyncDispose]: async () => app.close(),
  }
}

/** The body of a form as a browser sends it. */
export const form = (fields: Record<string, string | string[]>): URLSearchParams =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
  )
