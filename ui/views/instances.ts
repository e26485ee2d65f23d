import { count, size } from '../format.ts'
import { h } from '../h.ts'
import { type Instance, moodOf } from '../model.ts'
import type { MakeView } from '../page.ts'
import { instanceBadge, tagList } from '../parts/badge.ts'
import { listView } from '../parts/list.ts'
import { hrefTo } from '../router.ts'

/** All instances. */
export const instances: MakeView = (page, _names, query) =>
  listView<Instance>(page, query, {
    title: 'Instances',
    read: () => page.cluster.instances(),
    textOf: ({ text }) => text,
    hint: 'Find by name, node, tag, status, address',
    none: 'No instance is like that.',
    kinds: [
      { words: 'Running', show: 'running', has: ({ status }) => moodOf(status) === 'good' },
      { words: 'Stopped', show: 'stopped', has: ({ status }) => moodOf(status) === 'calm' },
      { words: 'In error', show: 'bad', has: ({ status }) => moodOf(status) === 'bad' },
    ],
    hrefOf: ({ name }) => hrefTo('instances', name),
    columns: [
      {
        title: 'Name',
        by: ({ name }) => name,
        width: '22%',
        draw: ({ name, pnode, maxmem }) => [
          h('a', { href: hrefTo('instances', name) }, name),
          h('span', { class: 'sub' }, `${size(maxmem)} · ${pnode}`),
        ],
      },
      {
        title: 'Status',
        by: ({ status }) => status,
        width: '15%',
        draw: ({ status }) => instanceBadge(status),
        kind: 'status',
      },
      { title: 'Node', by: ({ pnode }) => pnode, width: '19%', draw: ({ pnode }) => pnode, kind: 'wide' },
      {
        title: 'Secondary',
        by: ({ snodes }) => snodes.join(),
        width: '17%',
        draw: ({ snodes }) => snodes.join(', '),
        kind: 'wide rare',
      },
      {
        title: 'CPUs',
        by: ({ vcpus }) => vcpus,
        width: '7%',
        draw: ({ vcpus }) => count(vcpus),
        kind: 'wide number',
      },
      {
        title: 'Memory',
        by: ({ maxmem }) => maxmem,
        width: '10%',
        draw: ({ maxmem }) => size(maxmem),
        kind: 'wide number',
      },
      {
        title: 'Disk',
        by: ({ disk }) => disk,
        width: '10%',
        draw: ({ disk }) => size(disk),
        kind: 'wide number',
      },
      { title: 'Tags', width: '15%', draw: ({ tags }) => tagList(tags), kind: 'wide rare' },
    ],
  })
