/** The logo as emails show it: a PNG, which every mail program knows, on paper where a dark theme would swallow it. */
import { type Logo, logoBox, MAIL_LOGO, mailLogoPath } from '../core/branding/logo.ts'

/** Pixels for each that it takes: for screens of twice the density. */
const DENSITY = 2
/** The ground of emails in light (`head.mjml`), so that there no edge is seen. */
const PAPER = '#f2f4e8'

/** Of the values of a pixel's opacity. */
const HALF = 128
/** A logo that covers this share of its box, such as a badge or a disc, has its own ground, and is seen on any other. */
const OWN_GROUND = 0.7

/**
 * Draws it; rejects with an error that names the file where it cannot be drawn, or nothing is seen of it. `onPaper`: it has no
 * ground of its own, and needs one in dark.
 */
export const drawMailLogo = async (logo: Logo) => {
  const { createCanvas, loadImage } = await import('@napi-rs/canvas')
  const { width, height } = logoBox(logo, MAIL_LOGO)
  const canvas = createCanvas(width * DENSITY, height * DENSITY)
  const draw = canvas.getContext('2d')
  const image = await loadImage(sized(logo, canvas)).catch((cause: Error) => {
    throw new Error(`${logo.name} cannot be drawn: ${cause.message}`, { cause })
  })
  draw.drawImage(image, 0, 0, canvas.width, canvas.height)
  const { data } = draw.getImageData(0, 0, canvas.width, canvas.height)
  const opaque = data.filter((value, at) => at % 4 === 3 && value > HALF).length / (canvas.width * canvas.height)
  if (opaque === 0) throw new Error(`${logo.name} draws nothing`)
  const onPaper = opaque < OWN_GROUND
  if (onPaper) {
    draw.globalCompositeOperation = 'destination-over'
    draw.fillStyle = PAPER
    draw.fillRect(0, 0, canvas.width, canvas.height)
  }
  const href = mailLogoPath(logo)
  const file = { href, type: 'image/png', content: await canvas.encode('png'), version: href.replace(/^.*=/, '') }
  return { file, onPaper }
}

/** An SVG with the size that it is drawn in, or the canvas would draw it in its own units and scale the pixels. */
const sized = (logo: Logo, { width, height }: { width: number; height: number }): Buffer => {
  const { type, content } = logo
  if (type === 'image/png') return content
  const text = content.toString('utf8')
  return Buffer.from(
    text.replace(/<svg\b[^>]*>/, (tag) => {
      const bare = tag.replace(/\s(?:width|height)\s*=\s*(?:"[^"]*"|'[^']*')/g, '')
      const box = /\sviewBox\s*=/.test(bare) ? '' : ` viewBox="0 0 ${logo.width} ${logo.height}"`
      return bare.replace(/^<svg\b/, `<svg width="${width}" height="${height}"${box}`)
    }),
  )
}
