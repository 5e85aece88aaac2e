import { describe, expect, it } from 'vitest'
import { plainPhrase } from '../../src/core/phrases.ts'
import { isTopic, TOPIC_GROUPS, TOPICS, topicBySlug } from '../../src/core/topics.ts'

describe('the topics', () => {
  it('are 38, in five groups, each once', () => {
    expect(TOPIC_GROUPS.map((group) => [group.label, group.topics.length])).toEqual([
      ['Agents & code', 5],
      ['Language & reasoning', 9],
      ['Vision, video & sound', 9],
      ['Robots, science & practice', 7],
      ['Methods & foundations', 8],
    ])
    expect(new Set(TOPICS.map((topic) => topic.slug)).size).toBe(38)
    expect(new Set(TOPICS.map((topic) => topic.label)).size).toBe(38)
  })

  it('have slugs that fit into an address of a page', () => {
    for (const { slug } of TOPICS) expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  })

  it('each have strong and weak phrases with something left of them when written plainly', () => {
    for (const topic of TOPICS) {
      expect(topic.strong.length).toBeGreaterThan(5)
      expect(topic.weak.length).toBeGreaterThan(0)
      for (const phrase of [...topic.strong, ...topic.weak]) expect(plainPhrase(phrase)).toMatch(/^\S+( \S+)*$/)
    }
  })

  it('are found by slug, and nothing else is', () => {
    expect(topicBySlug('gui-agents')?.label).toBe('GUI, web & computer-use agents')
    expect(topicBySlug('GUI-agents')).toBeUndefined()
    expect(isTopic('robotics')).toBe(true)
    for (const slug of ['', 'robotic', '__proto__', 'constructor', 'toString']) expect(isTopic(slug)).toBe(false)
  })
})
