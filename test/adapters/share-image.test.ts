/** Pictures for links: what is drawn, what is left out, and that no title sticks out or breaks one. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createCanvas, loadImage } from '@napi-rs/canvas'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { readCoverage } from '../../src/adapters/font-coverage.ts'
import { createShareImages, type ShareCard, wrap } from '../../src/adapters/share-image.ts'
import { UNBRANDED } from '../../src/core/branding/branding.ts'
import { BRANDED } from '../support/fixtures/branded.ts'
import { HARMFUL } from '../support/fixtures/hostile-papers.ts'

const { draw } = createShareImages(UNBRANDED)
const CARD: ShareCard = { title: 'A paper about agents', text: 'Ada Lovelace, Grace Hopper', note: 'arXiv 2604.11784' }
const titled = (title: string): ShareCard => ({ ...CARD, title })

/** Red, green and blue of every pixel. */
const pixelsOf = async (image: Buffer) => {
  const loaded = await loadImage(image)
  expect([loaded.width, loaded.height]).toEqual([1200, 630])
  const context = createCanvas(1200, 630).getContext('2d')
  context.drawImage(loaded, 0, 0)
  const { data } = context.getImageData(0, 0, 1200, 630)
  return (x: number, y: number) => [...data.subarray(4 * (y * 1200 + x), 4 * (y * 1200 + x) + 3)].join(' ')
}
const PAPER = '242 244 232'
/** Whether anything is drawn in a part of a picture. */
const hasInk = (pixel: Awaited<ReturnType<typeof pixelsOf>>, [x0, x1]: number[], [y0, y1]: number[]): boolean => {
  for (let y = y0 ?? 0; y < (y1 ?? 0); y++)
    for (let x = x0 ?? 0; x < (x1 ?? 0); x++) if (pixel(x, y) !== PAPER) return true
  return false
}

it('is a PNG with a title, a text and a note on our paper, the same bytes each time', async () => {
  const image = await draw(CARD)
  expect(image.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  expect(image.length).toBeLessThan(100_000)
  const pixel = await pixelsOf(image)
  expect([pixel(0, 0), pixel(79, 600), pixel(83, 84)]).toEqual([PAPER, '214 143 132', '152 41 31'])
  expect(hasInk(pixel, [136, 800], [180, 250])).toBe(true)
  expect(hasInk(pixel, [136, 800], [265, 310])).toBe(true)
  expect(hasInk(pixel, [136, 800], [560, 590])).toBe(true)
  expect((await draw(CARD)).equals(image)).toBe(true)
  for (const other of [titled('A paper about robots'), { ...CARD, text: 'Emmy Noether' }, { ...CARD, note: '' }])
    expect((await draw(other)).equals(image)).toBe(false)
})

it('draws Latin, Greek, Cyrillic and signs of mathematics, and leaves out what no font of ours has', async () => {
  const drawn = async (title: string) => (await draw(titled(title))).toString('base64')
  const plain = await drawn('A title')
  for (const more of ['A 🤗title', '👩‍🔬 A title', 'A\u0000 tit\u202ele\u200b', ' A \n title '])
    expect([more, await drawn(more)]).toEqual([more, plain])
  const titles = ['Ångström', 'Łukasz', 'μLO', 'Ελληνικά', 'Привет', 'Nguyễn', 'ℝ ≤ ∞', '𝔼 → π²', 'x₁ ∈ ℤ']
  const nothing = await drawn('')
  const pictures = await Promise.all(titles.map(drawn))
  expect(new Set([...pictures, nothing]).size).toBe(titles.length + 1)
  // In a script that they lack it would be nothing but empty boxes: the note says which paper it is.
  for (const title of ['大语言模型', '한국어 논문', 'שלום עולם', 'مرحبا بالعالم', '🤗🤗'])
    expect([title, await drawn(title)]).toEqual([title, nothing])
})

const hostile = [...HARMFUL, 'x'.repeat(5000), 'W '.repeat(3000), 'ẗ̸̡̢̛̖̗̘̙̜'.repeat(500), '𝔼'.repeat(900), '-'.repeat(900), '']
test.each(hostile.map((title) => ({ title, name: JSON.stringify(title.slice(0, 24)) })))(
  'nothing of $name sticks out or makes it large',
  async ({ title }) => {
    const image = await draw({ title, text: title, note: title })
    expect(image.length).toBeLessThan(250_000)
    const pixel = await pixelsOf(image)
    expect(hasInk(pixel, [1140, 1200], [0, 630])).toBe(false)
    expect(hasInk(pixel, [120, 1200], [610, 630])).toBe(false)
  },
)

test('any text is drawn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), async (title, text) => {
      expect((await draw({ title, text, note: title })).length).toBeGreaterThan(1000)
    }),
    { numRuns: 15 },
  )
})

describe('wrapping', () => {
  const fits = (text: string) => text.length <= 10
  it('fills lines by words, breaks a word that is wider than a line, and says what it cut', () => {
    expect(wrap('one two three four', fits, 3)).toEqual({ lines: ['one two', 'three four'], isCut: false })
    expect(wrap('abcdefghijklmno', fits, 3)).toEqual({ lines: ['abcdefghij', 'klmno'], isCut: false })
    expect(wrap('one, two, three, four, five', fits, 2)).toEqual({ lines: ['one, two,', 'three…'], isCut: true })
    expect(wrap('', fits, 2)).toEqual({ lines: [''], isCut: false })
  })
})

test('the coverage of a font is what its file says', async () => {
  const { resolve } = createRequire(import.meta.url)
  const coverageOf = async (name: string) => readCoverage(await readFile(resolve(`@fontsource/${name}.woff`)))
  const latin = await coverageOf('noto-serif/files/noto-serif-latin-700-normal')
  const signs = await coverageOf('noto-sans-math/files/noto-sans-math-latin-400-normal')
  const has = (covered: Set<number>, sign: string) => covered.has(sign.codePointAt(0) ?? 0)
  expect(['A', 'é', '–'].map((sign) => has(latin, sign))).toEqual([true, true, true])
  expect(['α', 'Ж', '中', '\uffff'].map((sign) => has(latin, sign))).toEqual([false, false, false, false])
  expect(['∞', '𝔼', '→', '中'].map((sign) => has(signs, sign))).toEqual([true, true, true, false])
  expect(() => readCoverage(Buffer.from('<html>'))).toThrow('no WOFF file')
})

test('has the name and the accent colour of the installation', async () => {
  const own = createShareImages({ ...BRANDED, name: 'Ψ' })
  const [plain, branded] = await Promise.all([draw(CARD), own.draw(CARD)].map(async (image) => pixelsOf(await image)))
  if (plain === undefined || branded === undefined) throw new Error('no picture')
  // The mark before the name.
  expect([plain(83, 84), branded(83, 84)]).toEqual(['152 41 31', '11 95 165'])
  // The built-in name is longer than one letter.
  expect(hasInk(plain, [250, 400], [70, 110])).toBe(true)
  expect(hasInk(branded, [250, 400], [70, 110])).toBe(false)
  expect(hasInk(branded, [136, 180], [70, 110])).toBe(true)
})
