/** Clients that read and submit jobs through all nodes while something happens to the cluster. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Json, stringifyJson } from '../../lib/json/json.ts'
import { allEnded, ask, NODES } from './nodes.ts'
import type { FullAnswer } from './sides.ts'

/** What became of the requests of one client, which sends one after the other. */
export interface Trace {
  readonly node: string
  /** Milliseconds of each time without a good answer. */
  readonly gaps: number[]
  /** How often each status came; 0 is for no answer. */
  readonly statuses: Map<number, number>
  /** What is said with status 500. */
  readonly refusals: Set<string>
  /** How many answers were marked as older, and who made the others. */
  stale: number
  readonly servers: Set<string>
}

/** Sends requests to a node until it is told to stop. */
async function client(
  node: string,
  isOver: () => boolean,
  send: (number: number) => Promise<FullAnswer>,
  pause: number,
): Promise<Trace> {
  const trace: Trace = {
    ...{ node, gaps: [], statuses: new Map(), refusals: new Set() },
    ...{ stale: 0, servers: new Set() },
  }
  let lost: number | undefined
  for (let number = 0; !isOver(); number++) {
    const begun = performance.now()
    const { status, headers, body } = await send(number)
    if (status === 500) trace.refusals.add(stringifyJson(body))
    trace.statuses.set(status, (trace.statuses.get(status) ?? 0) + 1)
    if (status === 200) {
      if (headers['ganeti-state-as-of'] !== undefined) trace.stale++
      else trace.servers.add(String(headers['ganeti-served-by']))
      if (lost !== undefined) trace.gaps.push(Math.round(performance.now() - lost))
      lost = undefined
    } else {
      lost ??= begun
    }
    await delay(pause)
  }
  if (lost !== undefined) trace.gaps.push(Math.round(performance.now() - lost))
  return trace
}

function inWords({ node, gaps, statuses, refusals, stale }: Trace): string {
  const counts = [...statuses].map(([status, count]) => `${count} of ${status || 'no answer'}`)
  return `${node}: ${counts.join(', ')}, ${stale} stale; seconds without: ${gaps.map((gap) => gap / 1000).join(', ') || 'none'} ${[...refusals].join(' ')}`
}

export interface Load {
  readonly reads: readonly Trace[]
  readonly changes: readonly Trace[]
  /** The jobs whose ids clients were told, by the tag that each adds. */
  readonly acknowledged: ReadonlyMap<string, Json>
  /** The tags of requests of which clients were told that they did nothing. */
  readonly refused: ReadonlySet<string>
}

/**
 * Reads and submits jobs through all nodes during an action.
 * @param name begins the names of the tags that are added, each to the node that is asked
 */
export async function underLoad(t: Test, name: string, action: () => Promise<void>): Promise<Load> {
  let over = false
  const isOver = () => over
  const acknowledged = new Map<string, Json>()
  const refused = new Set<string>()
  const submit = (node: string) => async (number: number) => {
    const tag = `${name}-${node}-${number}`
    const reply = await ask(node, `/2/nodes/${node}/tags?tag=${tag}`, { method: 'PUT', user: 'writer' })
    if (reply.status === 200) acknowledged.set(tag, reply.body)
    if (reply.status === 503) refused.add(tag)
    return reply
  }
  const reading = NODES.map((node) => client(node, isOver, () => ask(node, '/2/instances?bulk=1'), 200))
  const changing = NODES.map((node) => client(node, isOver, submit(node), 500))
  try {
    await delay(2000)
    await action()
    await delay(2000)
  } finally {
    over = true
    await Promise.all([...reading, ...changing])
  }
  const [reads, changes] = await Promise.all([Promise.all(reading), Promise.all(changing)])
  for (const trace of reads) t.comment(`${name}, reads at ${inWords(trace)}`)
  for (const trace of changes) t.comment(`${name}, changes at ${inWords(trace)}`)
  return { reads, changes, acknowledged, refused }
}

/**
 * Checks that each acknowledged job is in the queue and has succeeded, and that none was submitted twice, or though it
 * was refused.
 * @param dead those that may not have succeeded
 */
export async function checkJobs(
  t: Test,
  node: string,
  { acknowledged, refused }: Load,
  dead: ReadonlySet<string> = new Set(),
): Promise<void> {
  const jobs = await allEnded(node, dead)
  const byId = new Map(jobs.map((job) => [String(job.id), job]))
  t.ok(acknowledged.size > 0, 'jobs were acknowledged')
  for (const [tag, id] of acknowledged) {
    const job = byId.get(String(id))
    t.same(job?.ops[0]?.tags, [tag], `job ${id} is in the queue`)
    if (!dead.has(String(id))) t.equal(job?.status, 'success')
  }
  const tags = jobs.flatMap(({ ops }) => ops.flatMap((op) => op.tags ?? []))
  for (const tag of acknowledged.keys())
    t.equal(tags.filter((one) => one === tag).length, 1, `${tag} was submitted once`)
  for (const tag of refused) t.notOk(tags.includes(tag), `${tag} was refused, and not submitted`)
}
