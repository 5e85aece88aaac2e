/** The sources of papers that the settings name, each with its way of reading. */
import { fetchHuggingFaceDay } from '../src/adapters/hugging-face.ts'
import { readPaperFiles } from '../src/adapters/paper-files.ts'
import { samplePapers } from '../src/adapters/sample-papers.ts'
import type { Source } from '../src/newsletter/intake.ts'
import type { Config, SourceSetting } from './config.ts'

/** In the order of the setting; nothing is read yet. */
export const openSources = (config: Pick<Config, 'sources' | 'baseUrl'>): Source[] =>
  config.sources.map((setting) => openSource(setting, config.baseUrl))

const openSource = (setting: SourceSetting, contact: string): Source => {
  switch (setting.kind) {
    case 'huggingface':
      return {
        kind: 'days',
        name: 'huggingface',
        label: 'huggingface',
        fetchDay: (day, now) => fetchHuggingFaceDay(day, { now, contact }),
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
