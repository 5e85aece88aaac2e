/** The connection to Postgres, and the tables as TypeScript sees them; `migrations/` is the truth about both. */
import { type Generated, Kysely, type LogEvent, PostgresDialect } from 'kysely'
import { Pool, types } from 'pg'
import type { AlarmChannel, AlarmEvent, AlarmKind } from '../core/alarms.ts'
import type { BounceClass } from '../core/bounces/bounce-class.ts'
import { isDiskFull, isMissing } from '../core/database-error.ts'
import type { DigestEntry, DigestKind, TopicOffer } from '../core/digest/digest.ts'
import type { SkippedDigests, UntoldBefore } from '../core/digest/skipped-digests.ts'
import type { MessageType, WebhookEvent } from '../core/event-webhook.ts'
import type { OperatorRole } from '../core/operator.ts'
import type { SourceName } from '../core/papers/paper.ts'
import type { FrozenNews, NewsKind } from '../core/papers/paper-news.ts'
import type { Match } from '../core/relevance/relevance.ts'
import type { MailState, StateCount } from '../core/sending/ledger.ts'
import type { ThrottleCause } from '../core/sending/pace.ts'
import type { ChangeByLink } from '../core/subscriber/change-by-link.ts'
import type { ConsentEvent, ConsentOrigin } from '../core/subscriber/consent.ts'
import type {
  DigestSize,
  Frequency,
  LeastPapers,
  Preferences,
  SubscriberState,
  WhenEmpty,
} from '../core/subscriber/preferences.ts'
import type { ProposalKind } from '../core/taste/proposal.ts'
import type { Direction } from '../core/taste/taste.ts'

/**
 * The three tables of the outbox: mails to one address each, digests of an edition, and mails of an announcement. All have
 * the same states.
 */
export const MAIL_STREAMS = ['letters', 'deliveries', 'announcement_mails'] as const
export type MailStream = (typeof MAIL_STREAMS)[number]

/** The queues that wake mailers. Mails of announcements have none of their own: they are sent after deliveries. */
export const MAIL_QUEUES = ['letters', 'deliveries'] as const
export type MailQueue = (typeof MAIL_QUEUES)[number]
/** The queue that wakes mailers for a stream. */
export const queueOf = (stream: MailStream): MailQueue => (stream === 'letters' ? 'letters' : 'deliveries')

export type LetterKind =
  | 'confirmation'
  | 'welcome'
  | 'links'
  | 'already-subscribed'
  | 'account'
  | 'new-address'
  | 'address-changed'
  | 'vote'
  | 'curator'

/** What a curator does to a paper: adds it to the trend, puts it on a list day, or takes it out of everything. */
export type CurationAction = 'pick' | 'pin' | 'hide'

/** Whose subscription moves to a new address, and their epoch when that was asked for: renewing the links calls it off. */
export interface Move {
  subscriberId: string
  epoch: number
}

/** What a press of the unsubscribe link took away. */
export interface BeforeReduction {
  /** When, as an ISO instant of the service's clock. */
  at: string
  state: 'active' | 'paused'
  frequency: Frequency
  /** Absent where the release before noted it. */
  atOnce?: boolean
  pausedUntil: string | null
}

/** What became of the rows of an import so far. */
export interface ImportCounts {
  imported: number
  /** Of addresses that have a subscriber, who is left as they are, by their state. */
  kept: Partial<Record<SubscriberState, number>>
  refused: number
  /** Unsubscribe links of the former system that were stored. */
  links: number
  /** Welcomes that are owed. */
  welcomes: number
}

/** Why an address is not mailed; `operator`: by hand. */
export type SuppressionClass = 'hard' | 'soft' | 'complaint' | 'reader' | 'operator'

/** The columns that letters and deliveries share: one state machine serves both (`newsletter/delivery`). */
interface OutboxMail {
  state: Generated<MailState>
  /** Why it is in this state, without addresses. */
  reason: string | null
  /** Attempts that counted against the mail. */
  attempts: Generated<number>
  /** How often it was sent again although an earlier copy may have arrived. */
  resent: Generated<number>
  /** The fencing number: each claim raises it, and only the last claim may record an outcome. */
  fence: Generated<number>
  next_attempt_at: Generated<Date>
  /** While it is `sending`: until when the mail is its mailer's. */
  lease_until: Date | null
  created_at: Generated<Date>
  sent_at: Date | null
  attempted_at: Date | null
  /** The server's reply to the last attempt, without addresses: its code, its enhanced code (RFC 3463), and its text. */
  code: number | null
  enhanced: string | null
  said: string | null
  /** The throttled destination that it waits for, or under whose concurrency it is being sent. */
  waits_for: string | null
  /** The change of settings that it tells of, of a digest or a welcome. */
  told_change: ChangeByLink | null
}

