/** The picture that other sites show beside a link to a page of ours: a title and what belongs to it, on ruled paper. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Canvas, SKRSContext2D } from '@napi-rs/canvas'
import type { Branding } from '../core/branding/branding.ts'
import { readCoverage } from './font-coverage.ts'

export interface ShareCard {
  title: string
  /** Authors, or titles of papers. */
  text: string
  /** One line at the foot: an id and a date. */
  note: string
}

/** Pixels, as https://ogp.me and the cards of X take them. */
const [WIDTH, HEIGHT] = [1200, 630]
/** The colours of `templates/pages/site.css`, in light. */
const COLOURS = { paper: '#f2f4e8', ink: '#1c251e', quiet: '#515b50', margin: '#d68f84', pencil: '#98291f' }
const LEFT = 136
const RIGHT = WIDTH - 72
const TITLE_TOP = 178
const NOTE_BASE = HEIGHT - 48
/** Sizes of a title, and how many lines of each there is room for beside two of text. */
const TITLE_SIZES = [
  [68, 3],
  [58, 4],
  [48, 5],
  [42, 5],
] as const
const LEADING = 1.18
/** Characters of a title or text that are looked at; what is longer is cut on the picture anyway. */
const MAX_CHARACTERS = 400

const SUBSETS = ['latin', 'latin-ext', 'greek', 'greek-ext', 'cyrillic', 'cyrillic-ext', 'vietnamese', 'math']
const FILES = {
  bold: SUBSETS.map((subset) => `@fontsource/noto-serif/files/noto-serif-${subset}-700-normal.woff`),
  regular: SUBSETS.map((subset) => `@fontsource/noto-serif/files/noto-serif-${subset}-400-normal.woff`),
}
/** Signs of mathematics that the serif lacks. Of Arabic it has letters for formulas alone, which do not join to words. */
const SIGNS = '@fontsource/noto-sans-math/files/noto-sans-math-latin-400-normal.woff'

/** Hebrew to the end of Arabic. */
const RIGHT_TO_LEFT = [0x590, 0x8ff] as const

type Weight = keyof typeof FILES

interface Face {
  /** The families to name for it, in the order in which they are looked through. */
  families: string
  covered: Set<number>
}

interface Tools {
  createCanvas: (width: number, height: number) => Canvas
  faces: Record<Weight, Face>
}

/** Loaded with the first picture: a process that draws none needs no memory for it. */
const openTools = async (): Promise<Tools> => {
  const { createCanvas, GlobalFonts } = await import('@napi-rs/canvas')
  const { resolve } = createRequire(import.meta.url)
  const openFace = async (weight: Weight): Promise<Face> => {
    const families: string[] = []
    const covered = new Set<number>()
    for (const [n, name] of [...FILES[weight], SIGNS].entries()) {
      const file = await readFile(resolve(name))
      const family = `Paper Round ${weight} ${n}`
      if (GlobalFonts.register(file, family) === null) throw new Error(`the font ${name} cannot be read`)
      families.push(`"${family}"`)
      for (const code of readCoverage(file)) if (code < RIGHT_TO_LEFT[0] || code > RIGHT_TO_LEFT[1]) covered.add(code)
    }
    return { families: families.join(', '), covered }
  }
  return { createCanvas, faces: { bold: await openFace('bold'), regular: await openFace('regular') } }
}

/** Draws pictures (PNG, 1200 × 630) with the service’s name. The same card always gives the same bytes. */
export const createShareImages = (branding: Branding): { draw: (card: ShareCard) => Promise<Buffer> } => {
  let opening: Promise<Tools> | null = null
  return {
    async draw(card) {
      opening ??= openTools()
      const { createCanvas, faces } = await opening
      const canvas = createCanvas(WIDTH, HEIGHT)
      drawCard(canvas.getContext('2d'), faces, card, branding)
      // In a thread of its own.
      return canvas.encode('png')
    },
  }
}

/** Shares of a text's letters that the fonts must have for it to be shown: the rest would tell little of it. */
const LEAST_SHOWN = 0.7

/**
 * What the fonts can draw of a text: signs that they lack, such as emoji, are left out, so that no empty box stands for one.
 * Nothing of a text in a script that they lack.
 */
