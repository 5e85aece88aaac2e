/** A digest as its readers see it: the frozen list, with the texts of the revisions it was composed from. */
import type { DigestEntry, DigestIssue, PaperCard } from '../../core/digest/digest.ts'
import { longDate } from '../../core/digest/headline.ts'
import { interestsOf } from '../../core/digest/interests.ts'
import { cardOf, followedAuthors, keywordInAbstract } from '../../core/digest/paper-card.ts'
import { compactReasonOf, digestReasonOf, groupReasonOf } from '../../core/digest/reason.ts'
import type { ExcerptedPaper } from '../../core/papers/paper-excerpt.ts'
import { newsLine } from '../../core/papers/paper-news.ts'
import { followedLabels, followsOnlyTrending, topicLabel } from '../../core/subscriber/followed.ts'
import { plainTitle } from '../../core/text/latex.ts'
import type { Database } from '../../store/database.ts'
import type { Digest, NewDigest } from '../../store/digests.ts'
import { readTexts } from '../../store/papers/papers.ts'

/** What `readIssue` needs of a digest, stored or not. */
type FrozenDigest = Pick<
  Digest,
  | 'kind'
  | 'local_date'
  | 'trending'
  | 'topics'
  | 'keywords'
  | 'authors'
  | 'entries'
  | 'list_days'
  | 'listed'
  | 'cutoff'
  | 'note'
  | 'sample'
  | 'news'
  | 'offer'
  | 'by_taste'
>

/** The entries of a weekly digest by topic, ranked within it; the topic of the best entry comes first. */
const groupByTopic = (entries: DigestEntry[]): { topic: string | null; entries: DigestEntry[] }[] =>
  [...Map.groupBy(entries, ({ topic }) => topic)].map(([topic, own]) => ({ topic, entries: own }))

type CardsOf = (entries: DigestEntry[], reasonOf?: (entry: DigestEntry) => string) => PaperCard[]

/** What the lists of groups brought, a section each. */
const sectionsOf = (entries: DigestEntry[], cardsOf: CardsOf): NonNullable<DigestIssue['sections']> =>
  [...Map.groupBy(entries, ({ group }) => group?.name)].flatMap(([name, some]) =>
    name === undefined ? [] : [{ name, cards: cardsOf(some, groupReasonOf) }],
  )

/** Throws when a paper of the digest has lost the revision that was frozen. */
export const readIssue = async (db: Database, digest: FrozenDigest): Promise<DigestIssue> => {
  const texts = await readTexts(db, [
    ...digest.entries.flatMap((entry) => [entry, ...(entry.seeAlso ?? []), ...(entry.twinOf ? [entry.twinOf] : [])]),
    ...digest.news,
  ])
  const textOf = ({ paperId, revision }: { paperId: string; revision: number }): ExcerptedPaper => {
    const paper = texts.get(paperId)
    if (paper === undefined) throw new Error(`paper ${paperId} has no revision ${revision}`)
    return paper
  }
  const ofReader = digest.entries.filter(({ group }) => group === undefined)
  const ofTopics = ofReader.filter((entry) => entry.topic !== null)
  const own = ofTopics.filter(({ compact }) => compact !== true)
  const also = ofTopics.filter(({ compact }) => compact === true)
  const groups = digest.kind === 'weekly' ? groupByTopic(own) : []
  const cardsOf = (entries: DigestEntry[], reasonOf = digestReasonOf): PaperCard[] =>
    entries.map((entry) => ({
      ...cardOf(textOf(entry), {
        reason: reasonOf(entry),
        upvotes: entry.upvotes,
        comments: entry.comments,
        shownOn: digest.local_date,
        keyword: keywordInAbstract(entry),
        followed: followedAuthors(entry),
        seeAlso: (entry.seeAlso ?? []).map(textOf),
      }),
      ...(entry.pick?.pinned ? { pinned: true as const } : {}),
      ...(entry.again ? { again: true as const } : {}),
    }))
  const labels = followedLabels(digest)
  // In the order of the labels.
  const interests = interestsOf(digest)
  const brought = new Set(ofTopics.map(({ topic }) => topic))
  return {
    kind: digest.kind,
    localDate: digest.local_date,
    listDays: digest.list_days,
    topics: labels,
    ...(followsOnlyTrending(digest) ? { onlyTrending: true } : {}),
    ...(digest.entries.some(({ readers, pick }) => (readers ?? pick) !== undefined) ? { endorsed: true } : {}),
    ...(digest.by_taste ? { byTaste: true } : {}),
    ...(digest.kind === 'weekly' ? { silent: labels.filter((_, n) => !brought.has(interests[n] ?? null)) } : {}),
    cards:
      groups.length < 2
        ? cardsOf(own)
        : cardsOf(
            groups.flatMap((group) => group.entries),
            (entry) => digestReasonOf(entry, true),
          ),
    ...(also.length === 0
      ? {}
      : {
          also: cardsOf(also, (entry) =>
            compactReasonOf(entry, entry.twinOf && plainTitle(textOf(entry.twinOf).title)),
          ),
        }),
    groups:
      groups.length < 2
        ? []
        : groups.map(({ topic, entries }) => ({
            label: labels[interests.indexOf(topic ?? '')] ?? topic ?? '',
            papers: entries.length,
          })),
    ...(ofReader.length === digest.entries.length ? {} : { sections: sectionsOf(digest.entries, cardsOf) }),
    trendingExtras: cardsOf(ofReader.filter((entry) => entry.topic === null)),
    news: digest.news.map((one) => {
      const { title, url } = cardOf(textOf(one), { reason: '', upvotes: null, comments: null })
      return {
        kind: one.kind,
        title,
        url: one.kind === 'code' ? textOf(one).codeUrl : url,
        line: newsLine(one, longDate),
      }
    }),
    listed: digest.listed,
    cutoff: digest.cutoff.toISOString(),
    note: digest.note,
    sample: digest.sample,
    ...(digest.offer === null ? {} : { offer: { ...digest.offer, label: topicLabel(digest.offer.topic) } }),
  }
}

/** The same of a digest that is not stored, such as a preview. */
export const readUnstoredIssue = (db: Database, digest: NewDigest): Promise<DigestIssue> =>
  readIssue(db, {
    ...digest,
    local_date: digest.localDate,
    list_days: digest.listDays,
    by_taste: digest.byTaste ?? false,
  })