/**
 * The tables. Dates (`local_date`, `list_day`, …) are `YYYY-MM-DD` strings when read and when written; instants are `Date`;
 * `jsonb` columns are read parsed and written as JSON text.
 */
export interface Tables {
  // Papers, and what sources say of them.
  papers: {
    id: string
    revision: number
    source: SourceName
    list_day: string
    first_seen_at: Date
    eligible_at: Date
    hidden_at: Date | null
    listed_on: string | null
    listed_at: Date | null
    eligible_again_at: Date | null
  }
  paper_texts: {
    paper_id: string
    revision: number
    title: string
    abstract: string
    authors: string[]
    published_on: string | null
    categories: string[]
    code_url: string | null
    project_url: string | null
    discussion_url: string | null
    /** `null` in revisions from before there were any: it is made when it is read. */
    excerpt: string | null
  }
  archive_changes: { transaction: Generated<string>; at: Generated<Date> }
  paper_news: { paper_id: string; kind: NewsKind; version: number | null; seen_at: Date; venue: string | null }
  observations: {
    paper_id: string
    observed_at: Date
    hour_known: boolean
    upvotes: number | null
    comments: number | null
    stars: number | null
  }
  paper_topics: { topic: string; paper_id: string; score: number; matches: Match[] }
  /** `title_words` and `words` are written and searched by SQL alone. */
  paper_search: {
    paper_id: string
    revision: number
    list_day: string
    title_words: never
    words: never
    authors: string[]
    terms: string[]
  }
  votes: { paper_id: string; subscriber_id: string; at: Date }
  saved_papers: {
    subscriber_id: string
    paper_id: string
    at: Date
    read_at: Date | null
    digest_date: string | null
  }
  institutions: { slug: string; name: string; full_name: string; words: string; seen_at: Date }
  paper_institutions: { paper_id: string; institution: string; seen_at: Date }
  /** In how many digests of a local date a paper was, as far as their editions are complete. */
  paper_digests: { paper_id: string; local_date: string; digests: number }
  papers_scored: { single: Generated<boolean>; by_model: string }

  // Curators, what they do to papers, and what readers suggest to them.
  curators: {
    id: Generated<string>
    /** `null` once they are no curator any more. */
    address: string | null
    name: string
    epoch: Generated<number>
    added_at: Date
    ended_at: Date | null
  }
  curations: {
    id: Generated<string>
    curator_id: string
    action: CurationAction
    paper_id: string
    note: string | null
    list_day: string | null
    at: Date
    undone_at: Date | null
    undone_by: string | null
    /** The name of an operator, where one undid it. */
    undone_by_operator: string | null
  }
  /** Papers that an operator hides, while they do. */
  operator_hides: { paper_id: string; by_whom: string; reason: string; at: Date }
  picked_lookups: { paper_id: string; asked_at: Date; times: Generated<number> }
  suggestions: {
    id: Generated<string>
    paper_id: string
    note: string | null
    at: Date
    decided_at: Date | null
    decided_by: string | null
    decision: 'picked' | 'declined' | null
  }

  // How sources are asked.
  source_refreshes: { source: string; tried_at: Date; succeeded_at: Date | null; error: string | null }
  source_feeds: { source: string; etag: string | null; last_modified: string | null; batch_day: string | null }
  source_permits: {
    source: string
    next_at: Date
    holder: string
    not_before: Date | null
    refusals: Generated<number>
  }
  category_questions: { paper_id: string; asked_at: Generated<Date>; times: Generated<number> }
  /** What arXiv first said of the venue of a paper, and when it was last asked. */
  venue_questions: { paper_id: string; asked_at: Generated<Date>; venue: string | null }

