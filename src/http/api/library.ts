/** What a library suggests to follow. */
import { Type } from 'typebox'
import { readSent, refuseLibrary, volumeOf } from '../library.ts'
import { LibraryBody, TAKES_LIBRARY, takeLibraries } from '../library-upload.ts'
import { chosenOf, libraryJsonOf } from '../library-view.ts'
import type { App, PublicSite } from '../site.ts'
import { orNull, PROBLEMS } from './schema.ts'

const OFFER = {
  entries: Type.Integer({ description: 'Papers of the library, of those used, that it is in' }),
  chosen: Type.Boolean({ description: 'Whether the page would tick it' }),
}
const Suggested = Type.Object(
  {
    format: orNull(Type.String(), 'BibTeX, RIS, JSON, CSV, RDF or a list of papers'),
    read: Type.Integer({ description: 'Papers that could be read, each once' }),
    used: Type.Integer({ description: 'Of these the newest with a title, by which all is suggested' }),
    notHeld: Type.Integer({ description: 'Papers that are an id alone, and not in the archive' }),
    perWeek: orNull(Type.Number(), 'Papers a week that what is chosen would bring; null where none are held'),
    topics: Type.Array(Type.Object({ slug: Type.String(), label: Type.String(), ...OFFER })),
    keywords: Type.Array(Type.Object({ keyword: Type.String(), ...OFFER })),
    authors: Type.Array(Type.Object({ name: Type.String(), ...OFFER })),
    faults: Type.Array(
      Type.Object({
        line: Type.Integer({ description: 'From 1' }),
        problem: Type.String(),
        expected: Type.String({ description: 'What would be right' }),
      }),
      { description: 'What could not be used, at most a thousand' },
    ),
    moreFaults: Type.Integer({ description: 'Those that are left out here' }),
  },
  { title: 'Suggestions', description: 'What the library suggests to follow' },
)

export const libraryApi = (app: App, site: PublicSite): void => {
  app.register(async (scope: App) => {
    await takeLibraries(scope, site)
    scope.post(
      '/api/v1/library',
      {
        ...TAKES_LIBRARY,
        schema: {
          tags: ['Digests'],
          operationId: 'readLibrary',
          summary: 'What to follow, by the library of a reference manager',
          description:
            'BibTeX, RIS, CSL JSON, Better BibTeX JSON, Zotero’s CSV or RDF, or a list of arXiv ids, told apart by content, at most 20 MB: as the body itself (text/plain), as a file of a form, or in JSON. Nothing of it is kept.',
          body: LibraryBody,
          response: { 200: Suggested, ...PROBLEMS },
        },
      },
      async (request, reply) => {
        const read = await readSent(site, request.body)
        if ('problem' in read) return refuseLibrary(reply, read)
        return libraryJsonOf(read.suggestions, await volumeOf(site.previews, chosenOf(read.suggestions)))
      },
    )
  })
}
