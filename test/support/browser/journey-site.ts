/** The service that journeys are walked on, with the papers that come with it, and two papers to be found on it. */
import { findFreePort } from '../servers/free-port.ts'
import { startTestService, type TestService } from '../servers/service.ts'

/** The clock at the beginning. */
export const FIRST_DAY = '2026-04-07T12:00:00Z'

/** Instants, words and what they lead to, for one reader after another. */
export const FINDS = {
  delegation: {
    comes: FIRST_DAY,
    due: '2026-04-09T06:00:30Z',
    query: 'delegation provenance',
    paper: 'HDP: A Lightweight Cryptographic Protocol for Human Delegation Provenance in Agentic AI Systems',
    topic: 'LLM agents & tool use',
    suggests: '2604.00007',
  },
  graphs: {
    comes: '2026-04-09T12:00:00Z',
    due: '2026-04-11T06:00:30Z',
    query: 'graph agents',
    paper: 'AgentGL: Towards Agentic Graph Learning with LLMs via Reinforcement Learning',
    topic: 'LLM agents & tool use',
    suggests: '2604.00008',
  },
}

export const startJourneySite = async (): Promise<TestService> => {
  const settings = { PORT: String(await findFreePort()), PAPER_SOURCES: 'sample' }
  return startTestService({ clock: FIRST_DAY, settings, writePapers: async () => undefined })
}