  // Subscribers, and how they come and are kept from being mailed.
  subscribers: {
    id: Generated<string>
    email: string | null
    state: SubscriberState
    topics: string[]
    keywords: Generated<string[]>
    authors: Generated<string[]>
    muted: Generated<string[]>
    when_empty: Generated<WhenEmpty>
    trending: Generated<boolean>
    announcements: Generated<boolean>
    digest_papers: DigestSize | null
    least_papers: Generated<LeastPapers>
    at_once: Generated<boolean>
    frequency: Frequency
    hour: number
    weekday: number
    time_zone: string
    epoch: Generated<number>
    requested_at: Date
    confirmed_at: Date | null
    paused_until: string | null
    next_due_at: Date | null
    last_digest_id: number | null
    last_cutoff: Date | null
    last_due_at: Date | null
    last_local_date: string | null
    previous_digest_id: number | null
    previous_cutoff: Date | null
    previous_due_at: Date | null
    previous_local_date: string | null
    left_at: Date | null
    moved_to: string | null
    moved_from: string | null
    changed_by_link_on: string | null
    changed_by_link: string[] | null
    /** What the next digest proposes, in `taste_proposals`. */
    proposal_id: number | null
    before_reduction: BeforeReduction | null
    missed_digests: SkippedDigests[] | null
    /** Whether a taste is on and holds something. */
    has_taste: Generated<boolean>
    /** The groups that they are in. */
    group_ids: Generated<string[]>
    /** Whether they get what these bring alone. */
    only_groups: Generated<boolean>
  }
  taste_presses: { subscriber_id: string; paper_id: string; direction: Direction; at: Date }
  tastes: {
    subscriber_id: string
    is_on: Generated<boolean>
    terms: Generated<string[]>
    labels: Generated<string[]>
    weights: Generated<number[]>
    moved_at: Date
    removed: Generated<string[]>
    removed_labels: Generated<string[]>
    revision: Generated<number>
  }
  taste_proposals: {
    id: Generated<number>
    subscriber_id: string
    kind: ProposalKind
    value: string
    label: string
    presses: number
    proposed_at: Date
    answer: 'accepted' | 'declined' | null
    answered_at: Date | null
  }
  sign_ups: {
    id: Generated<number>
    kind: 'subscribe' | 'links' | 'move' | 'vote'
    email: string
    preferences: Preferences | null
    requested_at: Date
    attempts: Generated<number>
    set_aside_at: Date | null
    reason: string | null
    ticket: string | null
    client: Buffer | null
    proven: Generated<boolean>
    not_before: Date | null
    origin: ConsentOrigin | null
    moves: Move | null
    paper_id: string | null
    group_id: string | null
  }
  sign_up_counts: { scope: Buffer; window_at: Date; count: number; previous: number }
  set_aside_subscribers: {
    subscriber_id: string
    due_at: Date
    retry_at: Date
    attempts: Generated<number>
    reason: string
    set_aside_at: Generated<Date>
  }
  letter_limits: { mailbox: Buffer; kind: string; last_at: Date; times: number }
  suppressions: {
    email: string
    reason: string
    code: string | null
    source: string
    created_at: Generated<Date>
    class: SuppressionClass
    diagnostic: string | null
    state_before: string | null
    paused_before: string | null
    edition_id: number | null
  }
  erased_addresses: { address_hash: Buffer; class: SuppressionClass | 'erased'; erased_at: Date }
  legacy_links: { token_hash: Buffer; subscriber_id: string; at: Date }
  subscriber_imports: {
    import_key: Buffer
    begun_at: Date
    rows_done: Generated<number>
    report_octets: Generated<number>
    counts: ImportCounts
  }
  suppression_log: {
    id: Generated<number>
    at: Generated<Date>
    email: string
    change: 'added' | 'removed'
    class: SuppressionClass
    by_whom: string
    why: string
  }

  // Groups of readers, who is in them, and the list that each gets for a week.
  groups: {
    id: Generated<string>
    name: string
    trending: boolean
    topics: string[]
    keywords: string[]
    authors: string[]
    muted: string[]
    digest_papers: DigestSize | null
    weekday: number
    maker_id: string
    epoch: Generated<number>
    made_at: Date
  }
  group_members: { group_id: string; subscriber_id: string; joined_at: Date }
  group_lists: { group_id: string; local_date: string; cutoff: Date; entries: DigestEntry[] }

  // Consent: what shows that somebody asked for the mail.
  consent_wordings: { hash: Buffer; version: string; wording: string }
  consent_records: {
    id: Generated<number>
    at: Date
    event: ConsentEvent
    subscriber_id: string
    address_hash: Buffer
    source: string
    form: string | null
    language: string | null
    wording: Buffer | null
    frequency: Frequency | null
    letter_id: string | null
    requested_at: Date | null
  }
  consent_details: { record_id: number; client: string | null; preferences: Preferences | null }

