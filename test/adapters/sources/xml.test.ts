/** XML from outside: what we wrote comes back as it was, and what is not whole, or wants to grow, is refused. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { childrenOf, readXml, textOf, UnreadableXml } from '../../../src/adapters/sources/xml.ts'
import { escapeXml } from '../../support/fixtures/arxiv-feed.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const refusalOf = (text: string): string => {
  try {
    readXml(text)
  } catch (error) {
    if (error instanceof UnreadableXml) return error.message
    throw error
  }
  return 'it was read'
}

interface Tree {
  name: string
  value: string
  text: string
  children: Tree[]
}

const text = fc.string({ unit: 'grapheme' })
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/)
const treeOf = (depth: number): fc.Arbitrary<Tree> =>
  fc.record({
    name,
    value: text,
    text,
    children: depth === 0 ? fc.constant([]) : fc.array(treeOf(depth - 1), { maxLength: 3 }),
  })
const tree = treeOf(3)

const write = (node: Tree): string =>
  `<${node.name} v="${escapeXml(node.value)}">${escapeXml(node.text)}${node.children.map(write).join('')}</${node.name}>`

const readTree = (element: ReturnType<typeof readXml>): Tree => ({
  name: element.name,
  value: element.attributes.get('v') ?? '',
  text: element.text,
  children: element.children.map(readTree),
})

describe('XML', () => {
  test('that was written with references is read as it was', () => {
    fc.assert(
      fc.property(tree, (node) => {
        expect(readTree(readXml(write(node)))).toEqual(node)
      }),
    )
  })

  test('cut anywhere is refused', () => {
    const cut = fc.tuple(tree, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
    fc.assert(
      fc.property(cut, ([node, at]) => {
        const whole = `<root>${write(node)}</root>`
        expect(refusalOf(whole.slice(0, Math.floor(whole.length * at)))).not.toBe('it was read')
      }),
    )
  })

  test('is known by namespaces, whatever the prefixes', () => {
    const root = readXml('<x:a xmlns:x="urn:one" xmlns="urn:two"><b> 1 </b><x:b k="v" x:k="w">2</x:b><b>3</b></x:a>')
    expect([root.namespace, root.name]).toEqual(['urn:one', 'a'])
    expect(childrenOf(root, 'urn:two', 'b').map((child) => child.text)).toEqual([' 1 ', '3'])
    expect([textOf(root, 'urn:two', 'b'), textOf(root, 'urn:one', 'b'), textOf(root, 'urn:one', 'c')]).toEqual([
      '1',
      '2',
      '',
    ])
    expect([...(childrenOf(root, 'urn:one', 'b')[0]?.attributes ?? [])]).toEqual([['k', 'v']])
  })

  test('may hold text as character data, and references by number', () => {
    expect(readXml('\uFEFF<?xml version="1.0"?><a><!-- no --><![CDATA[<&amp;>]]>&#955;&#x1F600;</a>').text).toBe(
      '<&amp;>λ😀',
    )
  })

  test.each([
    ['', 'it holds no element'],
    ['words', 'it is not well-formed XML (line 1)'],
    ['<a>', 'it breaks off before its end'],
    ['<a', 'it breaks off before its end'],
    ['<a>\n</b>', 'it is not well-formed XML (line 2)'],
    ['<a/><b/>', 'it is not well-formed XML (a second root)'],
    ['<a/>b', 'it is not well-formed XML (line 1)'],
    ['<x:a/>', 'it is not well-formed XML (line 1)'],
    ['<a>R & D</a>', 'it is not well-formed XML (line 1)'],
    ['<a>&nbsp;</a>', 'it is not well-formed XML (line 1)'],
    ['<a>&own;</a>', 'it is not well-formed XML (line 1)'],
    ['<a>&#0;</a>', 'it is not well-formed XML (line 1)'],
    ['<a>&#x110000;</a>', 'it is not well-formed XML (line 1)'],
    ['<a b=c/>', 'it is not well-formed XML (line 1)'],
    ['<!DOCTYPE a><a/>', 'it has a document type'],
    ['<!doctype html><p>Sorry', 'it has a document type'],
    ['<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'it has a document type'],
    ['<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]><a>&x;</a>', 'it has a document type'],
    ['<a>'.repeat(100_000), 'its elements are nested too deeply'],
  ])('%# that is none to us is refused', (broken, why) => {
    expect(refusalOf(broken)).toBe(why)
  })

  test('whose entities would grow a thousand million times is refused at once', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`)
    const bomb = `<!DOCTYPE feed [<!ENTITY e0 "ha">${levels.join('')}]><feed>&e9;</feed>`
    expect(refusalOf(bomb)).toBe('it has a document type')
    expect(refusalOf(`<feed>${'&e9;'.repeat(10)}</feed>`)).toMatch(/^it is not well-formed/)
  })

  test('fails with no other error, whatever its shape', () => {
    const pieces = fc.constantFrom(
      '<a>',
      '</a>',
      '<a b="',
      '"',
      '/>',
      '&lt;',
      '&',
      ';',
      '<!',
      '[CDATA[',
      ']]>',
      '--',
      'x',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((all) => all.join('')),
        ),
        (odd) => {
          expect(typeof refusalOf(odd)).toBe('string')
        },
      ),
      { numRuns: propertyRuns(500) },
    )
  })
})
