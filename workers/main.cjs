/**
 * What `node workers/main.ts` runs: `main.ts` is a link to this file. Node loads the target of a link, and this one every
 * Node can load, so that an old one says what to type. A `.ts` file would end it in its loader, before any line of ours.
 */
require('./preload.cjs')

void import('./service-program.ts')
