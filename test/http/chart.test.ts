import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Chart, type ChartSource, chartOf, HEIGHT, niceStep, valueInWords, WIDTH } from '../../src/http/chart.ts'
import { propertyRuns } from '../support/thoroughness.ts'

const source = (values: (number | null)[][], rest: Partial<ChartSource> = {}): ChartSource => ({
  id: 'mail',
  title: 'Mail',
  kind: 'line',
  of: 'Day',
  points: (values[0] ?? []).map((_, n) => ({ label: `day ${n + 1}` })),
  series: values.map((one, n) => ({ name: `Series ${n + 1}`, values: one })),
  ...rest,
})

const chart = (values: (number | null)[][], rest: Partial<ChartSource> = {}): Chart => {
  const drawn = chartOf(source(values, rest))
  if (drawn === null) throw new Error('no chart')
  return drawn
}

/** Every number in a path of absolute coordinates. */
const numbersOf = (path: string): number[] => [...path.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) => Number(number))

describe('a line', () => {
  it('goes through its points from edge to edge, on a scale that begins at nothing', () => {
    const { series, scale, grid } = chart([[0, 50, 100]])
    expect(series[0]?.run).toBe('M0 200L350 100L700 0')
    expect(scale).toEqual(['100', '75', '50', '25', '0'])
    expect(grid).toBe('M0 0H700M0 50H700M0 100H700M0 150H700M0 200H700')
  })

  it('breaks off where a value is not known, and shows one alone between two such as a dot', () => {
    const { series, unknown } = chart([[4, null, 4, null, null, 4, 4]])
    expect(series[0]?.run.match(/M/g)).toHaveLength(3)
    expect(series[0]?.run.match(/L/g)).toHaveLength(1)
    expect(unknown.match(/M/g)).toHaveLength(3)
    const long = Array.from({ length: 200 }, (_, n) => (n === 100 ? 7 : null))
    expect(chart([long]).series[0]?.dots.match(/M/g)).toHaveLength(1)
  })

  it('of one point is a dot in the middle', () =>
    expect(chart([[5]]).series[0]).toEqual({ mark: 1, run: 'M350 75', dots: 'M350 75h0' }))

  it('stands where its points say, not at equal distances', () => {
    const points = [0, 0.1, 1].map((position) => ({ label: String(position), position }))
    expect(chart([[0, 0, 0]], { points }).series[0]?.run).toBe('M0 200L70 200L700 200')
  })
})

describe('bars', () => {
  it('stand one upon the other, and nothing is drawn for nothing', () => {
    const { series, scale } = chart(
      [
        [3, 0],
        [1, 4],
      ],
      { kind: 'bars' },
    )
    expect(scale[0]).toBe('4')
    expect(series.map(({ run }) => run)).toEqual(['M35 200V50h280V200z', 'M35 50V0h280V50zM385 200V0h280V200z'])
  })

  it('are listed from above, as they stand', () =>
    expect(chart([[1], [2]], { kind: 'bars' }).legend.map(({ name, newest }) => [name, newest])).toEqual([
      ['Series 2', '2'],
      ['Series 1', '1'],
    ]))

  it('of a day of which nothing is known are hatched, and are no zero in the table', () => {
    const { unknown, table, text } = chart([[null, 0]], { kind: 'bars' })
    expect(unknown).toBe('M0 0h350v200h-350z')
    expect(table.rows.map(({ cells }) => cells)).toEqual([['not known'], ['0']])
    expect(text).toBe('Series 1: 0 (day 2).')
  })
})