const drawable = (text: string, { covered }: Face): string => {
  const signs = [...text.normalize('NFC').replace(/\s+/g, ' ').replace(/\p{C}/gu, '')].slice(0, MAX_CHARACTERS)
  const kept = signs.filter((sign) => covered.has(sign.codePointAt(0) ?? 0))
  const lettersOf = (some: string[]) => some.filter((sign) => /[\p{L}\p{N}]/u.test(sign)).length
  if (lettersOf(kept) < lettersOf(signs) * LEAST_SHOWN) return ''
  return kept.join('').replace(/ +/g, ' ').trim()
}

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** A word in parts that fit on a line. */
const brokenWord = (word: string, fits: (text: string) => boolean): string[] => {
  if (fits(word)) return [word]
  const parts = ['']
  for (const { segment } of GRAPHEMES.segment(word)) {
    const longer = parts[parts.length - 1] + segment
    if (parts.at(-1) === '' || fits(longer)) parts[parts.length - 1] = longer
    else parts.push(segment)
  }
  return parts
}

/** A text in at most so many lines; `isCut`: there was more. */
export const wrap = (
  text: string,
  fits: (text: string) => boolean,
  most: number,
): { lines: string[]; isCut: boolean } => {
  const lines: string[] = []
  for (const word of text.split(' ').flatMap((one) => brokenWord(one, fits))) {
    const last = lines.at(-1)
    if (last !== undefined && fits(`${last} ${word}`)) lines[lines.length - 1] = `${last} ${word}`
    else if (lines.length < most) lines.push(word)
    else {
      let end = lines[most - 1] ?? ''
      while (end !== '' && !fits(`${end}…`)) end = end.replace(/.$/u, '')
      return { lines: [...lines.slice(0, most - 1), `${end.replace(/[\s,;:]+$/, '')}…`], isCut: true }
    }
  }
  return { lines, isCut: false }
}

type Draw = SKRSContext2D

const setFont = (draw: Draw, { families }: Face, size: number): ((text: string) => boolean) => {
  draw.font = `${size}px ${families}`
  return (text) => draw.measureText(text).width <= RIGHT - LEFT
}

const drawCard = (draw: Draw, { bold, regular }: Tools['faces'], card: ShareCard, branding: Branding): void => {
  drawSheet(draw, bold, branding)
  const note = drawable(card.note, regular)
  const title = drawable(card.title, bold) || drawable(card.note, bold)
  let y = drawTitle(draw, bold, title)
  draw.fillStyle = COLOURS.quiet
  const fits = setFont(draw, regular, 30)
  const room = Math.max(1, Math.floor((NOTE_BASE - 60 - y) / (30 * 1.4)))
  for (const line of wrap(drawable(card.text, regular), fits, Math.min(3, room)).lines) {
    y += 30 * 1.4
    draw.fillText(line, LEFT, y)
  }
  if (title !== note) {
    const small = setFont(draw, regular, 26)
    draw.fillText(wrap(note, small, 1).lines[0] ?? '', LEFT, NOTE_BASE)
  }
}

/** The paper, the double rule of its margin with the mark of the name on it, and the name. */
const drawSheet = (draw: Draw, bold: Face, { name, accent }: Branding): void => {
  draw.fillStyle = COLOURS.paper
  draw.fillRect(0, 0, WIDTH, HEIGHT)
  draw.fillStyle = COLOURS.margin
  for (const x of [78, 86]) draw.fillRect(x, 0, 3, HEIGHT)
  draw.fillStyle = accent?.light.act ?? COLOURS.pencil
  draw.beginPath()
  draw.arc(83.5, 84, 20, 0, 2 * Math.PI)
  draw.fill()
  draw.fillStyle = COLOURS.ink
  const fits = setFont(draw, bold, 38)
  draw.fillText(wrap(drawable(name, bold), fits, 1).lines[0] ?? '', LEFT, 97)
  draw.fillRect(LEFT, 126, RIGHT - LEFT, 4)
  draw.fillRect(LEFT, 134, RIGHT - LEFT, 1)
}

/** Draws a title as large as it fits; returns where its last line stands. */
const drawTitle = (draw: Draw, bold: Face, title: string): number => {
  const tries = TITLE_SIZES.map(([size, most]) => ({ size, ...wrap(title, setFont(draw, bold, size), most) }))
  const { size = 42, lines = [] } = tries.find(({ isCut }) => !isCut) ?? tries.at(-1) ?? {}
  setFont(draw, bold, size)
  draw.fillStyle = COLOURS.ink
  for (const [n, line] of lines.entries()) draw.fillText(line, LEFT, TITLE_TOP + size * (0.85 + LEADING * n))
  return TITLE_TOP + size * (0.85 + LEADING * (lines.length - 1)) + 22
}
