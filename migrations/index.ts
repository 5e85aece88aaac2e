/**
 * Every migration in order; the list is static, and what has landed is never changed. A new one has the next number and
 * keeps to the rule of `migration.ts`: expand, then contract in a later release.
 *
 * There is no 0010 and no 0018: no version ever had one, so none may be added now, for databases with later ones would take
 * it for new.
 */

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
import * as schemaCompatibility from './0013-schema-compatibility.ts'
import * as lettersByDigest from './0014-letters-by-digest.ts'
import * as suppressedByEdition from './0015-suppressed-by-edition.ts'
import * as sendLimits from './0016-send-limits.ts'
import * as setAside from './0017-set-aside.ts'
import * as anOperatorRecovers from './0019-an-operator-recovers.ts'
import * as alarms from './0020-alarms.ts'
import * as excerpts from './0021-excerpts.ts'
import * as papersListed from './0023-papers-listed.ts'
import * as signUpLimits from './0024-sign-up-limits.ts'
import * as trending from './0025-trending.ts'
import * as accountLinks from './0026-account-links.ts'
import * as personalData from './0027-personal-data.ts'
import * as toldChanges from './0028-told-changes.ts'
import * as paperSearch from './0030-paper-search.ts'
import * as curation from './0031-curation.ts'
import * as votes from './0032-votes.ts'
import * as institutions from './0033-institutions.ts'
import * as bringAList from './0034-bring-a-list.ts'
import * as voteLinks from './0035-vote-links.ts'
import * as lettersToCurators from './0036-letters-to-curators.ts'
import * as operators from './0037-operators.ts'
import * as announcements from './0038-announcements.ts'
import * as eventWebhooks from './0039-event-webhooks.ts'
import * as missedInOrder from './0040-missed-in-order.ts'
import * as preprintsOfBiology from './0041-preprints-of-biology.ts'
import * as dailyFigures from './0043-daily-figures.ts'
import * as announcementsToTry from './0045-announcements-to-try.ts'
import * as tastes from './0046-tastes.ts'
import * as tasteProposals from './0047-taste-proposals.ts'
import * as paperFollowUp from './0048-paper-follow-up.ts'
import * as cadence from './0049-cadence.ts'
import * as savedPapers from './0050-saved-papers.ts'
import * as groups from './0051-groups.ts'
import * as archiveChanges from './0057-archive-changes.ts'
import type { Migration } from './migration.ts'

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
  '0013-schema-compatibility': schemaCompatibility,
  '0014-letters-by-digest': lettersByDigest,
  '0015-suppressed-by-edition': suppressedByEdition,
  '0016-send-limits': sendLimits,
  '0017-set-aside': setAside,
  '0019-an-operator-recovers': anOperatorRecovers,
  '0020-alarms': alarms,
  '0021-excerpts': excerpts,
  '0023-papers-listed': papersListed,
  '0024-sign-up-limits': signUpLimits,
  '0025-trending': trending,
  '0026-account-links': accountLinks,
  '0027-personal-data': personalData,
  '0028-told-changes': toldChanges,
  '0030-paper-search': paperSearch,
  '0031-curation': curation,
  '0032-votes': votes,
  '0033-institutions': institutions,
  '0034-bring-a-list': bringAList,
  '0035-vote-links': voteLinks,
  '0036-letters-to-curators': lettersToCurators,
  '0037-operators': operators,
  '0038-announcements': announcements,
  '0039-event-webhooks': eventWebhooks,
  '0040-missed-in-order': missedInOrder,
  '0041-preprints-of-biology': preprintsOfBiology,
  '0043-daily-figures': dailyFigures,
  '0045-announcements-to-try': announcementsToTry,
  '0046-tastes': tastes,
  '0047-taste-proposals': tasteProposals,
  '0048-paper-follow-up': paperFollowUp,
  '0049-cadence': cadence,
  '0050-saved-papers': savedPapers,
  '0051-groups': groups,
  '0057-archive-changes': archiveChanges,
}

/**
 * Migrations that landed after ones with a higher number, with those that a database may have had before them. Each pair
 * touches different tables or columns, or leaves what both change to a later one (the kinds of letters: 0036), so that both orders
 * end in the same schema; any other order is none of ours.
 */
export const EARLIER_ORDERS: Record<string, readonly string[]> = {
  '0006-ways-in-trouble': ['0007-deliveries-stand-alone'],
  '0008-what-comes-back': ['0009-news-of-papers'],
  '0025-trending': ['0026-account-links', '0027-personal-data'],
  '0026-account-links': ['0027-personal-data'],
  '0031-curation': ['0032-votes', '0033-institutions', '0034-bring-a-list', '0035-vote-links'],
  '0038-announcements': ['0041-preprints-of-biology', '0043-daily-figures'],
  '0039-event-webhooks': ['0040-missed-in-order', '0041-preprints-of-biology', '0043-daily-figures'],
  '0040-missed-in-order': ['0041-preprints-of-biology', '0043-daily-figures'],
  '0041-preprints-of-biology': ['0043-daily-figures'],
  '0046-tastes': ['0047-taste-proposals', '0048-paper-follow-up', '0049-cadence', '0050-saved-papers'],
  '0047-taste-proposals': ['0048-paper-follow-up', '0049-cadence'],
  '0048-paper-follow-up': ['0049-cadence'],
}
