/** Thanks to the sources that an installation reads, as its pages say it. */
import type { SourceName } from './paper.ts'

const THANKS = 'Thank you to arXiv for use of its open access interoperability.'

/**
 * What comes from where. Papers of Hugging Face are at arXiv; where papers are of files or the sample, that is taken for
 * granted as well.
 */
export const creditsOf = (sources: readonly SourceName[]): string => {
  const preprints = [
    ...(sources.includes('biorxiv') ? ['bioRxiv'] : []),
    ...(sources.includes('medrxiv') ? ['medRxiv'] : []),
  ]
  const hasOthers = preprints.length === 0 || sources.some((source) => source === 'huggingface' || source === 'arxiv')
  if (!hasOthers)
    return `Titles, authors and excerpts come from ${preprints.join(' and ')}, which ${preprints.length === 1 ? 'counts' : 'count'} no votes.`
  const servers = ['arXiv', ...preprints]
  const [last, ...first] = servers.toReversed()
  const named = first.length === 0 ? last : `${first.toReversed().join(', ')} and ${last}`
  return `Titles, authors and abstracts come from ${named}, upvotes from Hugging Face. ${THANKS}`
}
