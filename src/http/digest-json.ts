/** A digest as JSON, by the link of its mail. */
import { Type } from 'typebox'
import { digestJsonOf } from '../core/digest/digest-json.ts'
import { type App, type Site, showDeadLink } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })

export const digestJsonRoutes = (app: App, { archive, pages }: Pick<Site, 'archive' | 'pages'>): void => {
  app.get('/digests/:token.json', { schema: { params: TokenParam } }, async (request, reply) => {
    const issue = await archive.readDigest(request.params.token)
    return issue === null ? showDeadLink(reply, pages) : digestJsonOf(issue)
  })
}
