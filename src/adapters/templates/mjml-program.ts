/**
 * Compiles MJML in a process of its own that ends with the work: loading the compiler takes 100 MB, which a service that
 * needs it for one moment, at its start, would keep. Reads an object of sources by name on its input and writes the same
 * of HTML.
 */
import { text } from 'node:stream/consumers'
import mjml2html from 'mjml'

const sources = Object.entries(JSON.parse(await text(process.stdin)) as Record<string, string>)
const compiled = await Promise.all(
  sources.map(async ([name, source]) => {
    // Without `fonts: {}` MJML sees "Roboto" in our font list and links it from Google, which tells them who reads.
    const { html } = await mjml2html(source, { fonts: {}, ignoreIncludes: true, validationLevel: 'strict' })
    return [name, html] as const
  }),
)
process.stdout.write(JSON.stringify(Object.fromEntries(compiled)))
