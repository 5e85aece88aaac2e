/** What becomes of a choice of topics when the installation has others. */
import { expect, test } from 'vitest'
import { goneTopicsInWords, goneTopicsLine, offeredProfile } from '../../../src/core/subscriber/offered-topics.ts'
import { STANDARD } from '../../../src/core/subscriber/preferences.ts'

const profileOf = (topics: string[], more: object = {}) => ({ ...STANDARD, trending: false, topics, ...more })

test('a choice of topics that there are stays as it is', () => {
  const profile = profileOf(['code', 'robotics'])
  expect(offeredProfile(profile)).toEqual({ profile, gone: [] })
  expect([goneTopicsLine(profile, []), goneTopicsInWords(profile)]).toEqual([null, null])
})

test('of a topic that is gone the rest goes on, and it is told once and on the settings page', () => {
  const profile = profileOf(['alchemy', 'code'])
  expect(offeredProfile(profile)).toMatchObject({ profile: { topics: ['code'], trending: false }, gone: ['alchemy'] })
  expect(goneTopicsLine(profile, ['alchemy', 'code'])).toBe('“alchemy” is no longer offered.')
  expect(goneTopicsLine(profile, ['code'])).toBeNull()
  expect(goneTopicsInWords(profile)).toBe('“alchemy” is no longer offered.')
})

test('who followed nothing else gets what trends, and is told so each time', () => {
  const profile = profileOf(['alchemy', 'astrology'])
  expect(offeredProfile(profile)).toMatchObject({ profile: { topics: [], trending: true } })
  const line =
    '“alchemy” and “astrology” are no longer offered. You get what trends in all topics until you choose others in your settings.'
  expect([goneTopicsLine(profile, profile.topics), goneTopicsLine(profile, [])]).toEqual([line, line])
  expect(goneTopicsInWords(profile)).toContain('Until you choose other topics you get what trends.')
})

test.each([{ keywords: ['lean 4'] }, { authors: ['Ada Byron'] }, { trending: true }])(
  'who follows %o besides goes on with that',
  (more) => {
    const profile = profileOf(['alchemy'], more)
    expect(offeredProfile(profile).profile.trending).toBe('trending' in more)
    expect(goneTopicsLine(profile, [])).toBeNull()
  },
)
