/** The accent colour of an installation: its shades in light and dark, and the contrast that they need. */
import { contrastOf, hexOf, oklchOf } from './oklch.ts'

/** Of one scheme, each as `#rrggbb`. */
export interface Shades {
  /** Links, buttons and what is chosen. */
  act: string
  /** The ground of a notice and of what is chosen. */
  wash: string
}

export interface Accent {
  light: Shades
  dark: Shades
}

type Scheme = keyof Accent

/** What `templates` have where no accent is set, and the grounds that their links stand on (`site.css`, `head.mjml`, `digest.html.liquid`). */
export const BUILT_IN: Record<Scheme, Shades & { grounds: readonly string[] }> = {
  light: { act: '#12543b', wash: '#dce8d4', grounds: ['#f2f4e8', '#fafbf3'] },
  dark: { act: '#94d0b1', wash: '#24382d', grounds: ['#131915', '#1b231d'] },
}

/** WCAG 2.2, 1.4.3 (AA). What a control is known by needs 3:1 (1.4.11), which this includes. */
const TEXT_CONTRAST = 4.5
/** How light links are in dark where the accent was chosen for light. */
const DARK_LIGHTNESS = 0.8
const STEP = 0.002

/** The built-in wash in the hue of the accent, and no more colourful than it. */
const washOf = (act: string, scheme: Scheme): string => {
  const { c, h } = oklchOf(act)
  const builtIn = oklchOf(BUILT_IN[scheme].wash)
  return hexOf({ l: builtIn.l, c: Math.min(c, builtIn.c), h })
}

const shadesOf = (act: string, scheme: Scheme): Shades => ({ act, wash: washOf(act, scheme) })

/** The ground on which a colour of links is read worst, and the contrast there. */
const worstOf = (act: string, scheme: Scheme): { ground: string; ratio: number } =>
  [...BUILT_IN[scheme].grounds, washOf(act, scheme)]
    .map((ground) => ({ ground, ratio: contrastOf(act, ground) }))
    .reduce((worst, one) => (one.ratio < worst.ratio ? one : worst))

const passes = (act: string, scheme: Scheme): boolean => worstOf(act, scheme).ratio >= TEXT_CONTRAST

/** The colour of the same hue, and where it can be of the same chroma, that is just dark or light enough to be read. */
const nearestPassing = (act: string, scheme: Scheme): string => {
  const given = oklchOf(act)
  const step = scheme === 'light' ? -STEP : STEP
  let l = given.l
  while (!passes(hexOf({ ...given, l }), scheme) && l > 0 && l < 1) l += step
  return hexOf({ ...given, l: Math.min(1, Math.max(0, l)) })
}

const HEX = /^#[0-9a-f]{6}$/i

/** A ratio as it is written, never rounded up to one that would pass. */
const inWords = (ratio: number): string => `${(Math.floor(ratio * 10) / 10).toFixed(1)}:1`

/**
 * Reads one colour, from which the one in dark is derived, or two by a comma, for light and dark. `problem`: a clause that
 * says what does not pass, its contrast, and the nearest colour that does.
 */
export const readAccent = (text: string): Accent | { problem: string } => {
  const colours = text.split(',').map((colour) => colour.trim().toLowerCase())
  const [light = '', dark] = colours
  const odd = colours.find((colour) => !HEX.test(colour))
  if (odd !== undefined || colours.length > 2)
    return { problem: `is one colour such as #0b5fa5, or two by a comma, for light and dark` }
  for (const [scheme, act] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    if (act === undefined || passes(act, scheme)) continue
    const { ground, ratio } = worstOf(act, scheme)
    const nearest = nearestPassing(act, scheme)
    return {
      problem: `${act} on ${ground}, a ground of the ${scheme} theme, has a contrast of ${inWords(ratio)}; text needs 4.5:1 (WCAG 2.2 AA). The nearest that passes is ${nearest}`,
    }
  }
  return { light: shadesOf(light, 'light'), dark: shadesOf(dark ?? derivedDark(light), 'dark') }
}

const derivedDark = (light: string): string => {
  const given = oklchOf(light)
  return nearestPassing(hexOf({ ...given, l: Math.max(given.l, DARK_LIGHTNESS) }), 'dark')
}
