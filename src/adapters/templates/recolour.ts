/** The accent colour of an installation in the stylesheet, the emails and the icon, in place of the built-in one. */
import { type Accent, BUILT_IN } from '../../core/branding/accent.ts'

/** The mark before the name, which is no link: in the stylesheet it has a colour that nothing else may change. */
const MARK = 'fill: var(--pencil);\n  stroke: var(--margin);'

/** Puts the shades of the accent where the template has the built-in ones; `null` leaves all as it is. */
export const recolour = (template: string, accent: Accent | null): string => {
  if (accent === null) return template
  const { light, dark } = BUILT_IN
  const shades: Record<string, string> = {
    [light.act]: accent.light.act,
    [light.wash]: accent.light.wash,
    [dark.act]: accent.dark.act,
    [dark.wash]: accent.dark.wash,
  }
  return template
    .replace(/#[0-9a-f]{6}\b/g, (colour) => shades[colour] ?? colour)
    .replace(MARK, 'fill: var(--act);\n  stroke: var(--act);')
}
