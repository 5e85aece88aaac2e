/** What of a paper is quoted to readers as the reason for a topic. */
import { describe, expect, test } from 'vitest'
import { explainedFits } from '../../../src/core/digest/quoted-phrases.ts'
import type { Match } from '../../../src/core/relevance/relevance.ts'
import { scoreTopics } from '../../../src/core/relevance/relevance.ts'

const quoted = (topic: string, ...found: [words: string, field: Match['field']][]): string[] | null => {
  const matches = found.map(([words, field]): Match => ({ words, field, kind: 'phrase' }))
  return explainedFits([{ topic, score: 0.9, matches }])[0]?.matches.map(({ words }) => words) ?? null
}

describe('the reason for a topic', () => {
  test('quotes phrases of the topic as the paper writes them', () => {
    expect(quoted('gui-agents', ['GUI Agents', 'title'], ['screenshots', 'abstract'])).toEqual([
      'GUI Agents',
      'screenshots',
    ])
    expect(quoted('image-generation', ['diffusion-based', 'title'])).toEqual(['diffusion-based'])
  })

  test('quotes no words that stand in others that it quotes', () => {
    expect(quoted('video-generation', ['Text-to-Video', 'title'], ['Text-to-Video Diffusion Models', 'title'])).toEqual(
      ['Text-to-Video Diffusion Models'],
    )
    expect(quoted('video-generation', ['video generation', 'title'], ['text-to-video generation', 'abstract'])).toEqual(
      ['video generation', 'text-to-video generation'],
    )
  })

  test('quotes a single word that only hints in a title, where there is no phrase', () => {
    expect(quoted('speech-audio', ['speech recognition', 'title'], ['voice', 'title'])).toEqual(['speech recognition'])
    expect(quoted('speech-audio', ['speech recognition', 'abstract'], ['Voices', 'title'])).toEqual([
      'speech recognition',
      'Voices',
    ])
    expect(quoted('speech-audio', ['voice', 'title'])).toEqual(['voice'])
    expect(quoted('speech-audio', ['voice', 'abstract'])).toBeNull()
  })

  test('takes no phrase that the word before it turns into another', () => {
    expect(quoted('world-models', ['world model', 'title'])).toEqual(['world model'])
    expect(quoted('world-models', ['real-world model', 'title'])).toBeNull()
    expect(quoted('agents', ['Zero-LLM Agent', 'title'])).toBeNull()
  })

  test('takes no word within a name', () => {
    expect(quoted('3d-vision', ['3D', 'title'])).toEqual(['3D'])
    expect(quoted('3d-vision', ['3D-VCD', 'title'])).toBeNull()
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
})
