/** What is wrong with a cluster, the worst first. */
import { ago, counted, percent, size, timeOf } from './format.ts'
import {
  type Instance,
  isOver,
  type Job,
  type Mood,
  moodOf,
  type Node,
  summaryParts,
  wordsFor,
} from './model.ts'
import { hrefTo } from './router.ts'

export interface Problem {
  readonly mood: Mood
  readonly title: string
  readonly text: string
  readonly href: string
}

/** The share of a disk from which on it is nearly full. */
const NEARLY_FULL = 0.95
const DAY = 86_400_000
/** How long before its end a certificate is a problem, in milliseconds. */
const CERTIFICATE_WARNING = 30 * DAY
/** So many problems of one kind are listed one by one. */
const ONE_BY_ONE = 4

export interface Known {
  readonly nodes: readonly Node[]
  readonly instances: readonly Instance[]
  readonly jobs: readonly Job[]
  /** When the daemon's certificate ends, in milliseconds. */
  readonly certificateEnd: number | undefined
  readonly now: number
}

export function problemsOf(known: Known): readonly Problem[] {
  const all = [
    ...certificateProblems(known),
    ...nodeProblems(known.nodes),
    ...instanceProblems(known.instances),
    ...jobProblems(known.jobs, known.now),
    ...takeOverProblems(known.nodes, known.instances),
    ...diskProblems(known.nodes),
  ]
  return [...all.filter(({ mood }) => mood === 'bad'), ...all.filter(({ mood }) => mood !== 'bad')]
}

function nodeProblems(nodes: readonly Node[]): Problem[] {
  return nodes.flatMap((node): Problem[] => {
    const href = hrefTo('nodes', node.name)
    const holds = counted(node.pinst_list.length, 'instance')
    if (node.offline) return [{ mood: 'bad', title: `${node.name} is offline`, text: `${holds} on it`, href }]
    if (node.drained) {
      return [
        { mood: 'warning', title: `${node.name} is drained`, text: `No new instances; ${holds} on it`, href },
      ]
    }
    // A node that runs instances always has a size.
    if (node.mtotal === null && node.vm_capable !== false && nodes.some(({ mtotal }) => mtotal !== null)) {
      return [{ mood: 'bad', title: `${node.name} does not answer`, text: `${holds} on it`, href }]
    }
    return []
  })
}

function instanceProblems(instances: readonly Instance[]): Problem[] {
  const broken = instances.filter(({ status }) => moodOf(status) === 'bad')
  if (broken.length > ONE_BY_ONE) {
    const title = `${counted(broken.length, 'instance')} in error states`
    const statuses = [...new Set(broken.map(({ status }) => wordsFor(status)))]
    return [{ mood: 'bad', title, text: statuses.join(', '), href: `${hrefTo('instances')}?show=bad` }]
  }
  return broken.map(({ name, status, pnode }) => ({
    mood: 'bad',
    title: name,
    text: `${wordsFor(status)} (${pnode})`,
    href: hrefTo('instances', name),
  }))
}

function jobProblems(jobs: readonly Job[], now: number): Problem[] {
  const failed = jobs.filter((job) => {
    const end = timeOf(job.end_ts)
    return isOver(job) && job.status === 'error' && end !== undefined && now - end < DAY
  })
  if (failed.length > ONE_BY_ONE) {
    const title = `${counted(failed.length, 'job')} failed in the last 24 hours`
    return [
      {
        mood: 'warning',
        title,
        text: `The latest is job ${failed[0]?.id}`,
        href: `${hrefTo('jobs')}?show=error`,
      },
    ]
  }
  return failed.map(({ id, summary, end_ts }) => {
    const [what, of] = summaryParts(summary)
    return {
      mood: 'warning',
      title: `Job ${id} failed`,
      text: `${what} ${of}, ${ago(timeOf(end_ts) ?? now, now)}`,
      href: hrefTo('jobs', id),
    }
  })
}

/** What a node would have to take over if another failed: of its secondary instances, those that are balanced. */
export interface TakeOver {
  readonly from: string
  readonly count: number
  /** The least memory with which they run, in MiB. */
  readonly memory: number
}

/** By node, what it would take over from each other node, the most first. */
export function takeOvers(instances: readonly Instance[]): ReadonlyMap<string, readonly TakeOver[]> {
  const found = new Map<string, Map<string, { from: string; count: number; memory: number }>>()
  for (const { snodes, pnode, minmem, autoBalance, status } of instances) {
    if (!autoBalance || status === 'ADMIN_down' || status === 'ADMIN_offline') continue
    for (const node of snodes) {
      const ofNode = found.get(node) ?? new Map()
      found.set(node, ofNode)
      const one = ofNode.get(pnode) ?? { from: pnode, count: 0, memory: 0 }
      ofNode.set(pnode, { from: pnode, count: one.count + 1, memory: one.memory + minmem })
    }
  }
  return new Map(
    [...found].map(([node, from]) => [node, [...from.values()].sort((a, b) => b.memory - a.memory)]),
  )
}

/** Nodes with less free memory than a failure of another would take (N+1, as `gnt-cluster verify` has it). */
function takeOverProblems(nodes: readonly Node[], instances: readonly Instance[]): Problem[] {
  const wanted = takeOvers(instances)
  return nodes.flatMap(({ name, mfree, offline }): Problem[] => {
    const [most] = wanted.get(name) ?? []
    if (offline || mfree === null || !most || most.memory <= mfree) return []
    const text = `If ${most.from} failed, it would need ${size(most.memory)} for ${counted(most.count, 'instance')}; ${size(mfree)} are free`
    return [{ mood: 'warning', title: `${name} could not take over`, text, href: hrefTo('nodes', name) }]
  })
}

function diskProblems(nodes: readonly Node[]): Problem[] {
  return nodes.flatMap(({ name, dtotal, dfree }): Problem[] => {
    if (dtotal === null || dfree === null || dtotal <= 0 || 1 - dfree / dtotal < NEARLY_FULL) return []
    const text = `${percent(dtotal - dfree, dtotal)} of ${size(dtotal)} used, ${size(dfree)} free`
    return [
      { mood: 'warning', title: `The disk of ${name} is nearly full`, text, href: hrefTo('nodes', name) },
    ]
  })
}

function certificateProblems({ certificateEnd, now }: Known): Problem[] {
  if (certificateEnd === undefined || certificateEnd - now > CERTIFICATE_WARNING) return []
  const days = Math.floor((certificateEnd - now) / DAY)
  return [
    {
      mood: days < 7 ? 'bad' : 'warning',
      title:
        days < 0
          ? 'The certificate of this daemon has ended'
          : `The certificate of this daemon ends in ${counted(days, 'day')}`,
      text: 'gnt-cluster renew-crypto makes a new one',
      href: hrefTo(''),
    },
  ]
}
