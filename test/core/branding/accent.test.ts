/** The accent colour: what passes is read by everybody in both schemes, and what does not is told with one that does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BUILT_IN, readAccent } from '../../../src/core/branding/accent.ts'
import { contrastOf, hexOf, oklchOf } from '../../../src/core/branding/oklch.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const TEMPLATES = join(import.meta.dirname, '../../../templates')
const CSS = readFileSync(join(TEMPLATES, 'pages/site.css'), 'utf8')
const EMAILS = ['head.mjml', 'digest.html.liquid'].map((name) => readFileSync(join(TEMPLATES, 'emails', name), 'utf8'))
/** The values of a custom property, in light, dark and print. */
const valuesOf = (name: string) =>
  [...CSS.matchAll(new RegExp(`--${name}: (#\\w+);`, 'g'))].map(([, value = '']) => value)

test('the shades that are replaced, and their grounds, are those of the stylesheet and of the emails', () => {
  const { light, dark } = BUILT_IN
  expect(valuesOf('act').slice(0, 2)).toEqual([light.act, dark.act])
  expect(valuesOf('wash').slice(0, 2)).toEqual([light.wash, dark.wash])
  expect([valuesOf('paper')[0], valuesOf('sheet')[0]]).toEqual(light.grounds)
  expect([valuesOf('paper')[1], valuesOf('sheet')[1]]).toEqual(dark.grounds)
  for (const email of EMAILS)
    for (const colour of [light.act, dark.act, dark.grounds[0]]) expect(email).toContain(colour)
  // No other part of them may be recoloured.
  const named = CSS.match(/#[0-9a-f]{6}\b/g) ?? []
  for (const colour of [light.act, light.wash, dark.act, dark.wash])
    expect(named.filter((one) => one === colour)).toHaveLength(1)
})

test('contrast is that of WCAG', () => {
  expect(contrastOf('#000000', '#ffffff')).toBeCloseTo(21, 10)
  expect(contrastOf('#777777', '#ffffff')).toBeCloseTo(4.478, 3)
  expect(contrastOf('#ffffff', '#767676')).toBeCloseTo(4.542, 3)
})

const colour = fc.integer({ min: 0, max: 0xffffff }).map((number) => `#${number.toString(16).padStart(6, '0')}`)

test('a colour is the same after it was taken apart', () => {
  fc.assert(
    fc.property(colour, (hex) => hexOf(oklchOf(hex)) === hex),
    { numRuns: propertyRuns(500) },
  )
})

/** Whether links are read on every ground, text on the wash, and the label of a button on it. */
const expectReadable = (accent: Exclude<ReturnType<typeof readAccent>, { problem: string }>) => {
  const [ink, quiet, label] = ['ink', 'quiet', 'on-act'].map(valuesOf)
  for (const [n, scheme] of (['light', 'dark'] as const).entries()) {
    const { act, wash } = accent[scheme]
    for (const ground of [...BUILT_IN[scheme].grounds, wash])
      expect(contrastOf(act, ground)).toBeGreaterThanOrEqual(4.5)
    for (const text of [ink, quiet]) expect(contrastOf(text?.[n] ?? '', wash)).toBeGreaterThanOrEqual(4.5)
    expect(contrastOf(label?.[n] ?? '', act)).toBeGreaterThanOrEqual(4.5)
  }
}

describe('one colour', () => {
  test('that passes is kept as it is, and one for dark is derived that passes there', () => {
    expect(readAccent('#0B5FA5')).toMatchObject({ light: { act: '#0b5fa5' }, dark: { act: '#8ac3ff' } })
  })

  test('any is either readable everywhere, or refused with one that is', () => {
    fc.assert(
      fc.property(colour, (hex) => {
        const read = readAccent(hex)
        if (!('problem' in read)) return expectReadable(read)
        const [, nearest = ''] = /The nearest that passes is (#[0-9a-f]{6})$/.exec(read.problem) ?? []
        const mended = readAccent(nearest)
        if ('problem' in mended) throw new Error(`${hex}: ${mended.problem}`)
        expectReadable(mended)
      }),
      { numRuns: propertyRuns(500) },
    )
  })

  test('that does not pass is told with its contrast and the nearest of its hue', () => {
    expect(readAccent('#ffcc00')).toEqual({
      problem:
        '#ffcc00 on #ebe3ce, a ground of the light theme, has a contrast of 1.1:1; text needs 4.5:1 (WCAG 2.2 AA). The nearest that passes is #7d6200',
    })
  })
})

describe('two colours', () => {
  test('are those of light and dark', () => {
    expect(readAccent('#0b5fa5, #8ac3ff')).toMatchObject({ light: { act: '#0b5fa5' }, dark: { act: '#8ac3ff' } })
  })

  test('each have to be read in their own', () => {
    expect(readAccent('#0b5fa5,#0b5fa5')).toEqual({
      problem: expect.stringMatching(
        /^#0b5fa5 on #\w+, a ground of the dark theme, .* The nearest that passes is #559ee9$/,
      ),
    })
  })
})

test.each(['red', '#fff', '#12345g', '#0b5fa5,', '#0b5fa5,#8ac3ff,#000000', 'url(x)', '#0b5fa5;}'])(
  '%s is no colour',
  (text) => {
    expect(readAccent(text)).toEqual({
      problem: 'is one colour such as #0b5fa5, or two by a comma, for light and dark',
    })
  },
)
