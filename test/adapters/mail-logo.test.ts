/** The logo as emails show it. */
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { describe, expect, test } from 'vitest'
import { drawMailLogo } from '../../src/adapters/mail-logo.ts'
import { type Logo, readLogo } from '../../src/core/branding/logo.ts'
import { logoOf, MARK, WORDMARK } from '../support/fixtures/branded.ts'

/** The size of a picture, and its pixels at some places as `r,g,b,a`. */
const look = async (png: Buffer, places: [number, number][]) => {
  const image = await loadImage(png)
  const draw = createCanvas(image.width, image.height).getContext('2d')
  draw.drawImage(image, 0, 0)
  const pixels = places.map(([x, y]) => [...draw.getImageData(x, y, 1, 1).data].join(','))
  return { size: [image.width, image.height], pixels }
}

test('a badge is drawn for screens of twice the density, and has no other ground than its own', async () => {
  const { file, onPaper } = await drawMailLogo(logoOf(MARK))
  expect(onPaper).toBe(false)
  expect(file).toMatchObject({ type: 'image/png', href: `/email-logo.png?v=${file.version}` })
  expect(
    await look(file.content, [
      [0, 0],
      [48, 6],
    ]),
  ).toEqual({ size: [96, 80], pixels: ['0,0,0,0', '11,95,165,255'] })
})

test('thin letters without a ground get one of paper, also where the SVG has no view box', async () => {
  const { file, onPaper } = await drawMailLogo(logoOf(WORDMARK))
  expect(onPaper).toBe(true)
  // Its square is at 0 to 32 of 240 units, which are 400 pixels.
  expect(
    await look(file.content, [
      [10, 40],
      [395, 5],
    ]),
  ).toEqual({
    size: [400, 80],
    pixels: ['11,95,165,255', '242,244,232,255'],
  })
})

describe('a logo that cannot be seen is named', () => {
  test('as it draws nothing', async () => {
    const nothing = logoOf('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0"/></svg>')
    await expect(drawMailLogo(nothing)).rejects.toThrow('logo.svg draws nothing')
  })

  test('as its pixels cannot be read', async () => {
    const whole = createCanvas(64, 64)
    whole.getContext('2d').fillRect(0, 0, 64, 64)
    const png = await whole.encode('png')
    // The first bytes of its pixels, after the head and the name of their chunk.
    png.fill(0xff, 41, 60)
    const logo = readLogo('logo.png', png) as Logo
    await expect(drawMailLogo(logo)).rejects.toThrow('logo.png ')
  })
})
