/** Networks, and one of them with its addresses. */
import { count } from '../format.ts'
import { h, slot } from '../h.ts'
import type { Instance, Network } from '../model.ts'
import type { MakeView } from '../page.ts'
import { AddressMap } from '../parts/address-map.ts'
import { tagList } from '../parts/badge.ts'
import { facts } from '../parts/facts.ts'
import { listView } from '../parts/list.ts'
import { slimMeter } from '../parts/meter.ts'
import { trouble } from '../parts/trouble.ts'
import { hrefTo } from '../router.ts'

function totalOf({ free_count, reserved_count }: Network): number | null {
  return free_count === null || reserved_count === null ? null : free_count + reserved_count
}

/** All networks. */
export const networks: MakeView = (page, _names, query) =>
  listView<Network>(page, query, {
    title: 'Networks',
    read: () => page.cluster.networks(),
    none: 'There are no networks.',
    hrefOf: ({ name }) => hrefTo('networks', name),
    columns: [
      {
        title: 'Name',
        by: ({ name }) => name,
        width: '26%',
        draw: ({ name, network }) => [
          h('a', { href: hrefTo('networks', name) }, name),
          h('span', { class: 'sub' }, network),
        ],
      },
      {
        title: 'Network',
        by: ({ network }) => network,
        width: '22%',
        draw: ({ network }) => network,
        kind: 'wide',
      },
      { title: 'Gateway', width: '18%', draw: ({ gateway }) => gateway ?? '–', kind: 'wide' },
      {
        title: 'Instances',
        by: ({ inst_list }) => inst_list.length,
        width: '14%',
        draw: ({ inst_list }) => count(inst_list.length),
        kind: 'wide number',
      },
      {
        title: 'Addresses',
        by: ({ free_count }) => free_count ?? 0,
        width: '20%',
        draw: (one) => slimMeter('Addresses', one.reserved_count, totalOf(one), count),
      },
    ],
  })

/** Instances by the addresses they have in a network. */
function ownersIn({ inst_list }: Network, instances: readonly Instance[]): ReadonlyMap<string, string> {
  const own = new Set(inst_list)
  return new Map(
    instances.filter(({ name }) => own.has(name)).flatMap(({ name, ips }) => ips.map((ip) => [ip, name])),
  )
}

/** One network. */
export const network: MakeView = (page, [name = '']) => {
  const map = new AddressMap()
  return {
    title: name,
    close: map.close,
    draw: () => {
      const { data, error } = page.cluster.networks()
      const one = data?.find((candidate) => candidate.name === name)
      const owners = one ? ownersIn(one, page.cluster.instances().data ?? []) : new Map<string, string>()
      if (one) map.show(one, owners)
      return [
        h(
          'div',
          { class: 'heading' },
          h(
            'div',
            {},
            h('a', { class: 'crumb', href: hrefTo('networks') }, 'Networks'),
            h('h1', {}, name),
            one && h('p', { class: 'facts' }, one.network),
          ),
        ),
        trouble(error, 'networks'),
        data && !one && h('p', { class: 'notice' }, 'There is no network of this name.'),
        one && [
          h(
            'section',
            { class: 'card', 'aria-labelledby': 'addresses' },
            h('h2', { id: 'addresses' }, 'Addresses'),
            h(
              'ul',
              { class: 'legend' },
              h('li', {}, h('i', { class: 'square owned' }), 'an instance'),
              h('li', {}, h('i', { class: 'square reserved' }), 'reserved'),
              h('li', {}, h('i', { class: 'square' }), h('strong', {}, count(one.free_count ?? 0)), ' free'),
            ),
            one.map ? slot(map.root) : h('p', { class: 'none' }, 'There is no map of this network.'),
          ),
          h(
            'div',
            { class: 'columns' },
            h(
              'section',
              { class: 'card', 'aria-label': 'Instances' },
              h('h2', {}, 'Instances', h('span', { class: 'number' }, count(one.inst_list.length))),
              h(
                'ul',
                { class: 'held' },
                one.inst_list.map((instance) =>
                  h(
                    'li',
                    { key: instance },
                    h('a', { href: hrefTo('instances', instance) }, instance),
                    h('span', {}),
                    h(
                      'span',
                      { class: 'muted' },
                      [...owners]
                        .filter(([, owner]) => owner === instance)
                        .map(([ip]) => ip)
                        .filter((ip) => isIn(ip, one))
                        .join(', '),
                    ),
                  ),
                ),
              ),
            ),
            h(
              'section',
              { class: 'card', 'aria-label': 'Details' },
              facts([
                ['Gateway', one.gateway],
                ['IPv6', one.network6],
                ['IPv6 gateway', one.gateway6],
                ['MAC prefix', one.mac_prefix],
                [
                  'Groups',
                  one.group_list.map(([group = '', mode, link]) =>
                    h('div', {}, h('a', { href: hrefTo('groups', group) }, group), ` ${mode}, ${link}`),
                  ),
                ],
                ['Reserved', rangesOf(one.external_reservations ?? '')],
                ['Tags', tagList(one.tags)],
                ['UUID', h('code', {}, one.uuid)],
              ]),
            ),
          ),
        ],
      ]
    },
  }
}

function isIn(ip: string, { network }: Network): boolean {
  const [base = '', bits = '32'] = network.split('/')
  const size = 2 ** (32 - Number(bits))
  return Math.floor(numberOf(ip) / size) === Math.floor(numberOf(base) / size)
}

function numberOf(address: string): number {
  return address.split('.').reduce((all, part) => all * 256 + Number(part), 0)
}

/** Addresses that follow each other as their first and last one. */
function rangesOf(addresses: string): string {
  const ranges: [first: string, last: string][] = []
  for (const address of addresses.split(/,\s*/)) {
    const range = ranges.at(-1)
    if (range && numberOf(range[1]) + 1 === numberOf(address)) range[1] = address
    else ranges.push([address, address])
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first} to ${last}`)).join(', ')
}