  // Editions and their digests.
  last_tick: { single: Generated<boolean>; at: Date }
  service_hold: {
    single: Generated<boolean>
    held_at: Generated<Date>
    by_whom: string | null
    why: string
    restored_from: Date | null
  }
  editions: {
    id: Generated<number>
    cutoff: Date
    begun_at: Generated<Date>
    published_at: Date | null
    due: Generated<number>
    completed_at: Date | null
    totals: StateCount[] | null
    checked_at: Date | null
    missing: Generated<number>
    paused_at: Date | null
    paused_by: string | null
    paused_why: string | null
    alarmed_at: Date | null
    canceled_at: Date | null
    canceled_by: string | null
    canceled_why: string | null
    due_again: Generated<boolean>
    canceled: Generated<number>
    /** The last digest whose papers are counted in `paper_digests`, and the completion by which they were. */
    papers_counted_to: number | null
    papers_counted_at: Date | null
  }
  digests: {
    id: Generated<number>
    edition_id: number | null
    cohort_key: Buffer
    kind: DigestKind
    local_date: string
    topics: string[]
    keywords: Generated<string[]>
    authors: Generated<string[]>
    trending: Generated<boolean>
    cutoff: Date
    entries: DigestEntry[]
    list_days: string[]
    /** Read by the release before alone, which shows it as `listed`. */
    considered: number
    /** How many papers were listed on `list_days` by the cut-off; `null` in digests of the release before. */
    listed: number | null
    recently_sent: Record<string, string>
    empty_since: string | null
    note: string | null
    sample: boolean
    news: Generated<FrozenNews[]>
    /** The papers that it sends itself; `null` in digests of the release before. */
    papers: string[] | null
    /** What it leaves for the next. */
    untold_news: Generated<FrozenNews[]>
    offer: TopicOffer | null
    /** Whether a taste ordered it. */
    by_taste: Generated<boolean>
    untold: UntoldBefore | null
  }

  // The outbox: mails, the routes that take less of them for now, and the caps on what they are sent.
  letters: OutboxMail & {
    id: Generated<string>
    /** `null` of a letter to a curator. */
    subscriber_id: string | null
    curator_id: string | null
    kind: LetterKind
    digest_id: number | null
    requested_at: Date
    preferences: Preferences | null
    used_at: Date | null
    moves: Move | null
    paper_id: string | null
    group_id: string | null
  }
  deliveries: OutboxMail & {
    local_date: string
    id: string
    subscriber_id: string
    edition_id: number
    digest_id: number
    failed_before: string | null
    /** What it proposes to its reader, in `taste_proposals`; `null` mostly. */
    proposal_id: number | null
  }
  announcements: {
    id: Generated<number>
    subject: string
    body: string
    content_hash: Buffer
    topics: string[] | null
    again: boolean
    is_test: Generated<boolean>
    send_at: Date
    written_at: Generated<Date>
    written_by: string | null
    addressed_to: string | null
    published_at: Date | null
    due: Generated<number>
    completed_at: Date | null
    totals: StateCount[] | null
    checked_at: Date | null
    missing: Generated<number>
    paused_at: Date | null
    paused_by: string | null
    paused_why: string | null
    alarmed_at: Date | null
    canceled_at: Date | null
    canceled_by: string | null
  }
  announcement_mails: OutboxMail & {
    id: string
    announcement_id: number
    subscriber_id: string
    failed_before: string | null
  }
  throttled_routes: {
    kind: 'relay' | 'destination'
    name: string
    domains: string[]
    cause: ThrottleCause
    reason: string
    since: Generated<Date>
    changed_at: Generated<Date>
    not_before: Date
    concurrency: number
    successes: number
    failures: number
  }
  send_limits: {
    kind: 'relay' | 'destination'
    name: string
    domains: string[]
    per_second: number | null
    per_hour: number | null
    per_day: number | null
    from_settings: Generated<boolean>
    next_slot: Date | null
    warm_up_limit: number | null
    warm_up_growth: number | null
    warm_up_until: number | null
    warm_up_since: Date | null
    warm_up_sent: Generated<number>
  }
  send_counts: { kind: 'relay' | 'destination'; name: string; minute: Date; mails: number }

  // Feedback: what came back of mails.
  mail_feedback: {
    mail_id: string
    kind: 'bounce' | 'complaint'
    stream: MailStream
    subscriber_id: string
    edition_id: number | null
    announcement_id: number | null
    class: BounceClass | null
    code: string | null
    diagnostic: string | null
    source: string
    at: Generated<Date>
  }
  provider_events: { provider: string; event: string; at: Generated<Date> }

  // Alarms: what is wrong with the service, and the notices of it to the operator.
  alarms: {
    id: Generated<number>
    kind: AlarmKind
    subject: string
    title: string
    detail: string
    advice: string
    raised_at: Date
    seen_at: Date
    cleared_at: Date | null
  }
  alarm_notices: {
    alarm_id: number
    event: AlarmEvent
    channel: AlarmChannel
    next_attempt_at: Date
    attempts: Generated<number>
    sent_at: Date | null
    error: string | null
  }

