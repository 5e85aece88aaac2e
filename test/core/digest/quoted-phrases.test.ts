/** What of a paper is quoted to readers as the reason for a topic. */
import { describe, expect, test } from 'vitest'
import { explainedFits } from '../../../src/core/digest/quoted-phrases.ts'
import type { Fit } from '../../../src/core/digest/ranking.ts'
import type { Match } from '../../../src/core/relevance/relevance.ts'
import { scoreTopics } from '../../../src/core/relevance/relevance.ts'

const fitOf = (topic: string, score: number, ...found: [words: string, field: Match['field']][]): Fit | undefined => {
  const matches = found.map(([words, field]): Match => ({ words, field, kind: 'phrase' }))
  return explainedFits([{ topic, score, matches }])[0]
}
const quoted = (topic: string, ...found: [words: string, field: Match['field']][]): string[] | null =>
  fitOf(topic, 0.99, ...found)?.matches.map(({ words }) => words) ?? null

describe('the reason for a topic', () => {
  test('quotes phrases of the topic as the paper writes them', () => {
    expect(quoted('gui-agents', ['GUI Agents', 'title'], ['screenshots', 'abstract'])).toEqual([
      'GUI Agents',
      'screenshots',
    ])
    expect(quoted('video-generation', ['video diffusion-based', 'title'])).toEqual(['video diffusion-based'])
  })

  test('quotes no words that stand in others that it quotes', () => {
    expect(quoted('video-generation', ['Text-to-Video', 'title'], ['Text-to-Video Diffusion Models', 'title'])).toEqual(
      ['Text-to-Video Diffusion Models'],
    )
    expect(quoted('video-generation', ['video generation', 'title'], ['text-to-video generation', 'abstract'])).toEqual(
      ['video generation', 'text-to-video generation'],
    )
  })

  test('quotes a single word that only hints, in titles and where most papers that have it there are of the topic', () => {
    expect(quoted('agents', ['Agents', 'title'])).toEqual(['Agents'])
    expect(quoted('agents', ['agents', 'abstract'])).toBeNull()
    expect(quoted('agents', ['tool use', 'abstract'], ['agents', 'abstract'])).toEqual(['tool use'])
  })

  test('quotes what is telling only beside others as long as that is not all', () => {
    const hints: [string, Match['field']][] = [
      ['theoretical analysis', 'abstract'],
      ['momentum', 'abstract'],
    ]
    expect(fitOf('theory-optimization', 0.999, ...hints)?.matches.map(({ words }) => words)).toEqual([
      'theoretical analysis',
      'momentum',
    ])
    for (const hint of hints) expect(quoted('theory-optimization', hint)).toBeNull()
  })

  test('takes no phrase that the word before it turns into another', () => {
    expect(quoted('world-models', ['world model', 'title'])).toEqual(['world model'])
    expect(quoted('world-models', ['real-world model', 'title'])).toBeNull()
    expect(quoted('agents', ['Zero-LLM Agent', 'title'])).toBeNull()
  })

  test('is never the name of a benchmark or a model alone, and quotes one after other words', () => {
    expect(quoted('reasoning', ['DeepSeek-R1', 'abstract'])).toBeNull()
    expect(quoted('reasoning', ['DeepSeek-R1', 'title'])).toBeNull()
    expect(quoted('reasoning', ['DeepSeek-R1', 'abstract'], ['long chain-of-thought', 'abstract'])).toEqual([
      'long chain-of-thought',
      'DeepSeek-R1',
    ])
  })

  test('takes no word that only qualifies the subject', () => {
    expect(quoted('rag-retrieval', ['Retrieval-Oriented', 'title'])).toBeNull()
    expect(quoted('efficient-inference', ['cache-aware', 'title'])).toBeNull()
    expect(quoted('3d-vision', ['novel view-time', 'abstract'], ['Gaussian Splatting', 'title'])).toEqual([
      'Gaussian Splatting',
    ])
    expect(quoted('rag-retrieval', ['Retrieval-Augmented', 'title'])).toEqual(['Retrieval-Augmented'])
    expect(quoted('agents', ['Agent-Native', 'title'], ['LLM agents', 'abstract'])).toEqual(['LLM agents'])
  })

  test('is none where the paper hardly is squarely about the topic, and of theory where it is not very likely', () => {
    expect(fitOf('theory-optimization', 0.94, ['Gradient Flow', 'title'])).toBeUndefined()
    expect(fitOf('theory-optimization', 0.998, ['Gradient Flow', 'title'])).toBeDefined()
    expect(fitOf('3d-vision', 0.75, ['3D scenes', 'abstract'], ['point clouds', 'abstract'])).toBeUndefined()
  })

  test('takes no word within a name', () => {
    expect(quoted('3d-vision', ['3D', 'title'])).toEqual(['3D'])
    expect(quoted('3d-vision', ['3D-VCD', 'title'])).toBeNull()
    expect(quoted('rl-llm', ['RL', 'title'])).toEqual(['RL'])
    expect(quoted('rl-llm', ['UniDoc-RL', 'title'])).toBeNull()
    expect(quoted('vlm', ['LMMs', 'abstract'])).toEqual(['LMMs'])
    expect(quoted('vlm', ['LMM-Searcher', 'abstract'])).toBeNull()
    expect(quoted('vlm', ['LLaVA-1.5-7B', 'abstract'])).toBeNull()
  })

  test.each([
    ['evaluation', 'Tests'],
    ['evaluation', 'ACES'],
    ['finetuning-distillation', 'Learners'],
    ['data', 'children'],
    ['multilingual-nlp', 'POS'],
    ['recsys', 'Click'],
    ['evaluation', 'reveals'],
    ['interpretability', 'mechanisms'],
    ['data', 'publicly available'],
    ['vlm', 'Image'],
    ['medical-bio', 'Brain'],
    ['perception', 'Detection'],
    ['perception', 'Recognition'],
    ['math-formal', 'symbolic'],
    ['theory-optimization', 'calibration'],
    ['theory-optimization', 'Gradient'],
    ['recsys', 'Personalized'],
    ['rag-retrieval', 'Embedding'],
    ['3d-vision', 'Viewpoints'],
  ])(
    'never quotes for %s a learnt or common word such as %j, and without another the paper does not go',
    (topic, word) => {
      expect(quoted(topic, [word, 'title'])).toBeNull()
      expect(quoted(topic, [word, 'abstract'])).toBeNull()
    },
  )

  test('takes some common words in a title', () => {
    expect(quoted('code', ['Code', 'title'])).toEqual(['Code'])
    expect(quoted('code', ['code', 'abstract'])).toBeNull()
  })

  test('quotes no fragment of a word with hyphens', () => {
    const [best] = scoreTopics({
      title: 'Non-autoregressive text-to-speech-synthesis and Pre-VLMs-era captioning',
      abstract: 'We study multi-speaker text-to-speech with expressive voices, and speech recognition.',
    }).filter(({ topic }) => topic === 'speech-audio')
    expect(best?.matches.map(({ words }) => words)).toContain('text-to-speech-synthesis')
  })

  test('is of a paper squarely about the topic the more, the better it fits and the more the title tells', () => {
    const squarely = (score: number, field: Match['field']) =>
      fitOf('robotics', score, ['humanoid robots', field])?.squarely ?? 0
    expect(squarely(0.99, 'title')).toBeGreaterThan(squarely(0.99, 'abstract'))
    expect(squarely(0.99, 'abstract')).toBeGreaterThan(squarely(0.9, 'abstract'))
    expect(fitOf('robotics', 0.55, ['humanoid robots', 'abstract'])).toBeUndefined()
  })
})
