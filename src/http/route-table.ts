/** The table of all routes, each of which says what it takes. */
import type { RouteOptions } from 'fastify'
import type { App } from './site.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is read as it came, since its octets are what is signed: it has no schema. */
    rawBody?: boolean
  }
  interface FastifyInstance {
    /** Every route that was added, HEAD beside each GET; complete once the site is ready. */
    routeTable: readonly RouteOptions[]
  }
}

/** Records the routes that are added from now on. A route whose schema leaves out what it takes fails the start. */
export const recordRoutes = (app: App): void => {
  const routes: RouteOptions[] = []
  app.decorate('routeTable', routes)
  app.addHook('onRoute', (route) => {
    const { url, method, schema, config } = route
    if (url.includes('/:') && schema?.params === undefined)
      throw new Error(`${method} ${url} has no schema of its parameters`)
    const reads = method === 'GET' || method === 'HEAD'
    if (!reads && schema?.body === undefined && config?.rawBody !== true)
      throw new Error(`${method} ${url} has no schema of its body`)
    routes.push(route)
  })
}

/** The methods that a path has, whatever stands for its parameters. */
export const methodsOf = (routes: readonly RouteOptions[], path: string): string[] => {
  const requested = path.split('/')
  const fits = (url: string): boolean => {
    const parts = url.split('/')
    return parts.length === requested.length && parts.every((part, i) => part.startsWith(':') || part === requested[i])
  }
  return [...new Set(routes.filter(({ url }) => fits(url)).flatMap(({ method }) => method))]
}