  // Operators, and what was done by whom.
  operators: {
    id: Generated<string>
    name: string
    role: OperatorRole
    /** `null` once they are none any more. */
    token_hash: Buffer | null
    added_at: Date
    ended_at: Date | null
    last_seen_at: Date | null
  }
  operator_sessions: {
    token_hash: Buffer
    /** `null` of whoever has the ADMIN_TOKEN. */
    operator_id: string | null
    credential: Buffer
    begun_at: Date
    seen_at: Date
    ends_at: Date
    message: string | null
  }
  audit_log: {
    id: Generated<number>
    at: Date
    by_whom: string
    via: 'admin' | 'command'
    action: string
    subject: string | null
    detail: Generated<Record<string, unknown>>
    undoes: number | null
  }

  // Who is told of events by webhook, and of what.
  webhook_endpoints: {
    id: Generated<string>
    url: string
    events: (WebhookEvent | 'group.list')[]
    with_addresses: boolean
    any_network: boolean
    secret_epoch: Generated<number>
    former_secret_until: Date | null
    added_at: Date
    added_by: string
    failing_since: Date | null
    failures: Generated<number>
    not_before: Date | null
    disabled_at: Date | null
    disabled_why: string | null
    /** `null` of a receiver of the operator's. */
    group_id: string | null
  }
  webhook_messages: {
    id: Generated<string>
    endpoint_id: string
    event: MessageType
    at: Date
    subscriber_id: string | null
    data: Record<string, unknown>
    attempts: Generated<number>
    next_attempt_at: Date | null
    delivered_at: Date | null
  }
  webhook_attempts: {
    message_id: string
    attempt: number
    at: Date
    milliseconds: number
    status: number | null
    error: string | null
  }

  /** Figures by the UTC day; a day that was counted has a row for each label. */
  daily_figures: { name: string; day: string; label: string; count: number; counted_at: Date }
}

export type Database = Kysely<Tables>

/** Type ids of Postgres (`pg_type.oid`). */
const INT8 = 20
const DATE = 1082
const DATE_ARRAY = 1182
const TEXT_ARRAY = 1009
const UUID_ARRAY = 2951

/** An array of which no element is null or quoted, as arrays of ids and words are mostly. */
const PLAIN_ARRAY = /^\{(?!.*\bNULL\b)[^"\\{}]*\}$/is
const splitArray = (text: string): string[] => (text === '{}' ? [] : text.slice(1, -1).split(','))

/** Dates stay text: a JavaScript Date would shift them by the machine's own zone. Our ids fit a double exactly. */
const parsers = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number
    if (oid === DATE) return String
    if (oid === DATE_ARRAY) return splitArray
    const parse = types.getTypeParser(oid, format)
    // An edition reads millions of them, and the usual parser goes by single characters.
    if (oid === TEXT_ARRAY || oid === UUID_ARRAY)
      return (text: string) => (PLAIN_ARRAY.test(text) ? splitArray(text) : parse(text))
    return parse
  },
}

/**
 * Milliseconds for which a transaction may wait for its own process. One that was stopped in the middle of a transaction
 * would keep its locks, and so keep others from their work, for as long as it stands still.
 */
const MOST_IDLE = 60_000

/**
 * Opens a pool of at most `connections` connections to the schema `public`, each made when it is first needed and given up
 * after 10 seconds. `name` is what the server shows of them. `onError` is called for idle connections that broke (a
 * restarted server); queries in flight reject by themselves. Close it with `destroy()`.
 */
export const openDatabase = (
  url: string,
  options: {
    connections: number
    name: string
    onError: (error: Error) => void
    /** Called when a query failed because the schema has no such table or column (any more). */
    onMissing?: () => void
    /** Called when a query failed because the server's disk is full. */
    onFull?: () => void
  },
): Database => {
  const pool = new Pool({
    connectionString: url,
    max: options.connections,
    application_name: options.name,
    options: `-c search_path=public -c timezone=UTC -c idle_in_transaction_session_timeout=${MOST_IDLE}`,
    types: parsers,
    connectionTimeoutMillis: 10_000,
  })
  pool.on('error', (error) => {
    // A server that stops right after us still sends an error to connections that are being closed.
    if (!pool.ending) options.onError(error)
  })
  // The pool does not listen to a client in use, and an error event without a listener would end the process. The user of
  // the client learns of it by the statement that fails.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const log = ({ level, ...event }: LogEvent): void => {
    if (level !== 'error') return
    const { error } = event as { error?: unknown }
    if (isMissing(error)) options.onMissing?.()
    if (isDiskFull(error)) options.onFull?.()
  }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), log })
}
