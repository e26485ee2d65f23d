/**
 * The sample cluster as examples show it: its file, and a job that has been
 * done. What would change it changes nothing, and answers as if it had.
 */
import type { Backend } from '../lib/backend/backend.ts'
import { configFileBackend } from '../lib/backend/config-file/config-file-backend.ts'
import { query, queryRows } from '../lib/backend/config-file/query/query.ts'
import type { Config } from '../lib/model/config.ts'
import type { Job, Timestamp } from '../lib/model/job.ts'
import { completeOpcode } from '../lib/model/opcodes/table.ts'
import type { QueueView } from '../lib/model/queue-view.ts'

const BEGUN: Timestamp = [1_700_000_000, 0]
const ENDED: Timestamp = [1_700_000_002, 500_000]
const BEGUN_NANOSECONDS = 1_700_000_000_000_000_000n

export function sampleBackend(config: Config): Backend {
  const input = completeOpcode(
    {
      OP_ID: 'OP_INSTANCE_SHUTDOWN',
      instance_name: 'db.example.com',
      timeout: 60,
      reason: [
        ['gnt:library:rlib2:instances_name_shutdown', '', BEGUN_NANOSECONDS],
        ['gnt:opcode:instance_shutdown', 'job=1;index=0', BEGUN_NANOSECONDS],
      ],
    },
    config.version,
  )
  const times = { start: BEGUN, exec: BEGUN, end: ENDED }
  const job: Job = {
    id: 1,
    ops: [{ input, status: 'success', result: null, log: [], priority: 0, ...times }],
    received: BEGUN,
    start: BEGUN,
    end: ENDED,
  }
  const view: QueueView = { jobs: [job], job: (id) => (id === '1' ? job : undefined), locks: [] }
  const backend = configFileBackend(() => config)
  return {
    ...backend,
    // Of the machine that this runs on, and so not the same everywhere.
    queryClusterInfo: async () => ({ ...(await backend.queryClusterInfo()), architecture: ['64bits', 'x86_64'] }),
    queryJobs: (ids, fields, signal) => queryRows(config, 'job', ids, fields, view, signal),
    query: (what, fields, filter, signal) => query(config, what, fields, filter, view, signal),
    submitJob: async () => job.id,
    cancelJob: async (id) => [false, `Job ${id} is no longer waiting in the queue`],
    replaceFilter: async (uuid) => uuid ?? '1f0c7b1e-4c55-4f0e-9d0e-0d5b1c6a2e31',
    deleteFilter: async () => {},
    waitForJobChange: async () => ({ jobInfo: ['success'], logEntries: [] }),
  }
}
