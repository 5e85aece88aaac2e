/** The admin pages about readers as a browser shows them: narrow and wide, light and dark. */
import { describe, expect, test } from 'vitest'
import { walkAdminReaders } from '../support/browser/admin-readers-story.ts'
import { ADMIN_STORY_AT } from '../support/browser/admin-story.ts'
import { NEEDS_CHROMIUM } from '../support/browser/browser.ts'
import { judgeAdminPages } from '../support/browser/judged-admin-pages.ts'

describe.skipIf(NEEDS_CHROMIUM !== '')(`admin pages about readers in a browser${NEEDS_CHROMIUM}`, () => {
  test('none scrolls sideways, has a thing too small to press, or a fault that axe knows', {
    timeout: 240_000,
  }, async () => {
    expect(await judgeAdminPages(walkAdminReaders, { clock: ADMIN_STORY_AT })).toEqual([])
  })
})
