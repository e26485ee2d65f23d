/** One instance: what it is, what may be done with it, and its jobs. */
import { ACTIONS } from '../actions.ts'
import { ago, count, size, timeOf } from '../format.ts'
import { type Child, h } from '../h.ts'
import { type InstanceDetails, isOver, type Job, summaryParts } from '../model.ts'
import type { MakeView, Page } from '../page.ts'
import { openAction } from '../parts/action-dialog.ts'
import { instanceBadge, jobBadge, tagList } from '../parts/badge.ts'
import { facts, fold, parameters, time } from '../parts/facts.ts'
import { icon } from '../parts/icon.ts'
import { jobCard } from '../parts/job-card.ts'
import { trouble } from '../parts/trouble.ts'
import { hrefTo } from '../router.ts'

const NEWEST_JOBS = 8

export const instance: MakeView = (page, [name = '']) => {
  /** The job that was started here last. */
  let started: number | undefined
  const submitted = (job: number) => {
    started = job
    page.store.invalidate((path) => path === page.cluster.jobsPath)
    page.redraw()
  }
  return {
    title: name,
    draw: () => {
      const { data, error } = page.cluster.instance(name)
      const jobs = page.cluster.jobs().data?.filter(({ summary }) => summaryParts(summary)[1] === name) ?? []
      const shown = started ?? jobs.find((job) => !isOver(job))?.id
      return [
        h(
          'div',
          { class: 'heading' },
          h(
            'div',
            {},
            h('a', { class: 'crumb', href: hrefTo('instances') }, 'Instances'),
            h('h1', {}, name),
            data && h('p', {}, instanceBadge(data.status)),
          ),
          data && actions(page, data, submitted),
        ),
        trouble(error, name),
        data
          ? h(
              'div',
              { class: 'columns uneven' },
              h('div', { class: 'stack' }, details(data)),
              h(
                'div',
                { class: shown === undefined ? 'stack' : 'stack first' },
                shown !== undefined && jobCard(page, shown),
                page.session.may('jobs.list') && recent(jobs),
              ),
            )
          : !error && h('p', { class: 'loading' }, 'Loading'),
      ]
    },
  }
}

/** Those that the user may, and that make sense now. */
function actions(page: Page, one: InstanceDetails, submitted: (job: number) => void): HTMLElement {
  const node = page.cluster.nodes().data?.find(({ name }) => name === one.pnode)
  const group = page.cluster.groups().data?.find(({ uuid }) => uuid === node?.['group.uuid'])?.name
  const selected = { ...one, group }
  return h(
    'div',
    { class: 'buttons', role: 'group', 'aria-label': 'Actions' },
    ACTIONS.filter(
      ({ permission, isOffered }) => page.session.mayFor(permission, selected) && isOffered(one),
    ).map((action) =>
      h(
        'button',
        { type: 'button', key: action.title, onclick: () => openAction(page, action, one, submitted) },
        icon(action.icon),
        action.title,
      ),
    ),
  )
}

function details(one: InstanceDetails): Child {
  const { minmem, maxmem, vcpus, auto_balance, always_failover } = one.beparams
  const [least, most] = [Number(minmem), Number(maxmem)]
  const node = (name: string) => h('a', { href: hrefTo('nodes', name) }, name)
  return [
    h(
      'section',
      { class: 'card', 'aria-label': 'Details' },
      facts([
        ['Node', one.pnode && node(one.pnode)],
        ['Secondary', one.snodes.length > 0 && one.snodes.map(node)],
        ['Should be', one.admin_state],
        ['Operating system', one.os],
        ['Hypervisor', typeof one.hypervisor === 'string' && one.hypervisor],
        ['Processors', `${count(Number(vcpus))} virtual`],
        ['Memory', least === most ? size(most) : `${size(least)} to ${size(most)}`],
        ['Memory now', one.oper_ram !== null && size(one.oper_ram)],
        ['Disk template', one.disk_template],
        ['Disk', one.disk_usage !== null && size(one.disk_usage)],
        ['Console port', one.network_port !== null && String(one.network_port)],
        ['Automatic balance', auto_balance === false && 'no'],
        ['Migration', always_failover === true && 'fails over instead'],
        ['Tags', tagList(one.tags)],
        ['Created', time(one.ctime)],
        ['Changed', time(one.mtime)],
        ['UUID', h('code', {}, one.uuid)],
      ]),
    ),
    one['disk.sizes'].length > 0 && disks(one),
    one['nic.macs'].length > 0 && nics(one),
    fold('Hypervisor parameters', parameters(one.hvparams)),
    fold('Backend parameters', parameters(one.beparams)),
  ]
}

function disks(one: InstanceDetails): HTMLElement {
  return small(
    'Disks',
    ['Disk', 'Name', 'Size'],
    one['disk.sizes'].map((mebibytes, at) => [String(at), one['disk.names'][at] ?? '–', size(mebibytes)]),
  )
}

function nics(one: InstanceDetails): HTMLElement {
  const network = (at: number) => {
    const name = one['nic.networks.names'][at]
    return name ? h('a', { href: hrefTo('networks', name) }, name) : (one['nic.links'][at] ?? '–')
  }
  return small(
    'Network interfaces',
    ['Network', 'Mode', 'Address', 'MAC'],
    one['nic.macs'].map((mac, at) => [
      network(at),
      one['nic.modes'][at] ?? '–',
      one['nic.ips'][at] ?? '–',
      h('code', {}, mac),
    ]),
  )
}

/** A table of a few rows. */
function small(title: string, heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    'section',
    { class: 'card', key: title, 'aria-label': title },
    h('h2', {}, title),
    h(
      'div',
      { class: 'scroller', role: 'region', 'aria-label': title, tabindex: 0 },
      h(
        'table',
        { class: 'plain few', 'aria-label': title },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            heads.map((head) => h('th', { scope: 'col' }, head)),
          ),
        ),
        h(
          'tbody',
          {},
          rows.map((cells) =>
            h(
              'tr',
              {},
              cells.map((cell) => h('td', {}, cell)),
            ),
          ),
        ),
      ),
    ),
  )
}

function recent(jobs: readonly Job[]): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'recent-jobs' },
    h('h2', { id: 'recent-jobs' }, 'Recent jobs'),
    jobs.length === 0
      ? h('p', { class: 'none' }, 'None in the queue.')
      : h(
          'ul',
          { class: 'rows' },
          jobs.slice(0, NEWEST_JOBS).map((job) => {
            const end = timeOf(job.end_ts)
            return h(
              'li',
              { key: String(job.id) },
              h(
                'a',
                { href: hrefTo('jobs', job.id) },
                jobBadge(job),
                h('span', { class: 'what' }, summaryParts(job.summary)[0]),
                h('span', { class: 'muted' }, end === undefined ? '' : ago(end)),
              ),
            )
          }),
        ),
  )
}
