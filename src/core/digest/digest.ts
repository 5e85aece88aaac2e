/** The shapes of a digest: what is frozen when it is composed, and what a reader is shown. */
import type { NewsKind } from '../papers/paper-news.ts'
import type { InterestMatch } from './ranking.ts'

/** One paper of a digest as frozen in the database; texts come from the paper's stored revision. */
export interface DigestEntry {
  paperId: string
  /** The revision of the paper's texts that was current when the digest was composed. */
  revision: number
  /** The interest that brought the paper (`interests`), what trends among them; `null` for a trending extra. */
  topic: string | null
  /** Words of that interest found in the paper, best first, at most three. */
  matches: InterestMatch[]
  /** Papers that say nearly the same and stand under this one; absent where there are none. */
  seeAlso?: { paperId: string; revision: number }[]
  /** What was sent before and says nearly the same; absent mostly. Such an entry is compact. */
  twinOf?: { paperId: string; revision: number }
  upvotes: number | null
  comments: number | null
  /** When the counts were read, ISO instant; `null` when no source counts. */
  observedAt: string | null
  hourKnown: boolean
  /** Shown in short at the end (`compact-papers`); absent otherwise. */
  compact?: true
  /** "top N% of the month" among papers seen at the same age, 1 to 100; `null` where too little is known to say. */
  topPercent: number | null
  /** How many readers here voted for it, where they are enough to tell (`endorsement`); absent otherwise. */
  readers?: number
  /** The curator who picked or pinned it; absent where none did. */
  pick?: CuratorPick
  /** What in it its reader seems to like, where that lifted it: `“masked diffusion”`, `papers by Ada Lovelace`; else absent. */
  liked?: string[]
  /** Where its upvotes stand among those of its list day, of a paper that is there because it trends; absent otherwise. */
  dayRank?: DayRank
  /** The group whose list brought it, and how many of its members saved it; absent of what its readers follow themselves. */
  group?: { name: string; savedBy: number }
  /** Whether its readers were sent it before: a group's list is the same for all members. Shown in short; absent otherwise. */
  again?: true
}

/** What a curator said of a paper, as it is shown. */
export interface CuratorPick {
  /** The curator's name. */
  by: string
  /** Why, shortened and without double quotes; `null` where nothing was said. */
  note: string | null
  /** Whether it is pinned to the day that is shown. */
  pinned?: true
}

/** The rank of a paper by upvotes among those of its list day. */
export interface DayRank {
  /** `YYYY-MM-DD` */
  listDay: string
  /** 1 for the most upvotes; `null` where it has none. */
  rank: number | null
  /** Whether another has as many. */
  shared: boolean
  /** How many papers are ranked, and how many were listed that day: a paper may have no counts. */
  counted: number
  listed: number
}

/** A topic that the readers of a digest do not follow, and how many of its papers came in the days before. */
export interface TopicOffer {
  /** The slug of the topic. */
  topic: string
  papers: number
  /** When they were listed, `YYYY-MM-DD`, oldest first; absent in digests of the release before. */
  listDays?: string[]
}

/** `at-once`: what stands out, sent to weekly readers between two weekly digests. */
export type DigestKind = 'daily' | 'weekly' | 'welcome' | 'at-once'

/** A paper as a reader sees it, the same in mail and page. */
export interface PaperCard {
  id: string
  title: string
  /** Where the title leads: the arXiv page, else the discussion, else nowhere. */
  url: string | null
  /** Why the paper is here, one plain sentence without a full stop. */
  reason: string
  /** Of the abstract what the paper does, and its result where there is room (`core/text/excerpt`); may be empty. */
  excerpt: string
  /** "A, B, … Z (12)", of an old paper with its year, "A and B · 2022"; empty when no author is known. */
  authors: string
  /** All of them, in the paper's order; for programs. */
  authorNames?: readonly string[]
  /** In the order shown; labels are "PDF", "Code", "Data", "Project", "Discussion (5)". */
  links: { label: string; url: string }[]
  upvotes: number | null
  /** Papers that say nearly the same; they count as sent too. */
  seeAlso: { title: string; url: string | null }[]
  /** Whether it stands before the others since a curator pinned it; absent where not. */
  pinned?: true
  /** Whether it is shown in short, for its reader was sent it before; of a group's paper, absent otherwise. */
  again?: true
}

/** Everything of a digest that is the same for its whole cohort. */
export interface DigestIssue {
  kind: DigestKind
  /** The subscribers' local date, `YYYY-MM-DD`. */
  localDate: string
  /** List days that the papers were taken from, oldest first. */
  listDays: string[]
  /** Labels of the cohort's topics, what trends, its keywords in quotes and its authors among them. */
  topics: string[]
  /** Whether its readers chose what trends, and nothing besides; absent where not. */
  onlyTrending?: true
  /** Whether a reason of it names readers or a curator; absent where none does. */
  endorsed?: true
  /** Whether its reader's taste ordered it; absent where not. */
  byTaste?: true
  /** Those of `topics` that brought no paper, of a weekly digest. */
  silent?: string[]
  cards: PaperCard[]
  /** Papers of the reader's topics that are shown in short, by title and reason alone; absent where there are none. */
  also?: PaperCard[]
  /** How `cards` fall into the topics that brought them, in their order; empty where they stand in one list. */
  groups: { label: string; papers: number }[]
  /** What the lists of its readers' groups bring, a section each; absent where there is none. */
  sections?: { name: string; cards: PaperCard[] }[]
  /** Trending extras, from outside the topics, at most three; empty where `cards` are enough. */
  trendingExtras: PaperCard[]
  /** What became of papers of earlier digests, at most five, withdrawals first; `line` follows the title and a colon. */
  news: { kind: NewsKind; title: string; url: string | null; line: string }[]
  /** How many papers were listed on `listDays` by the cut-off; `null` in digests of the release before, which did not know. */
  listed: number | null
  /** The instant by which papers were listed and upvotes read, ISO. */
  cutoff: string
  /** One line about what was left out before, such as an empty or unreadable day; `null` mostly. */
  note: string | null
  /** True when these are the sample papers that ship with the project. */
  sample: boolean
  /** A topic that its readers do not follow, and its label; absent where none fits. */
  offer?: TopicOffer & { label: string }
}
