/** Every page that the routes of a recording site answer with: each path by examples, with every token, by GET and POST. */
import type { RouteOptions } from 'fastify'
import { GROUP, OTHERS_GROUP, type TestSite, TOKEN } from './recording-site.ts'

/** What stands for a parameter of this name; for any other a word that leads nowhere. */
const EXAMPLES: Record<string, readonly string[]> = {
  token: Object.values(TOKEN),
  paper: ['2604.11784', '2026-04-15', '2031-01-01', '2604.99999'],
  group: [GROUP, OTHERS_GROUP],
  invitation: [TOKEN.group],
  week: ['2026-W16', '2026-W54'],
  month: ['2026-04', '2026-13'],
  topic: ['agents', 'alchemy'],
  topics: ['all', 'agents'],
  id: ['12', '13'],
  author: ['ada-lovelace', 'nobody'],
  institution: ['plan-lab', 'nobody', '%3Cb%3E'],
}
const QUERIES: Record<string, readonly string[]> = {
  '/search': [
    '',
    '?q=agents',
    '?q=plan+lab',
    '?q=-',
    '?topic=agents&from=2026-04-01',
    '?from=2031-01-01&to=2026-01-01',
    '?topic=alchemy',
  ],
  '/preferences/:token/why': ['', '?paper=2604.11784', '?paper=2604.11785', '?paper=2604.99999', '?paper=agents'],
  '/embed': ['', '?topics=agents,robotics&page=http://lab.example.org/a?b', '?topics=alchemy&page=%3Cb%3E'],
  '/feeds/search.atom': ['?q=agents'],
  '/feeds/search.json': ['?q=agents'],
  '/preview': ['', '?topics=agents&keywords=Lean+4&authors=J.+Wang'],
}
const FORMS = [
  'email=ada%40',
  'act=pick&paper=agents&note=',
  'what=remove&member=b&name=Vision+Lab&only=yes&sure=yes',
  'what=set&url=https%3A%2F%2Fchat.example.org%2Fhooks%2Fa',
  'email=ada%40example.org&topics=agents&frequency=weekly&hour=7&timezone=Europe%2FLondon',
]

/** What only some routes do anything with. */
const LIBRARY = [
  `library=${encodeURIComponent('@misc{a, title = {<b>Agents</b> & tools}, author = {Byron, Ada}}\n<b>garbage')}`,
  'library=%3Cb%3E',
]
const FORMS_OF: Record<string, readonly string[]> = {
  '/subscribe/library': LIBRARY,
  '/preferences/:token/library': LIBRARY,
}

export interface AnsweredPage {
  /** `GET /topics/agents` */
  request: string
  route: string
  status: number
  html: string
}

/** The paths of a route with examples for its parameters, and queries. */
export const pathsOf = ({ url }: RouteOptions): string[] => {
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const paths = names.reduce(
    (known, name) =>
      known.flatMap((path) => (EXAMPLES[name] ?? ['nowhere']).map((one) => path.replace(`:${name}`, one))),
    [url],
  )
  return paths.flatMap((path) => (QUERIES[url] ?? ['']).map((query) => path + query))
}

/** Asks for all of them; answers of the same bytes are one page. */
export const readEveryPage = async ({ app, url }: TestSite): Promise<AnsweredPage[]> => {
  const pages = new Map<string, AnsweredPage>()
  const ask = async (route: string, method: string, path: string, body: string | null) => {
    const type = body === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await fetch(url + path, {
      method,
      body,
      redirect: 'manual',
      headers: { accept: 'text/html', ...type },
    })
    const html = await answer.text()
    if (!answer.headers.get('content-type')?.includes('html') || pages.has(html)) return
    pages.set(html, { request: `${method} ${path}`, route, status: answer.status, html })
  }
  const isPage = ({ url: path }: RouteOptions) => !/^\/api\/v1\/|\.\w+$/.test(path)
  for (const route of app.routeTable.filter(isPage))
    for (const path of pathsOf(route))
      if (route.method === 'GET') await ask(route.url, 'GET', path, null)
      else if (route.method === 'POST')
        for (const form of [...FORMS, ...(FORMS_OF[route.url] ?? [])]) await ask(route.url, 'POST', path, form)
  return [...pages.values()]
}