describe('what is said of it', () => {
  it('ends and the highest value of each series, and what it is compared with', () =>
    expect(
      chart([[0.01, 0.04, 0.02]], { unit: 'share', limit: { name: 'An edition is paused at', value: 0.03 } }),
    ).toMatchObject({
      text: 'Series 1: from 1% (day 1) to 2% (day 3), at most 4% (day 2). An edition is paused at: 3%.',
      limit: { value: '3%' },
      scale: ['4%', '3%', '2%', '1%', '0%'],
    }))

  it('each point under the pointer, with all that it holds', () =>
    expect(
      chart([
        [1, 2],
        [null, 3_000],
      ]).spans.map(({ text }) => text),
    ).toEqual(['day 1: series 1 1, series 2 not known', 'day 2: series 1 2, series 2 3,000']))

  it.each([
    [[1], ['day 1']],
    [
      [1, 2],
      ['day 1', 'day 2'],
    ],
    [Array.from({ length: 400 }, () => 1), ['day 1', '(day 101)', 'day 201', '(day 300)', 'day 400']],
  ])('%# at most five labels, of which a phone shows three', (values, labels) =>
    expect(chart([values]).labels.map(({ text, isMinor }) => (isMinor ? `(${text})` : text))).toEqual(labels),
  )

  it.each([
    [12_345_678, 'count', '12,345,678'],
    [0.000_012, 'share', '0.0012%'],
    [0.0008, 'share', '0.08%'],
    [0, 'share', '0%'],
    [null, 'share', 'not known'],
  ] as const)('%j as a %s is %s', (value, unit, words) => expect(valueInWords(value, unit)).toBe(words))
})

it('there is none without points, and a series that is too short is an error', () => {
  expect(chartOf(source([[]]))).toBeNull()
  expect(chartOf(source([]))).toBeNull()
  expect(() => chartOf(source([[1, 2], [1]]))).toThrow('Series 2 has 1 values for 2 points')
})

describe('whatever is to be shown', () => {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.nat(500) },
    fc.constant(0),
    fc.constant(null),
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  )
  const sources = fc
    .record({
      kind: fc.constantFrom('line' as const, 'bars' as const),
      series: fc.integer({ min: 1, max: 6 }),
      points: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 })),
      unit: fc.constantFrom('count' as const, 'share' as const),
      limit: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
    })
    .chain(({ kind, series, points, unit, limit }) =>
      fc
        .array(fc.array(value, { minLength: points, maxLength: points }), { minLength: series, maxLength: series })
        .map((counts) =>
          source(unit === 'count' ? counts : counts.map((all) => all.map((one) => (one === null ? null : one / 1e9))), {
            kind,
            unit,
            ...(limit === null ? {} : { limit: { name: 'Limit', value: limit } }),
          }),
        ),
    )

  it('is drawn within the picture, with a row for each point and a number for each value', () =>
    fc.assert(
      fc.property(sources, (given) => {
        const drawn = chartOf(given)
        if (drawn === null) throw new Error('no chart')
        const { series, limit, spans, table, labels, unknown } = drawn
        for (const { run, dots } of series)
          for (const number of [...numbersOf(run), ...numbersOf(dots)]) {
            expect(number).toBeGreaterThanOrEqual(0)
            expect(number).toBeLessThanOrEqual(WIDTH)
          }
        const heights = series.flatMap(({ run }) =>
          [...run.matchAll(/(?:[ML][\d.]+ |V)(-?[\d.]+)/g)].map(([, y]) => Number(y)),
        )
        expect(Math.min(HEIGHT, ...heights)).toBeGreaterThanOrEqual(0)
        expect(Math.max(0, ...heights)).toBeLessThanOrEqual(HEIGHT)
        expect(`${JSON.stringify(series)}${limit?.path}${unknown}`).not.toMatch(/NaN|Infinity|e[+-]\d/)
        expect([spans.length, table.rows.length]).toEqual([given.points.length, given.points.length])
        for (const [n, { cells }] of table.rows.entries())
          expect(cells).toEqual(given.series.map(({ values }) => valueInWords(values[n] ?? null, given.unit)))
        expect(labels.length).toBe(Math.min(5, given.points.length))
        // The last unit of a picture may be lost in rounding.
        expect(spans.reduce((sum, { width }) => sum + width, 0)).toBeGreaterThan(WIDTH * 0.9)
      }),
      { numRuns: propertyRuns(100) },
    ))

  it('the scale holds the highest value and is not ten times as high', () =>
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), fc.boolean(), (most, isShare) => {
        const step = niceStep(most, isShare ? 'share' : 'count')
        expect(step).toBeGreaterThanOrEqual(most)
        expect(step).toBeLessThanOrEqual(Math.max(isShare ? 0.0001 : 1, most * 2.5001))
        if (!isShare) expect(Number.isInteger(step)).toBe(true)
      }),
      { numRuns: propertyRuns(1_000) },
    ))
})
