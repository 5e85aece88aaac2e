/** What one digest is composed from: what its readers chose, what they were sent before, and what it is to tell of that. */
import type { DigestEntry, DigestKind } from '../../core/digest/digest.ts'
import { NOTHING_NEW, skippedAsEmpty } from '../../core/digest/empty-digest.ts'
import {
  joinSkipped,
  NOTHING_UNTOLD,
  type SkippedDigests,
  type UntoldBefore,
} from '../../core/digest/skipped-digests.ts'
import type { GroupSection } from '../../core/groups/group-list.ts'
import type { FrozenNews } from '../../core/papers/paper-news.ts'
import type { Due } from '../../core/subscriber/due.ts'
import type { Frequency, Profile } from '../../core/subscriber/preferences.ts'
import type { PreviousDigest } from '../../store/digests.ts'

export interface DigestRequest {
  kind: DigestKind
  profile: Profile
  /** The subscribers' date, `YYYY-MM-DD`. */
  localDate: string
  /** Only papers that became eligible later are chosen. */
  since: Date
  /** Papers sent before that are still among the candidates. */
  recentlySent: string[]
  /** What the digest begins with: of topics that are gone (`goneTopicsLine`). */
  note: string | null
  /** What it is to tell of the digests before it (`untoldBefore`); absent where there is nothing. */
  untold?: UntoldBefore
  /** Slugs that its subscribers chose and that are no topics now; the profile is without them. */
  goneTopics?: readonly string[]
  /** What has become of papers sent before, and what of it is left for later digests (`sent-news`). */
  news: FrozenNews[]
  untoldNews?: FrozenNews[]
  /** What the lists of its readers' groups bring; absent mostly. */
  sections?: readonly GroupSection[]
}

/** What the lists of its readers' groups bring, as entries. */
export const sectionEntries = ({ sections = [] }: Pick<DigestRequest, 'sections'>): DigestEntry[] =>
  sections.flatMap(({ entries }) => entries)

/**
 * What a digest due at `now` is to tell: what the one before it left, and digests that were due since and not published
 * (`missed`). Of an empty one of the release before, its note holds why it was.
 */
export const untoldBefore = (
  previous: PreviousDigest | undefined,
  missed: readonly SkippedDigests[],
  frequency: Frequency,
  now: Due,
): UntoldBefore => {
  if (previous === undefined) return { ...NOTHING_UNTOLD, skipped: joinSkipped([...missed]) }
  const { untold, emptySince, localDate, note } = previous
  const empty =
    untold === null && emptySince !== null
      ? skippedAsEmpty({ from: emptySince, to: localDate, frequency }, now, note ?? NOTHING_NEW)
      : []
  const { skipped, atOnce } = untold ?? NOTHING_UNTOLD
  return { skipped: joinSkipped(skipped, empty, [...missed]), atOnce }
}
