/**
 * Colours by lightness, chroma and hue as eyes see them (Oklch, https://www.w3.org/TR/css-color-4/#ok-lab), and their
 * contrast. Ours, for it is these few lines: the kept library loads 120 files, in every process that reads its settings.
 */

/** `l` 0 (black) to 1 (white), `c` 0 (grey) to about 0.4, `h` in radians. */
export interface Oklch {
  l: number
  c: number
  h: number
}

type Triple = readonly [number, number, number]

const times = (matrix: readonly Triple[], [a, b, c]: Triple): Triple =>
  matrix.map(([x, y, z]) => x * a + y * b + z * c) as unknown as Triple
const each = ([a, b, c]: Triple, change: (value: number) => number): Triple => [change(a), change(b), change(c)]

/** Linear sRGB to the response of the eye's cones, and that to Oklab (https://bottosson.github.io/posts/oklab/). */
const TO_CONES: Triple[] = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
]
const TO_OKLAB: Triple[] = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
]
const FROM_OKLAB: Triple[] = [
  [1, 0.3963377774, 0.2158037573],
  [1, -0.1055613458, -0.0638541728],
  [1, -0.0894841775, -1.291485548],
]
const FROM_CONES: Triple[] = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.707614701],
]

/** `#rrggbb` in linear light, 0 to 1 (sRGB, IEC 61966-2-1). */
const linearOf = (hex: string): Triple => {
  const channels = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Triple
  return each(channels, (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
}

const channelOf = (linear: number): number =>
  linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.max(0, linear) ** (1 / 2.4) - 0.055

/** Reads `#rrggbb`. */
export const oklchOf = (hex: string): Oklch => {
  const [l, a, b] = times(TO_OKLAB, each(times(TO_CONES, linearOf(hex)), Math.cbrt))
  return { l, c: Math.hypot(a, b), h: Math.atan2(b, a) }
}

const channelsOf = ({ l, c, h }: Oklch): Triple =>
  each(
    times(
      FROM_CONES,
      each(times(FROM_OKLAB, [l, c * Math.cos(h), c * Math.sin(h)]), (cone) => cone ** 3),
    ),
    channelOf,
  )

/** How far beyond 0 and 1 a channel may lie, which rounding to a whole number of 255 takes back. */
const SLACK = 0.5 / 255
const isShown = (colour: Oklch): boolean => channelsOf(colour).every((value) => value >= -SLACK && value <= 1 + SLACK)

/** As `#rrggbb`: the colour itself, or of those of its lightness and hue that a screen shows the most colourful. */
export const hexOf = (colour: Oklch): string => {
  let [shown, beyond] = [0, colour.c]
  if (isShown(colour)) shown = colour.c
  else
    while (beyond - shown > 0.0001) {
      const c = (shown + beyond) / 2
      if (isShown({ ...colour, c })) shown = c
      else beyond = c
    }
  const channels = channelsOf({ ...colour, c: shown })
  return `#${channels
    .map((value) =>
      Math.round(Math.min(1, Math.max(0, value)) * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

const luminanceOf = (hex: string): number => {
  const [r, g, b] = linearOf(hex)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** The contrast of two colours as `#rrggbb`, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio). */
export const contrastOf = (one: string, other: string): number => {
  const [a, b] = [luminanceOf(one), luminanceOf(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}
