/** The sources of papers that the settings name, each with the functions that read it. */
import {
  ARXIV_RATE_LIMIT,
  fetchArxivFeed,
  fetchArxivMetadata,
  fetchArxivPapers,
  MAX_IDS,
} from '../src/adapters/sources/arxiv.ts'
import { fetchHuggingFaceDay, HUGGING_FACE_RATE_LIMIT } from '../src/adapters/sources/hugging-face.ts'
import { readPaperFiles } from '../src/adapters/sources/paper-files.ts'
import { fetchPreprintDay, PREPRINT_RATE_LIMIT } from '../src/adapters/sources/preprints.ts'
import { samplePapers } from '../src/adapters/sources/sample-papers.ts'
import { lateBatch } from '../src/core/papers/arxiv-announcement.ts'
import type { PaperLookup } from '../src/newsletter/curation/picked-papers.ts'
import type { Source } from '../src/newsletter/source.ts'
import type { Config } from './config/config.ts'
import type { SourceSetting } from './config/sources.ts'

const PREPRINT_ARCHIVE_DAYS = 14

/** In the order of the setting; nothing is read yet. `preprintUrl`: in place of bioRxiv's interface, for tests. */
export const openSources = (config: Pick<Config, 'sources' | 'baseUrl'>, preprintUrl?: string): Source[] =>
  config.sources.map((setting) => openSource(setting, config.baseUrl, preprintUrl))

/** Where picked papers are asked for, whatever the sources are. `arxivUrl`: in place of arXiv, for tests. */
export const openPaperLookup = ({ baseUrl: contact }: Pick<Config, 'baseUrl'>, arxivUrl?: string): PaperLookup => ({
  rateLimit: ARXIV_RATE_LIMIT,
  fetchPapers: (ids, context) =>
    fetchArxivPapers(ids, { ...context, contact, ...(arxivUrl === undefined ? {} : { baseUrl: arxivUrl }) }),
  maxIds: MAX_IDS,
})

const openSource = (setting: SourceSetting, contact: string, preprintUrl: string | undefined): Source => {
  switch (setting.kind) {
    case 'huggingface':
      return {
        kind: 'days',
        name: 'huggingface',
        label: 'huggingface',
        rateLimit: HUGGING_FACE_RATE_LIMIT,
        fetchDay: (day, now, context) => fetchHuggingFaceDay(day, { ...context, now, contact }),
      }
    case 'arxiv':
      return {
        kind: 'feed',
        name: 'arxiv',
        label: `arxiv:${setting.categories.join('+')}`,
        rateLimit: ARXIV_RATE_LIMIT,
        fetchFeed: (known, now, context) => fetchArxivFeed(setting.categories, known, now, { ...context, contact }),
        lateBatch,
        fetchMetadata: (ids, context) => fetchArxivMetadata(ids, { ...context, contact }),
        maxIds: MAX_IDS,
      }
    case 'biorxiv':
    case 'medrxiv':
      return {
        kind: 'days',
        name: setting.kind,
        label: setting.categories.length === 0 ? setting.kind : `${setting.kind}:${setting.categories.join('+')}`,
        rateLimit: PREPRINT_RATE_LIMIT,
        fetchDay: (day, now, context) =>
          fetchPreprintDay(setting.kind, setting.categories, day, { ...context, now, contact, baseUrl: preprintUrl }),
        // Some 200 papers a day, at weekends too: as many days as digests may look back.
        archiveDays: PREPRINT_ARCHIVE_DAYS,
        everyDay: true,
      }
    case 'file':
      return {
        kind: 'whole',
        label: `file:${setting.path}`,
        read: (now) => readPaperFiles(setting.path, { today: now.toISOString().slice(0, 10) }),
      }
    case 'sample':
      return {
        kind: 'whole',
        label: 'sample',
        async *read() {
          yield { source: 'sample' as const, listings: samplePapers() }
        },
      }
  }
}
