/**
 * Jobs of a real Ganeti 3.0.2, run again on its own config.data.
 *
 * `instance-jobs.json` and `cluster-jobs.json` have the opcodes in the order
 * in which they ran there, with what became of them. UUIDs differ, as those
 * that changed something ran on a cluster made the same way a little earlier.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../../../lib/json/json.ts'
import { type Ended, LiveCluster, numbers } from '../../../support/live-cluster.ts'
import { readConfigFile } from '../../../support/read-cluster.ts'

const fixtures = new URL('../../../../../test/fixtures/real-cluster/', import.meta.url)

interface Captured {
  /** As in the captures: a number, or of a reading, `get` and the number of the job. */
  readonly case: number | string
  readonly opcodes: readonly JsonObject[]
  readonly opstatus: readonly string[]
  readonly opresult: readonly Json[]
  readonly log: readonly (readonly string[])[]
}

/** Readings came first, then everything else by its number, and one after all. */
function orderOf({ case: name }: Captured): number {
  if (typeof name === 'number') return name
  return name.startsWith('get ') ? Number(name.slice(4)) - 1000 : Number.POSITIVE_INFINITY
}

const jobs = ['instance-jobs.json', 'cluster-jobs.json']
  .flatMap(
    (file) => parseJson(readFileSync(new URL(file, fixtures), 'utf8')) as unknown as readonly Captured[],
  )
  .sort((a, b) => orderOf(a) - orderOf(b))

/** Where ours ends otherwise, by case, each with its reason. */
const DIFFERENCES: { readonly [id: string]: string } = {
  'get 38': 'sizes of another moment; a file takes as much as its disk is large',
  'get 40': 'sizes of another moment',
  'get 61': 'there is no DRBD in the kernel there, so nobody knew how the disk was',
  71: 'a cluster in a file has no nodes that could export to another cluster',
  68: 'there is no DRBD in the kernel there',
  76: 'there is no DRBD in the kernel there',
  77: 'the shared folder is not shared there, so the disk is missing on the other node',
  78: 'follows from the one before: there the instance does not run any more',
  95: 'names are not resolved here',
  187: 'there a file could not be read; in the extra case it could',
}

/** What is the same in both although it is not equal. */
function comparable(value: Json): Json {
  if (typeof value === 'string') {
    return value.replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'UUID')
  }
  if (Array.isArray(value)) return value.map(comparable)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      // Only their number can be the same.
      name === 'jobs' && Array.isArray(inner)
        ? inner.map(() => [true, 0])
        : // Kept in a set there.
          name === 'tags' && Array.isArray(inner)
          ? [...inner].sort()
          : comparable(inner),
    ]),
  )
}

/** An opcode's result with the jobs it submitted, as the queue puts them there. */
function resultOf({ result, submits }: Ended): Json {
  if (!submits || !isJsonObject(result)) return result
  return { ...result, jobs: submits.map(() => [true, 0]) }
}

const config = await readConfigFile(new URL('config.data', fixtures).pathname)
const machine = {
  memory: 24_105,
  ownMemory: 343,
  disk: 258_019,
  cpus: 2,
  ownCpus: 2,
  sockets: 1,
  numaNodes: 1,
}
const cluster = new LiveCluster(
  {
    ...config,
    oses: [
      {
        name: 'noop',
        variants: ['default', 'minimal', 'legacy'],
        valid: true,
        api_versions: [20],
        parameters: [['greeting', 'said at the start']],
      },
      { name: 'img', variants: [], valid: true, api_versions: [20], parameters: [] },
    ],
  },
  numbers(3),
  Object.fromEntries(config.nodes.all.map(({ name }) => [name, machine])),
)

t.test(
  'jobs of the real cluster end here as they ended there, apart from the listed differences',
  async (t) => {
    let opcodes = 0
    const agree = { status: 0, result: 0, log: 0, wholly: 0 }
    const applied = new Set<string>()
    for (const job of jobs) {
      for (const [index, captured] of job.opcodes.entries()) {
        opcodes++
        const ours = cluster.run(captured)
        const status = ours.status === job.opstatus[index]
        const theirs = comparable(job.opresult[index] as Json)
        const result = isDeepStrictEqual(comparable(resultOf(ours)), theirs)
        const log = isDeepStrictEqual(comparable([...ours.log]), comparable([...(job.log[index] ?? [])]))
        if (status) agree.status++
        if (result) agree.result++
        if (log) agree.log++
        if (status && result && log) agree.wholly++
        else if (job.case in DIFFERENCES) applied.add(String(job.case))
        else {
          const shown = {
            ours: { ...ours, result: comparable(resultOf(ours)) },
            theirs: { ...job, opcodes: undefined },
          }
          t.fail(`case ${job.case}, ${captured.OP_ID} ends as there`, shown)
        }
      }
    }
    t.comment(
      `of ${opcodes} opcodes ${agree.status} agree in status, ${agree.result} in result or refusal, ` +
        `${agree.log} in log, ${agree.wholly} wholly`,
    )
    for (const id of applied) t.comment(`case ${id} differs: ${DIFFERENCES[id]}`)
    t.same([...applied].sort(), Object.keys(DIFFERENCES).sort(), 'the differences are still there')
    t.ok(opcodes > 60, 'there was something to compare')
    t.same(cluster.contradictions, [], 'no node has to give more than it has')
  },
)
