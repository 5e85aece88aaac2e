/** The links “More like this” and “Less like this”, and the page “What you seem to like”. */
import { expect, it } from 'vitest'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const MORE = `/more/${TOKEN.vote}/2604.11784`
const LIKES = `/preferences/${TOKEN.preferences}/likes`

const press = (url: string, body: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(body) })

it('a link opens a page with one button and changes nothing; a press says what was learned, and another takes it back', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + MORE)).text()
  expect(page).toContain('<h1>More like this?</h1>')
  expect(page.match(/<button/g)).toHaveLength(1)
  await fetch(site.url + MORE, { method: 'HEAD' })
  expect(site.changes).toEqual([])

  const pressed = await (await press(site.url + MORE)).text()
  expect(pressed).toContain('You will see more about masked diffusion and small models.')
  expect(pressed).toContain('name="undo" value="yes">Undo</button>')
  expect(await (await press(site.url + MORE.replace('more', 'less'))).text()).toContain(
    'You will see less about masked',
  )
  expect(await (await press(site.url + MORE, { undo: 'yes' })).text()).toContain('<h1>Taken back</h1>')
  expect(site.changes).toEqual([
    ['press', TOKEN.vote, '2604.11784', 'more'],
    ['press', TOKEN.vote, '2604.11784', 'less'],
    ['takeBackTaste', TOKEN.vote, '2604.11784'],
  ])
})

it('a link, which may be forwarded, leads to what else can be said of the paper and never to what its reader likes', async () => {
  await using site = await openTestSite()
  for (const path of ['vote', 'save', 'more', 'less']) {
    const url = `${site.url}/${path}/${TOKEN.vote}/2604.11784`
    for (const answer of [await fetch(url), await press(url)]) {
      const page = await answer.text()
      expect(page).not.toMatch(/\/preferences\/|\/likes/)
      for (const other of ['vote', 'save', 'more', 'less'].filter((one) => one !== path))
        expect(page).toContain(`href="/${other}/${TOKEN.vote}/2604.11784"`)
    }
  }
})

it('programs are told what a press came to, and every wrong link is refused', async () => {
  await using site = await openTestSite()
  const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
  expect(await (await fetch(site.url + MORE, json)).json()).toEqual({
    status: 'learnt',
    about: ['masked diffusion', 'small models'],
  })
  for (const method of ['GET', 'POST'])
    for (const path of [
      `/more/${TOKEN.preferences}/2604.11784`,
      `/less/${TOKEN.vote}/2604.99999`,
      '/less/x/2604.11784',
    ])
      expect((await fetch(site.url + path, { method })).status).toBe(404)
})

it('the page says what its reader seems to like, with a button for each line and each paper', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + LIKES)).text()
  expect(page).toContain('You seem to like: masked diffusion, Reasoning &amp; planning; less: benchmarks.')
  expect(page.match(/name="remove"/g)).toHaveLength(3)
  expect(page).toContain('name="restore" value="author:ada lovelace"')
  expect(page).toContain('name="forget" value="2604.11784"')
  expect(site.changes).toEqual([])
  const settings = await (await fetch(`${site.url}/preferences/${TOKEN.preferences}`)).text()
  expect(settings).toContain(`<a href="${LIKES}">What you seem to like</a>`)
})

it('each of its buttons does one thing and says so; a body that asks for nothing changes nothing', async () => {
  await using site = await openTestSite()
  const said: string[] = []
  for (const body of [
    { remove: 'masked diffusion' },
    { restore: 'author:ada lovelace' },
    { forget: '2604.11784' },
    { use: 'no' },
    { use: 'yes' },
    { reset: 'yes' },
  ]) {
    const page = await (await press(site.url + LIKES, body)).text()
    said.push(/role="status">([^<]*)</.exec(page)?.[1] ?? '')
  }
  expect(said).toEqual([
    'Removed. It won’t come back by itself.',
    'It counts again.',
    'Taken back. Nothing is learned from that paper now.',
    'Turned off. Nothing was forgotten.',
    'Turned on.',
    'Everything is forgotten.',
  ])
  const done = [...site.changes]
  expect(done.map(([name]) => name)).toEqual(['removeTerm', 'restoreTerm', 'forgetPress', 'turnOff', 'turnOn', 'reset'])
  for (const body of [{}, { use: 'perhaps' }]) expect((await press(site.url + LIKES, body)).status).toBe(400)
  expect(site.changes).toEqual(done)
})

it('the authors of one paper do not stand for what it is about, and one who stands out does', async () => {
  const line = (kind: 'words' | 'author', label: string, share: number) => ({
    ...{ term: kind === 'author' ? `author:${label}` : label, kind, label, direction: 'more' as const, share },
  })
  const words = [line('words', 'speak', 0.95), line('words', 'masked diffusion', 0.9)]
  const sentenceOf = async (authors: ReturnType<typeof line>[]) => {
    await using site = await openTestSite({ taste: { lines: [...authors, ...words] } })
    return (await (await fetch(site.url + LIKES)).text()).match(/You seem to like: [^.]+\./)?.[0]
  }
  expect(await sentenceOf(['Ada', 'Grace', 'Lise'].map((name) => line('author', name, 1)))).toBe(
    'You seem to like: masked diffusion.',
  )
  expect(await sentenceOf([line('author', 'Ada', 1), line('author', 'Grace', 0.3)])).toBe(
    'You seem to like: Ada, masked diffusion.',
  )
})

it('programs get it as JSON, and a link to vote, an altered one, or one to unsubscribe does not open it', async () => {
  await using site = await openTestSite()
  const json = { accept: 'application/json' }
  expect(await (await fetch(site.url + LIKES, { headers: json })).json()).toMatchObject({
    on: true,
    sentence: 'You seem to like: masked diffusion, Reasoning & planning; less: benchmarks.',
    papers: [{ id: '2604.11784', direction: 'more' }],
  })
  const bodyOf = (method: string) => (method === 'POST' ? new URLSearchParams({ use: 'yes' }) : null)
  for (const token of [TOKEN.vote, TOKEN.unsubscribe, 'x'])
    for (const method of ['GET', 'POST'])
      expect((await fetch(`${site.url}/preferences/${token}/likes`, { method, body: bodyOf(method) })).status).toBe(404)
})

it('before the first press it tells how it begins, and has nothing to change', async () => {
  await using site = await openTestSite({ taste: { on: false, lines: [], removed: [], presses: [] } })
  const page = await (await fetch(site.url + LIKES)).text()
  expect(page).toContain('It begins with your first press of “More like this” or “Less like this”')
  expect(page).not.toContain('<button')
})
