/** Where an installation's papers come from, as readers are told it. */
import type { SourceName } from './paper.ts'

/** A source with the categories that are read of it; of all where there are none. */
export interface ReadSource {
  kind: SourceName
  categories?: readonly string[]
}

/** Names of the servers that are read by categories. */
const SERVERS: Partial<Record<SourceName, string>> = { arxiv: 'arXiv', biorxiv: 'bioRxiv', medrxiv: 'medRxiv' }

const OTHERS: Partial<Record<SourceName, string>> = {
  huggingface: 'the daily list of Hugging Face',
  file: 'files of this site',
  sample: 'our sample',
}

/** `the daily list of Hugging Face`, `arXiv (cs.CL, cs.LG)`, `bioRxiv`: each once, in the order given. */
export const sourcesRead = (sources: readonly ReadSource[]): string[] => [
  ...new Set(
    sources.map(({ kind, categories = [] }) => {
      const server = SERVERS[kind]
      if (server === undefined) return OTHERS[kind] ?? kind
      return categories.length === 0 ? server : `${server} (${categories.join(', ')})`
    }),
  ),
]
