/** Which files can be a logo, and how large it is shown. */
import { describe, expect, test } from 'vitest'
import { logoBox, readLogo } from '../../../src/core/branding/logo.ts'
import { MARK, WORDMARK } from '../../support/fixtures/branded.ts'

const svg = (inside: string, attributes = 'viewBox="0 0 48 40"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${inside}</svg>`
const read = (text: string) => readLogo('logo.svg', Buffer.from(text))

/** A PNG of which only what is read is real: its head and its end. */
const png = (width: number, height: number, padding = 0): Buffer => {
  const head = Buffer.alloc(33)
  head.write('89504e470d0a1a0a0000000d49484452', 'hex')
  head.writeUInt32BE(width, 16)
  head.writeUInt32BE(height, 20)
  return Buffer.concat([head, Buffer.alloc(padding), Buffer.from('0000000049454e44ae426082', 'hex')])
}

describe('an SVG', () => {
  test.each([
    [MARK, 48, 40],
    [WORDMARK, 240, 48],
    [`<?xml version="1.0" encoding="UTF-8"?>\n<!-- by hand -->\n${svg('<g/>')}`, 48, 40],
    [
      svg('<defs><linearGradient id="g"><stop/></linearGradient></defs><rect fill="url(#g)"/><use xlink:href="#g"/>'),
      48,
      40,
    ],
    [svg('<style>.a { fill: url("#g") }</style><path class="a"/>', 'width="64px" height="32"'), 64, 32],
  ])('that only draws can be one (%#)', (text, width, height) => {
    expect(read(text)).toMatchObject({ type: 'image/svg+xml', width, height })
  })

  test.each([
    ['<script>alert(1)</script>', 'has the element <script>'],
    ['<path onload="alert(1)"/>', 'has the script onload'],
    ['<path ONCLICK="alert(1)"/>', 'has the script ONCLICK'],
    ['<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>', 'has the element <foreignObject>'],
    ['<p xmlns="http://www.w3.org/1999/xhtml">x</p>', 'has the element <p>'],
    ['<image href="https://example.org/a.png"/>', 'has the element <image>'],
    ['<a href="javascript:alert(1)"><path/></a>', 'has the element <a>'],
    ['<animate attributeName="href" to="javascript:alert(1)"/>', 'has the element <animate>'],
    ['<use href="https://example.org/a.svg#x"/>', 'refers to https://example.org/a.svg#x'],
    ['<use xlink:href="data:image/svg+xml,x"/>', 'refers to data:image/svg+xml,x'],
    ['<rect fill="url(https://example.org/a)"/>', 'refers to something outside it, in fill'],
    ['<rect style="fill:u\\72l(//example.org)"/>', 'refers to something outside it, in style'],
    ['<rect fill="&#117;rl(//example.org/a)"/>', 'refers to something outside it, in fill'],
    ['<style>@import "https://example.org/a.css";</style>', 'has a style that refers outside it'],
    ['<style>@im<![CDATA[port "https://example.org/a.css"]]></style>', 'has a style that refers outside it'],
    ["<style>a { background: url( '//example.org' ) }</style>", 'has a style that refers outside it'],
    ['<style>a { background: url(//example.org </style>', 'has a style that refers outside it'],
    [
      '<g xmlns:inkscape="http://www.inkscape.org/" inkscape:label="x"/>',
      'has the attribute inkscape:label, of a drawing',
    ],
    ['<g>'.repeat(40) + '</g>'.repeat(40), 'has too many elements'],
    ['<g/>'.repeat(2_100), 'has too many elements'],
    ['<g>', 'is not well-formed XML'],
    ['&who;', 'is not well-formed XML'],
  ])('with %s cannot', (inside, problem) => {
    expect(read(svg(inside))).toEqual({ problem: expect.stringContaining(problem) })
  })

  test.each([
    ['<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>', 'has a document type'],
    [`<?xml-stylesheet href="https://example.org/a.css"?>${MARK}`, 'has the instruction <?xml-stylesheet'],
    ['<html/>', 'has the element <html>'],
    ['<g xmlns="http://www.w3.org/2000/svg"/>', 'is no SVG'],
    ['', 'is no SVG'],
    ['GIF89a', 'is not well-formed XML'],
    [svg('', ''), 'has neither a viewBox nor a width and height'],
    [svg('', 'width="100%" height="100%"'), 'has neither a viewBox nor a width and height'],
    [svg('', 'viewBox="0 0 0 10"'), 'has neither a viewBox nor a width and height'],
    [svg('', 'viewBox="0 0 10 100"'), 'is 0.1 times as wide as high'],
    [svg('', 'viewBox="0 0 900 100"'), 'is 9.0 times as wide as high'],
    [`${MARK}<!--${'x'.repeat(70_000)}-->`, 'has 69 KB; 64 KB are the most'],
  ])('cannot be %s', (text, problem) => {
    expect(read(text)).toEqual({ problem: expect.stringContaining(problem) })
  })

  test('that is not UTF-8 cannot', () => {
    expect(readLogo('logo.svg', Buffer.from([0x3c, 0xff, 0xfe]))).toEqual({ problem: 'is not UTF-8' })
  })
})

describe('a PNG', () => {
  test('can be one', () => {
    expect(readLogo('logo.png', png(480, 120))).toMatchObject({ type: 'image/png', width: 480, height: 120 })
  })

  test.each([
    [Buffer.from(MARK), 'is no PNG'],
    [Buffer.alloc(0), 'is no PNG'],
    [png(480, 120).subarray(0, -3), 'breaks off before its end'],
    [png(31, 40), 'has 31 × 40 pixels; each side has 32 to 2048'],
    [png(4_294_967_295, 2_000), 'has 4294967295 × 2000 pixels'],
    [png(1_000, 100), 'is 10.0 times as wide as high'],
    [png(480, 120, 300_000), 'has 294 KB; 256 KB are the most'],
  ])('cannot be one where it %#', (content, problem) => {
    expect(readLogo('logo.png', content)).toEqual({ problem: expect.stringContaining(problem) })
  })
})

test('a logo is shown as high as there is room, or as wide', () => {
  const most = { height: 40, width: 240 }
  expect(logoBox({ width: 100, height: 100 } as never, most)).toEqual({ width: 40, height: 40 })
  expect(logoBox({ width: 800, height: 100 } as never, most)).toEqual({ width: 240, height: 30 })
})
