/** What `node workers/admin.ts` runs: `admin.ts` is a link to this file, for the reason that `main.cjs` gives. */
require('./preload.cjs')

void import('./admin-program.ts')
