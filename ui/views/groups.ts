/** Node groups, and one of them. */
import { count, counted, size } from '../format.ts'
import { h } from '../h.ts'
import type { Group, Node } from '../model.ts'
import type { MakeView, Page } from '../page.ts'
import { nodeBadge, tagList } from '../parts/badge.ts'
import { facts, fold, parameters, time } from '../parts/facts.ts'
import { listView } from '../parts/list.ts'
import { slimMeter } from '../parts/meter.ts'
import { trouble } from '../parts/trouble.ts'
import { hrefTo } from '../router.ts'
import { used } from './nodes.ts'

const POLICIES: Readonly<Record<string, string>> = {
  preferred: 'Preferred',
  last_resort: 'Last resort',
  unallocable: 'No new instances',
}

function sum(nodes: readonly Node[], of: 'mtotal' | 'mfree' | 'dtotal' | 'dfree'): number {
  return nodes.reduce((all, node) => all + (node[of] ?? 0), 0)
}

function nodesOf({ cluster }: Page, group: Group): readonly Node[] {
  return cluster.nodes().data?.filter((node) => node['group.uuid'] === group.uuid) ?? []
}

/** All groups. */
export const groups: MakeView = (page, _names, query) => {
  // Nodes come by themselves, and their rows with them.
  let last: { readonly groups: unknown; readonly nodes: unknown; readonly rows: readonly Group[] } | undefined
  const read = () => {
    const { data, error } = page.cluster.groups()
    const nodes = page.cluster.nodes().data
    if (data && (last?.groups !== data || last.nodes !== nodes)) {
      last = { groups: data, nodes, rows: data.map((group) => ({ ...group })) }
    }
    return { data: data && last?.rows, error }
  }
  return listView<Group>(page, query, {
    title: 'Groups',
    read,
    hrefOf: ({ name }) => hrefTo('groups', name),
    columns: [
      {
        title: 'Name',
        by: ({ name }) => name,
        width: '26%',
        draw: (group) => [
          h('a', { href: hrefTo('groups', group.name) }, group.name),
          h('span', { class: 'sub' }, counted(group.node_list.length, 'node')),
        ],
      },
      {
        title: 'New instances',
        by: ({ alloc_policy }) => alloc_policy,
        width: '20%',
        draw: ({ alloc_policy }) => POLICIES[alloc_policy] ?? alloc_policy,
      },
      {
        title: 'Nodes',
        by: ({ node_list }) => node_list.length,
        width: '10%',
        draw: ({ node_list }) => count(node_list.length),
        kind: 'wide number',
      },
      {
        title: 'Memory',
        width: '22%',
        draw: (group) => {
          const own = nodesOf(page, group)
          return slimMeter('Memory', used(sum(own, 'mtotal'), sum(own, 'mfree')), sum(own, 'mtotal'), size)
        },
        kind: 'wide',
      },
      {
        title: 'Disk',
        width: '22%',
        draw: (group) => {
          const own = nodesOf(page, group)
          return slimMeter('Disk', used(sum(own, 'dtotal'), sum(own, 'dfree')), sum(own, 'dtotal'), size)
        },
        kind: 'wide',
      },
    ],
  })
}

/** One group. */
export const group: MakeView = (page, [name = '']) => ({
  title: name,
  draw: () => {
    const { data, error } = page.cluster.groups()
    const one = data?.find((candidate) => candidate.name === name)
    return [
      h(
        'div',
        { class: 'heading' },
        h('div', {}, h('a', { class: 'crumb', href: hrefTo('groups') }, 'Groups'), h('h1', {}, name)),
      ),
      trouble(error, 'groups'),
      data && !one && h('p', { class: 'notice' }, 'There is no group of this name.'),
      one && [
        h(
          'div',
          { class: 'columns uneven' },
          members(nodesOf(page, one)),
          h(
            'section',
            { class: 'card', 'aria-label': 'Details' },
            facts([
              ['New instances', POLICIES[one.alloc_policy] ?? one.alloc_policy],
              ['Tags', tagList(one.tags)],
              ['Created', time(one.ctime as number | null)],
              ['Changed', time(one.mtime as number | null)],
              ['UUID', h('code', {}, one.uuid)],
            ]),
          ),
        ),
        fold('Instance policy', parameters((one.ipolicy ?? {}) as Record<string, unknown>)),
        fold('Node parameters', parameters((one.ndparams ?? {}) as Record<string, unknown>)),
      ],
    ]
  },
})

function members(nodes: readonly Node[]): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-label': 'Nodes' },
    h('h2', {}, 'Nodes', h('span', { class: 'number' }, count(nodes.length))),
    h(
      'ul',
      { class: 'held' },
      nodes.map((node) =>
        h(
          'li',
          { key: node.name },
          h('a', { href: hrefTo('nodes', node.name) }, node.name),
          nodeBadge(node),
          h('span', { class: 'muted' }, node.mfree === null ? '' : `${size(node.mfree)} free`),
        ),
      ),
    ),
  )
}
