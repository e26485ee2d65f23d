/** The first view: what is wrong, then where memory, disk and processors go, and what the jobs do. */
import { ago, count, counted, duration, size, timeOf } from '../format.ts'
import { type Child, h } from '../h.ts'
import {
  type Group,
  type Instance,
  isOver,
  type Job,
  type Mood,
  moodOf,
  type Node,
  summaryParts,
} from '../model.ts'
import type { MakeView, Page } from '../page.ts'
import { jobBadge } from '../parts/badge.ts'
import { icon } from '../parts/icon.ts'
import { bar, meter } from '../parts/meter.ts'
import { trouble } from '../parts/trouble.ts'
import { type Problem, problemsOf } from '../problems.ts'
import { hrefTo } from '../router.ts'

const NEWEST_JOBS = 6
const HOUR = 3_600_000

export const overview: MakeView = (page) => ({ title: 'Overview', draw: () => draw(page) })

function draw({ cluster, store }: Page): Child {
  const info = cluster.info()
  const nodes = cluster.nodes()
  const instances = cluster.instances()
  const jobs = cluster.jobs()
  const groups = cluster.groups()
  const daemon = store.read<{ certificate_end: number | null }>('daemon.json', HOUR).data
  const known = {
    nodes: nodes.data ?? [],
    instances: instances.data ?? [],
    jobs: jobs.data ?? [],
    certificateEnd: timeOf(daemon?.certificate_end),
    now: Date.now(),
  }
  const parts = [nodes, instances, jobs]
  const errors = parts.flatMap(({ error }) => error ?? [])
  const isWhole = parts.every(({ data, error }) => data !== undefined || error !== undefined)
  return [
    h(
      'div',
      { class: 'heading' },
      h('h1', {}, info?.name ?? 'Cluster'),
      h(
        'p',
        { class: 'facts' },
        info && [
          h('span', {}, `Ganeti ${info.software_version}`),
          h('span', {}, 'master ', h('a', { href: hrefTo('nodes', info.master) }, info.master)),
        ],
        nodes.data && h('span', {}, counted(nodes.data.length, 'node')),
        instances.data && h('span', {}, counted(instances.data.length, 'instance')),
      ),
    ),
    errors.length < parts.length && problems(problemsOf(known), isWhole, errors.length > 0),
    trouble(
      errors.find(({ isPassing }) => isPassing) ?? (errors.length === parts.length ? errors[0] : undefined),
      'the cluster',
    ),
    nodes.data && capacity(nodes.data, instances.data ?? [], groups.data ?? []),
    h(
      'div',
      { class: 'columns' },
      instances.data && statuses(instances.data),
      jobs.data && newestJobs(jobs.data),
    ),
  ]
}

/** @param isPart whether there is something that the user may not see */
function problems(list: readonly Problem[], isWhole: boolean, isPart: boolean): HTMLElement {
  if (list.length === 0) {
    return h(
      'section',
      { class: 'card calm-state', 'aria-label': 'Problems' },
      isWhole
        ? [
            icon('check'),
            h('p', {}, isPart ? 'Nothing is wrong with what you may see.' : 'Nothing is wrong.'),
          ]
        : h('p', { class: 'loading' }, 'Looking for problems'),
    )
  }
  return h(
    'section',
    { class: 'card problems', 'aria-labelledby': 'problems' },
    h('h2', { id: 'problems' }, 'Needs attention', h('span', { class: 'number' }, count(list.length))),
    h(
      'ul',
      {},
      list.map(({ mood, title, text, href }) =>
        h(
          'li',
          { class: mood, key: title },
          h(
            'a',
            { href },
            h('i', { class: 'dot', 'aria-hidden': 'true' }),
            h('strong', {}, title),
            h('span', {}, text),
          ),
        ),
      ),
    ),
  )
}

interface Totals {
  readonly memory: readonly [used: number, total: number]
  readonly disk: readonly [used: number, total: number]
  readonly cpus: readonly [used: number, total: number]
}

function totalsOf(nodes: readonly Node[], instances: readonly Instance[]): Totals {
  const names = new Set(nodes.map(({ name }) => name))
  const sum = (numbers: readonly (number | null)[]) =>
    numbers.reduce<number>((all, one) => all + (one ?? 0), 0)
  const used = (total: keyof Node, free: keyof Node) =>
    sum(
      nodes.map((node) =>
        node[total] === null || node[free] === null ? 0 : Number(node[total]) - Number(node[free]),
      ),
    )
  const vcpus = instances
    .filter(({ pnode, status }) => status === 'running' && names.has(pnode))
    .map((one) => one.vcpus)
  return {
    memory: [used('mtotal', 'mfree'), sum(nodes.map(({ mtotal }) => mtotal))],
    disk: [used('dtotal', 'dfree'), sum(nodes.map(({ dtotal }) => dtotal))],
    cpus: [sum(vcpus), sum(nodes.map(({ ctotal }) => ctotal))],
  }
}

