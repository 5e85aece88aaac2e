/** A page of another site with what the page about embedding writes for it: its form, and its frame, in a browser without script. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NEEDS_CHROMIUM, type TestBrowser } from '../support/browser/browser.ts'
import { openSharedBrowser } from '../support/browser/shared-browser.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'

const DAYS = '08 09 10 13'.split(' ').map((day) => `2026-04-${day}`)
const WITHOUT_SCRIPT = { javaScriptEnabled: false, viewport: { width: 360, height: 740 } }

/** A site of somebody else: by another name of this machine, so that a browser takes it for one. */
const openOtherSite = async () => {
  const pages = new Map<string, string>()
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(pages.get(request.url ?? '') ?? '<!doctype html><title>Lab</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe.skipIf(NEEDS_CHROMIUM !== '')(`what other sites embed, in a browser${NEEDS_CHROMIUM}`, () => {
  let browser: TestBrowser
  let service: TestService
  beforeAll(async () => {
    const PORT = String(await findFreePort())
    const settings = { PORT, BASE_URL: `http://localhost:${PORT}` }
    service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: DAYS, settings })
    browser = await openSharedBrowser()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  test('the HTML that is copied subscribes from a page of another site, whose reader comes back to it', async () => {
    await using lab = await openOtherSite()
    await using window = await browser.openWindow(WITHOUT_SCRIPT)
    const { page, context } = window
    await page.goto(`${service.url}/embed`)
    await page.locator('summary').first().click()
    await page.check('input[value=agents]')
    await page.fill('#page', `${lab.url}/reading`)
    await page.getByRole('button', { name: 'Write the HTML' }).click()
    const [form, frame] = [await page.inputValue('#form-html'), await page.inputValue('#frame-html')]
    lab.pages.set('/reading', `<!doctype html><title>Lab</title><h1>What we read</h1>${form}${frame}`)

    await page.goto(`${lab.url}/reading`)
    await page.getByLabel('Email').fill('ada@example.org')
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await page.getByRole('heading', { level: 1, name: 'Subscribe to Paper Round' }).waitFor()
    expect(await page.innerText('.lede')).toContain(new URL(lab.url).host)
    expect(page.url()).toBe(`${service.url}/embed/subscribe`)
    expect(await page.isChecked('input[value=agents]')).toBe(true)
    service.setClock('2026-04-14T05:30:00Z')
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
    await page.waitForURL('**/check-inbox/*')
    expect(await page.innerText('.lede')).toContain('ada@example.org')
    await page.getByRole('link', { name: `Back to ${new URL(lab.url).host}` }).click()
    expect(page.url()).toBe(`${lab.url}/reading`)
    expect(await page.innerText('h1')).toBe('What we read')
    const { links } = await service.mail.waitFor('ada@example.org', 1)
    await page.goto(service.url + links.get('confirm'))
    expect(await page.innerText('main')).toContain('LLM agents')
    expect(await context.cookies()).toEqual([])
  })

  test('the frame shows papers on a page of another site, and a press opens one in a new tab', async () => {
    await using lab = await openOtherSite()
    await using window = await browser.openWindow(WITHOUT_SCRIPT)
    const { page, context } = window
    await page.goto(`${service.url}/embed?topics=robotics`)
    lab.pages.set('/', `<!doctype html><title>Lab</title>${await page.inputValue('#frame-html')}`)
    await page.goto(lab.url)
    const papers = page.frameLocator('iframe').locator('li h2 a')
    await papers.first().waitFor()
    expect(await papers.count()).toBeGreaterThan(2)
    const title = await papers.first().innerText()
    const [opened] = await Promise.all([context.waitForEvent('page'), papers.first().click()])
    await opened.waitForURL(`${service.url}/papers/*`)
    expect(await opened.innerText('h1')).toBe(title)
    expect(page.url()).toBe(`${lab.url}/`)
    expect(await context.cookies()).toEqual([])
  })
})
