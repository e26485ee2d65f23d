import { count, size } from '../format.ts'
import { h } from '../h.ts'
import type { Node } from '../model.ts'
import type { MakeView } from '../page.ts'
import { nodeBadge } from '../parts/badge.ts'
import { listView } from '../parts/list.ts'
import { slimMeter } from '../parts/meter.ts'
import { hrefTo } from '../router.ts'

export const used = (total: number | null, free: number | null) =>
  total === null || free === null ? null : total - free

/** All nodes. */
export const nodes: MakeView = (page, _names, query) => {
  const groupOf = (node: Node) =>
    page.cluster.groups().data?.find(({ uuid }) => uuid === node['group.uuid'])?.name ?? ''
  const share = (total: number | null, free: number | null) =>
    total && free !== null ? 1 - free / total : -1
  return listView<Node>(page, query, {
    title: 'Nodes',
    read: () => page.cluster.nodes(),
    textOf: (node) => [node.name, node.pip, node.sip, groupOf(node), ...node.tags].join('\n').toLowerCase(),
    hint: 'Find by name, group, tag, address',
    none: 'No node is like that.',
    kinds: [
      { words: 'Drained', show: 'drained', has: ({ drained }) => drained },
      { words: 'Offline', show: 'offline', has: ({ offline }) => offline },
    ],
    hrefOf: ({ name }) => hrefTo('nodes', name),
    columns: [
      {
        title: 'Name',
        by: ({ name }) => name,
        width: '24%',
        draw: (node) => [
          h('a', { href: hrefTo('nodes', node.name) }, node.name),
          h('span', { class: 'sub' }, `${groupOf(node)} · ${count(node.pinst_list.length)} instances`),
        ],
      },
      {
        title: 'Role',
        by: ({ role }) => 'MCRDO'.indexOf(role),
        width: '13%',
        draw: (node) => nodeBadge(node),
        kind: 'status',
      },
      { title: 'Group', by: groupOf, width: '12%', draw: groupOf, kind: 'wide rare' },
      {
        title: 'Memory',
        by: ({ mtotal, mfree }) => share(mtotal, mfree),
        width: '17%',
        draw: ({ mtotal, mfree }) => slimMeter('Memory', used(mtotal, mfree), mtotal, size),
        kind: 'wide',
      },
      {
        title: 'Disk',
        by: ({ dtotal, dfree }) => share(dtotal, dfree),
        width: '17%',
        draw: ({ dtotal, dfree }) => slimMeter('Disk', used(dtotal, dfree), dtotal, size),
        kind: 'wide',
      },
      {
        title: 'CPUs',
        by: ({ ctotal }) => ctotal ?? 0,
        width: '8%',
        draw: ({ ctotal }) => (ctotal === null ? '–' : count(ctotal)),
        kind: 'wide number',
      },
      {
        title: 'Primary',
        by: ({ pinst_list }) => pinst_list.length,
        width: '9%',
        draw: ({ pinst_list }) => count(pinst_list.length),
        kind: 'wide number',
      },
      {
        title: 'Secondary',
        by: ({ sinst_list }) => sinst_list.length,
        width: '10%',
        draw: ({ sinst_list }) => count(sinst_list.length),
        kind: 'wide number',
      },
    ],
  })
}
