/** Libraries as a recording site reads them: by the real readers, with a topic that every title with "agent" fits. */
import { decodeLibrary, readLibrary } from '../../../src/core/library/library.ts'
import { suggestByLibrary } from '../../../src/core/library/library-suggestions.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import type { Libraries } from '../../../src/newsletter/libraries.ts'

const JUDGE = {
  topics: DEFAULT_TOPICS.all,
  score: ({ title }: { title: string }) => (/agent/i.test(title) ? [{ topic: 'agents', score: 0.9, matches: [] }] : []),
  vocabulary: { papers: 1_000, terms: ['agent', 'voyage'], frequencies: Uint16Array.of(300, 2), usualLength: 1 },
  measured: [],
  judged: 0,
}

export const createRecordedLibraries = (): Libraries => ({
  suggest: async (octets) => suggestByLibrary(readLibrary(decodeLibrary(octets)), [], JUDGE),
})
