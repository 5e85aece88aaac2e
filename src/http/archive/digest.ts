/** A digest in the browser. */
import { Type } from 'typebox'
import { headingOf, offerLine, standfirstOf } from '../../core/digest/headline.ts'
import { type App, type Site, show, showDeadLink } from '../site.ts'

const TokenParam = Type.Object({ token: Type.String() })

export const digestRoutes = (app: App, { archive, pages }: Site): void => {
  app.get('/digests/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const issue = await archive.readDigest(request.params.token)
    if (issue === null) return showDeadLink(reply, pages)
    const { offer } = issue
    return show(reply, pages, 'digest', {
      ...issue,
      citeBase: `/digests/${request.params.token}`,
      heading: headingOf(issue),
      standfirst: standfirstOf(issue),
      offer: offer === undefined ? null : { topic: offer.topic, line: offerLine(offer) },
    })
  })
}