function capacity(
  nodes: readonly Node[],
  instances: readonly Instance[],
  groups: readonly Group[],
): HTMLElement {
  const all = totalsOf(nodes, instances)
  const rows = groups.map((group) => {
    const own = nodes.filter((node) => node['group.uuid'] === group.uuid)
    return { group, nodes: own, totals: totalsOf(own, instances) }
  })
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'capacity' },
    h('h2', { id: 'capacity' }, 'Capacity'),
    h(
      'div',
      { class: 'gauges' },
      gauge('Memory', all.memory, size),
      gauge('Disk', all.disk, size),
      gauge('Processors', all.cpus, count, 'virtual CPUs of running instances, of CPUs'),
    ),
    rows.length > 1 &&
      h(
        'div',
        { class: 'scroller', role: 'region', 'aria-label': 'By group', tabindex: 0 },
        h(
          'table',
          { class: 'plain', 'aria-label': 'Capacity by group' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['Group', 'Nodes', 'Memory', 'Disk', 'Processors'].map((title) =>
                h('th', { scope: 'col' }, title),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            rows.map(({ group, nodes: own, totals }) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, h('a', { href: hrefTo('groups', group.name) }, group.name)),
                h('td', {}, count(own.length)),
                h('td', {}, meter(`Memory of ${group.name}`, ...totals.memory, size)),
                h('td', {}, meter(`Disk of ${group.name}`, ...totals.disk, size)),
                h('td', {}, meter(`Processors of ${group.name}`, ...totals.cpus, count)),
              ),
            ),
          ),
        ),
      ),
  )
}

function gauge(
  label: string,
  [used, total]: readonly [number, number],
  format: (value: number) => string,
  title?: string,
): HTMLElement {
  return h('div', { class: 'gauge', title }, h('h3', {}, label), meter(label, used, total, format))
}

const STATUS_GROUPS: readonly (readonly [words: string, mood: Mood, show: string])[] = [
  ['running', 'good', 'running'],
  ['stopped', 'calm', 'stopped'],
  ['in error states', 'bad', 'bad'],
]

function statuses(instances: readonly Instance[]): HTMLElement {
  const counts = STATUS_GROUPS.map(
    ([words, mood, show]) =>
      [words, mood, show, instances.filter(({ status }) => moodOf(status) === mood).length] as const,
  )
  const pieces = counts.map(([label, kind, , value]) => ({ label: `${count(value)} ${label}`, kind, value }))
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'statuses' },
    h('h2', { id: 'statuses' }, h('a', { href: hrefTo('instances') }, 'Instances')),
    bar(pieces, instances.length, pieces.map(({ label }) => label).join(', ')),
    h(
      'ul',
      { class: 'legend' },
      counts.map(([words, mood, show, value]) =>
        h(
          'li',
          {},
          h(
            'a',
            { href: `${hrefTo('instances')}?show=${show}` },
            h('i', { class: `dot ${mood}`, 'aria-hidden': 'true' }),
            h('strong', {}, count(value)),
            ` ${words}`,
          ),
        ),
      ),
    ),
  )
}

function newestJobs(jobs: readonly Job[]): HTMLElement {
  const shown = [...jobs.filter((job) => !isOver(job)), ...jobs.filter(isOver)].slice(0, NEWEST_JOBS)
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'newest-jobs' },
    h('h2', { id: 'newest-jobs' }, h('a', { href: hrefTo('jobs') }, 'Jobs')),
    shown.length === 0
      ? h('p', { class: 'none' }, 'No jobs yet.')
      : h('ul', { class: 'rows' }, shown.map(jobLine)),
  )
}

/** A job in one line. */
function jobLine(job: Job): HTMLElement {
  const [what, of] = summaryParts(job.summary)
  const began = timeOf(job.start_ts) ?? timeOf(job.received_ts)
  const end = timeOf(job.end_ts)
  const time = end === undefined ? began && `for ${duration(Date.now() - began)}` : ago(end)
  return h(
    'li',
    { key: String(job.id) },
    h(
      'a',
      { href: hrefTo('jobs', job.id) },
      jobBadge(job),
      h('span', { class: 'what' }, what, of !== '' && [' ', h('b', {}, of)]),
      h('span', { class: 'muted' }, time),
    ),
  )
}
