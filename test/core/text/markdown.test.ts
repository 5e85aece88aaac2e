import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { checkMarkdown, markdownToHtml, markdownToText } from '../../../src/core/text/markdown.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

test('Markdown becomes HTML whose headings begin below the title of the page', () => {
  expect(markdownToHtml('# One\n\nA *b* **c**, [d](https://example.org/?a=1&b=2).\n\n- e\n- f')).toBe(
    '<h2>One</h2>\n<p>A <em>b</em> <strong>c</strong>, <a href="https://example.org/?a=1&amp;b=2">d</a>.</p>\n<ul>\n<li>e</li>\n<li>f</li>\n</ul>',
  )
  expect(markdownToHtml('# One\n\n###### Six', { topHeading: 3 })).toBe('<h3>One</h3>\n<h6>Six</h6>')
})

test('tags get the attributes that they are given, where no stylesheet reaches', () => {
  const attributes = { p: { style: 'margin: 0' }, a: { class: 'act' } }
  expect(markdownToHtml('See <https://example.org>.', { attributes })).toBe(
    '<p style="margin: 0">See <a href="https://example.org" class="act">https://example.org</a>.</p>',
  )
})

test('the text says the same without marks, and where links lead', () => {
  const source = [
    '# Title',
    'See *our* [page](https://example.org), https://example.com or [write](mailto:us@example.org).',
    '1. one\n2. two\n   - inner\n   - more\n\n   again',
    '> quoted **text**\n>\n> - item',
    '```\ncode\n```',
    '***',
    'last',
  ].join('\n\n')
  expect(markdownToText(source)).toBe(
    [
      'Title',
      'See our page (https://example.org), https://example.com or write\n(us@example.org).',
      '1. one',
      '2. two\n   - inner\n   - more\n\n   again',
      '> quoted text\n>\n> - item',
      'code',
      '----',
      'last',
    ].join('\n\n'),
  )
})

describe('what would not work', () => {
  it.each([
    ['a\n<b>c</b>', 2, 'HTML can’t be used: write this in Markdown.'],
    ['a\n\n<div>\nb\n</div>', 3, 'HTML can’t be used: write this in Markdown.'],
    ['![a](https://example.org/a.png)', 1, 'Images can’t be used: link to the image instead.'],
    [
      '- a\n- [b](javascript:alert(1))',
      2,
      'This link leads to “javascript:alert(1)”; links begin with https://, http:// or mailto:.',
    ],
    ['a\nb [c](/privacy)', 2, 'This link leads to “/privacy”; links begin with https://, http:// or mailto:.'],
  ])('is named by line in %j', (source, line, problem) => expect(checkMarkdown(source)[0]).toEqual({ line, problem }))

  it('is a link that leads nowhere', () => {
    expect(checkMarkdown('[a]()')).toHaveLength(1)
    expect(markdownToHtml('[a]() [*b*]( ) [c](https://example.org)')).toBe(
      '<p>a <em>b</em> <a href="https://example.org">c</a></p>',
    )
    expect(markdownToText('[a]()')).toBe('a')
  })

  it('is not a path of the site where those are allowed', () => {
    expect(checkMarkdown('[a](/privacy)', { paths: true })).toEqual([])
    expect(markdownToHtml('[a](/privacy)', { paths: true })).toBe('<p><a href="/privacy">a</a></p>')
    expect(checkMarkdown('[a](//example.org)', { paths: true })).toHaveLength(1)
  })

  it('is nothing in ordinary text', () => expect(checkMarkdown('# a < b\n\n`<c>` and a@b.example, 3 > 2')).toEqual([]))
})

const TAG =
  /<\/?(?:p|h[2-6]|em|strong|s|ul|ol|li|blockquote|pre|code|hr|br|table|thead|tbody|tr|t[hd]|a)(?: (?:href="(?:https?:\/\/|mailto:)[^"<>]*"|title="[^"<>]*"|class="language-[^"<>]*"|start="\d+"|style="text-align:(?:left|right|center)"))*>/gi

const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(
      '<script>',
      '<img src=x onerror=1>',
      '[a](',
      'javascript:',
      'data:text/html,',
      ')',
      '![',
      '](',
      '"',
    ),
    fc.constantFrom(
      '&lt;',
      '`',
      '```\n',
      '\n',
      '\n\n',
      '- ',
      '1. ',
      '> ',
      '<https://e.org/',
      '>',
      '| a |\n| - |\n',
      '\0',
    ),
    fc.constantFrom(
      'vbscript:',
      'JAVASCRIPT&colon;',
      '&#x6a;avascript:',
      '[b]: javascript:1 "t"\n',
      '[b]',
      '<!--',
      ']]>',
    ),
    fc.string({ maxLength: 6 }),
  ),
  { maxLength: 20 },
)

test('whatever is written, no tag, attribute or link comes out that is not ours', () => {
  fc.assert(
    fc.property(hostile, (parts) => {
      expect(markdownToHtml(parts.join('')).replace(TAG, '')).not.toMatch(/[<>]/)
    }),
    { numRuns: propertyRuns(1_000) },
  )
})

test('whatever is written, it becomes text and is checked without an error', () => {
  fc.assert(
    fc.property(hostile, (parts) => {
      const source = parts.join('')
      expect(typeof markdownToText(source)).toBe('string')
      const lines = source.split('\n').length
      for (const { line } of checkMarkdown(source)) expect(line).toBeLessThanOrEqual(lines + 1)
    }),
    { numRuns: propertyRuns(1_000) },
  )
})
