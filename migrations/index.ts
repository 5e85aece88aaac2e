/** Every migration in order; the list is static, and what has landed is never changed. */
import type { Migration } from 'kysely/migration'
import * as theMainJob from './0001-the-main-job.ts'
import * as moreThanOneSource from './0002-more-than-one-source.ts'
import * as relevanceModels from './0003-relevance-models.ts'
import * as readersSteer from './0004-readers-steer.ts'
import * as theLedger from './0005-the-ledger.ts'
import * as waysInTrouble from './0006-ways-in-trouble.ts'
import * as deliveriesStandAlone from './0007-deliveries-stand-alone.ts'
import * as whatComesBack from './0008-what-comes-back.ts'
import * as newsOfPapers from './0009-news-of-papers.ts'
import * as oneDigestAfterTheOther from './0011-one-digest-after-the-other.ts'
import * as standardTerms from './0012-standard-terms.ts'

export const MIGRATIONS: Record<string, Migration> = {
  '0001-the-main-job': theMainJob,
  '0002-more-than-one-source': moreThanOneSource,
  '0003-relevance-models': relevanceModels,
  '0004-readers-steer': readersSteer,
  '0005-the-ledger': theLedger,
  '0006-ways-in-trouble': waysInTrouble,
  '0007-deliveries-stand-alone': deliveriesStandAlone,
  '0008-what-comes-back': whatComesBack,
  '0009-news-of-papers': newsOfPapers,
  '0011-one-digest-after-the-other': oneDigestAfterTheOther,
  '0012-standard-terms': standardTerms,
}
