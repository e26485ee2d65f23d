/** One node: how full it is and of which instances, what it would have to take over, and what it holds. */
import { count, counted, size } from '../format.ts'
import { type Child, h } from '../h.ts'
import type { Instance, Node } from '../model.ts'
import type { MakeView, Page } from '../page.ts'
import { instanceBadge, nodeBadge, tagList } from '../parts/badge.ts'
import { facts, time } from '../parts/facts.ts'
import { bar, type Piece } from '../parts/meter.ts'
import { trouble } from '../parts/trouble.ts'
import { takeOvers } from '../problems.ts'
import { hrefTo } from '../router.ts'
import { used } from './nodes.ts'

export const node: MakeView = (page, [name = '']) => ({
  title: name,
  draw: () => {
    const { data, error } = page.cluster.nodes()
    const one = data?.find((candidate) => candidate.name === name)
    const instances = page.cluster.instances().data ?? []
    return [
      h(
        'div',
        { class: 'heading' },
        h(
          'div',
          {},
          h('a', { class: 'crumb', href: hrefTo('nodes') }, 'Nodes'),
          h('h1', {}, name),
          one && h('p', {}, nodeBadge(one)),
        ),
      ),
      trouble(error, 'nodes'),
      data && !one && h('p', { class: 'notice' }, 'There is no node of this name.'),
      one ? content(page, one, instances) : !data && !error && h('p', { class: 'loading' }, 'Loading'),
    ]
  },
})

function content(page: Page, one: Node, all: readonly Instance[]): Child {
  const own = all.filter(({ pnode }) => pnode === one.name)
  const mirrored = all.filter(({ snodes }) => snodes.includes(one.name))
  const group = page.cluster.groups().data?.find(({ uuid }) => uuid === one['group.uuid'])
  return [
    h(
      'section',
      { class: 'card stack', 'aria-label': 'Capacity' },
      cut('Memory', one.mtotal, one.mfree, memoryPieces(one, own)),
      cut('Disk', one.dtotal, one.dfree, diskPieces(own, mirrored)),
      takeOver(one, mirrored),
    ),
    h(
      'div',
      { class: 'columns uneven' },
      h(
        'div',
        { class: 'stack' },
        held('Primary instances', own, ({ maxmem }) => size(maxmem)),
        held('Secondary instances', mirrored, ({ pnode }) => h('a', { href: hrefTo('nodes', pnode) }, pnode)),
      ),
      h(
        'section',
        { class: 'card', 'aria-label': 'Details' },
        facts([
          ['Group', group && h('a', { href: hrefTo('groups', group.name) }, group.name)],
          ['Primary address', one.pip],
          ['Secondary address', one.sip !== one.pip && one.sip],
          ['Processors', one.ctotal !== null && count(one.ctotal)],
          ['Of the node itself', one.mnode !== null && `${size(one.mnode)} memory`],
          ['Master candidate', one.master_candidate ? 'yes' : 'no'],
          ['Tags', tagList(one.tags)],
          ['Created', time(one.ctime)],
          ['Changed', time(one.mtime)],
          ['UUID', h('code', {}, one.uuid)],
        ]),
      ),
    ),
  ]
}

/** A bar that is cut by instance. */
function cut(
  label: string,
  total: number | null,
  free: number | null,
  pieces: readonly Piece[],
): HTMLElement {
  const taken = used(total, free)
  if (total === null || taken === null)
    return h('div', {}, h('h3', {}, label), h('p', { class: 'muted' }, 'Not known'))
  const known = pieces.reduce((sum, { value }) => sum + value, 0)
  const rest: Piece = {
    value: Math.max(0, taken - known),
    label: `${size(taken - known)} other`,
    kind: 'node',
  }
  const words = `${size(taken)} of ${size(total)}`
  return h(
    'div',
    { class: 'meter' },
    h('h3', {}, label),
    h(
      'div',
      { class: 'figures' },
      h('span', {}, size(taken)),
      h('span', { class: 'of' }, `of ${size(total)}`),
      h('span', { class: 'share' }, `${size(free)} free`),
    ),
    h('div', { class: 'tall-bar', onclick: follow }, bar([...pieces, rest], total, `${label}: ${words}`)),
  )
}

/** A click on a piece shows its instance. */
function follow({ target }: Event): void {
  const href = target instanceof HTMLElement ? target.dataset.href : undefined
  if (href !== undefined) location.hash = href
}

function memoryPieces(one: Node, own: readonly Instance[]): readonly Piece[] {
  const running = own
    .filter(({ status }) => status === 'running' || status === 'ERROR_up')
    .map((instance) => ({ instance, value: instance.maxmem }))
  return [
    ...piecesOf(running),
    { value: one.mnode ?? 0, label: `${size(one.mnode)} of the node itself`, kind: 'node' },
  ]
}

function diskPieces(own: readonly Instance[], mirrored: readonly Instance[]): readonly Piece[] {
  return piecesOf([...own, ...mirrored].map((instance) => ({ instance, value: instance.disk })))
}

function piecesOf(
  parts: readonly { readonly instance: Instance; readonly value: number }[],
): readonly Piece[] {
  return [...parts]
    .sort((a, b) => b.value - a.value)
    .map(({ instance: { name }, value }, at) => ({
      value,
      label: `${name}: ${size(value)}`,
      kind: at % 2 === 0 ? 'use' : 'even',
      href: hrefTo('instances', name),
    }))
}

/** Free memory beside what the failure of another node would take of it. */
function takeOver({ name, mfree }: Node, mirrored: readonly Instance[]): HTMLElement | null {
  const [most] = takeOvers(mirrored).get(name) ?? []
  if (!most || mfree === null) return null
  const fits = most.memory <= mfree
  return h(
    'p',
    { class: fits ? 'muted' : 'notice bad' },
    `If ${most.from} failed, ${counted(most.count, 'instance')} with at least ${size(most.memory)} would start here; ${size(mfree)} ${fits ? 'are free.' : 'are free, which is not enough.'}`,
  )
}

function held(title: string, list: readonly Instance[], draw: (one: Instance) => Child): HTMLElement {
  return h(
    'section',
    { class: 'card', key: title, 'aria-label': title },
    h('h2', {}, title, h('span', { class: 'number' }, count(list.length))),
    list.length === 0
      ? h('p', { class: 'none' }, 'None.')
      : h(
          'ul',
          { class: 'held' },
          list.map((one) =>
            h(
              'li',
              { key: one.name },
              h('a', { href: hrefTo('instances', one.name) }, one.name),
              instanceBadge(one.status),
              h('span', { class: 'muted' }, draw(one)),
            ),
          ),
        ),
  )
}
