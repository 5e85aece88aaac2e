/** The settings of the name and looks under which readers know this installation, and the folder of its own files. */
import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Accent, readAccent } from '../../src/core/branding/accent.ts'
import { type Branding, type BrandingTexts, readBrandingText, UNBRANDED } from '../../src/core/branding/branding.ts'
import { type Logo, readLogo } from '../../src/core/branding/logo.ts'
import { nameProblem } from '../../src/core/branding/service-name.ts'
import type { Settings } from './settings.ts'

export interface BrandingConfig {
  branding: Branding
}

const LOGOS: readonly string[] = ['logo.svg', 'logo.png'] satisfies Logo['name'][]
const TEXTS = Object.keys(UNBRANDED.texts).map((name) => `${name}.md`)
const KNOWN = [...LOGOS, ...TEXTS]

/** In the working directory, as `DATA_DIR`; git and the image leave it alone. */
const DEFAULT_FOLDER = 'branding'

export const readBranding = (settings: Settings): BrandingConfig => ({
  branding: {
    name: settings.read('SERVICE_NAME', UNBRANDED.name, (text) => {
      const problem = nameProblem(text)
      if (problem !== null) throw new Error(problem)
      return text
    }),
    accent: settings.read('ACCENT_COLOUR', null, (text): Accent => {
      const accent = readAccent(text)
      if ('problem' in accent) throw new Error(accent.problem)
      return accent
    }),
    ...readFolder(settings),
  },
})

/** The files of the folder; what cannot be used, and what has a name that means nothing, is a fault. */
const readFolder = ({ get, fault }: Settings): Pick<Branding, 'logo' | 'texts'> => {
  const given = get('BRANDING_DIR')
  const folder = resolve(given ?? DEFAULT_FOLDER)
  const texts: BrandingTexts = { ...UNBRANDED.texts }
  const entries = listFolder(folder, given === null)
  if ('problem' in entries) {
    fault('BRANDING_DIR', entries.problem)
    return { logo: null, texts }
  }
  let logo: Logo | null = null
  const names = entries.map(({ name }) => name)
  for (const name of names.filter((one) => !KNOWN.includes(one)))
    fault('BRANDING_DIR', `${join(folder, name)} is none of ${KNOWN.join(', ')}`)
  if (LOGOS.every((name) => names.includes(name))) fault('BRANDING_DIR', `has ${LOGOS.join(' and ')}; leave one`)
  for (const name of names.filter((one) => KNOWN.includes(one))) {
    const path = join(folder, name)
    const content = readBytes(path)
    if (content === null) fault('BRANDING_DIR', `${path} cannot be read`)
    else if (name === 'logo.svg' || name === 'logo.png') {
      const read = readLogo(name, content)
      if ('problem' in read) fault('BRANDING_DIR', `${path} ${read.problem}`)
      else logo = read
    } else {
      const text = name.replace(/\.md$/, '') as keyof BrandingTexts
      const read = readBrandingText(text, content)
      if ('problems' in read) for (const problem of read.problems) fault('BRANDING_DIR', `${path} ${problem}`)
      else texts[text] = read.text
    }
  }
  return { logo, texts }
}

/** What is in the folder, hidden files apart; nothing where it `mayLack`. */
const listFolder = (folder: string, mayLack: boolean): Dirent[] | { problem: string } => {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
  } catch (error) {
    if (mayLack && (error as NodeJS.ErrnoException).code === 'ENOENT') return []
    return { problem: `${folder} is no folder that can be read` }
  }
}

const readBytes = (path: string): Buffer | null => {
  try {
    return readFileSync(path)
  } catch {
    return null
  }
}
