/** The page: its frame, and in it the view of the place that the address has. */
import { Api } from './api.ts'
import { Cluster } from './cluster.ts'
import { Feed } from './feed.ts'
import { count, counted } from './format.ts'
import { h, nodesOf } from './h.ts'
import { instancesIn, isOver } from './model.ts'
import { morphChildren } from './morph.ts'
import type { MakeView, Page, View } from './page.ts'
import { type IconName, icon } from './parts/icon.ts'
import { followingLogs } from './parts/job-card.ts'
import { openLogin } from './parts/login.ts'
import { stateOfData } from './parts/state-of-data.ts'
import { hrefTo, placeOf } from './router.ts'
import { Session } from './session.ts'
import { Store } from './store.ts'
import { api } from './views/api.ts'
import { group, groups } from './views/groups.ts'
import { instance } from './views/instance.ts'
import { instances } from './views/instances.ts'
import { job } from './views/job.ts'
import { jobs } from './views/jobs.ts'
import { network, networks } from './views/networks.ts'
import { node } from './views/node.ts'
import { nodes } from './views/nodes.ts'
import { operation } from './views/operation.ts'
import { overview } from './views/overview.ts'

interface Section {
  readonly view: string
  readonly title: string
  readonly icon: IconName
  /** What it takes to see it. */
  readonly permission: string | undefined
  readonly list: MakeView
  /** The view of one object. */
  readonly one?: MakeView
}

const SECTIONS: readonly Section[] = [
  { view: '', title: 'Overview', icon: 'overview', permission: 'cluster.info', list: overview },
  {
    view: 'instances',
    title: 'Instances',
    icon: 'instances',
    permission: 'instances.list',
    list: instances,
    one: instance,
  },
  { view: 'nodes', title: 'Nodes', icon: 'nodes', permission: 'nodes.list', list: nodes, one: node },
  { view: 'jobs', title: 'Jobs', icon: 'jobs', permission: 'jobs.list', list: jobs, one: job },
  { view: 'groups', title: 'Groups', icon: 'groups', permission: 'groups.list', list: groups, one: group },
  {
    view: 'networks',
    title: 'Networks',
    icon: 'networks',
    permission: 'networks.list',
    list: networks,
    one: network,
  },
  { view: 'api', title: 'API', icon: 'api', permission: undefined, list: api, one: operation },
]

/** How often all is drawn though nothing has changed, unless jobs run. */
const SECONDS_BETWEEN = 30

const session = new Session(new Api())
const store = new Store(session.api)
const cluster = new Cluster(session, store)
const feed = new Feed(session, store, cluster)
const page: Page = { session, store, cluster, redraw: drawSoon }
const frame = document.body

let view: View | undefined
let place = ''
let isAwaitingFrame = false
/** Whether it is known what the user may do. */
let isReady = false

/** Tells the feed of the jobs of the list, wherever that came from. */
function lookAtJobs(): void {
  const { data } = cluster.jobs()
  if (data) feed.jobsSeen(data)
}

function drawSoon(): void {
  if (isAwaitingFrame) return
  isAwaitingFrame = true
  requestAnimationFrame(draw)
}

function draw(): void {
  isAwaitingFrame = false
  const drawn = store.draw(() => {
    lookAtJobs()
    return [header(), navigation(), content()]
  })
  followingLogs(() => morphChildren(frame, nodesOf(drawn)))
  const { name } = cluster.info() ?? {}
  document.title = [view?.title, name ?? 'Ganeti'].filter(Boolean).join(' · ')
}

function header(): HTMLElement {
  return h(
    'header',
    {},
    h(
      'a',
      { class: 'brand', href: hrefTo('') },
      h('img', { src: 'icon.svg', alt: '', width: 24, height: 24 }),
      h('strong', {}, cluster.info()?.name ?? 'Ganeti'),
    ),
    stateOfData(store, feed.state),
    session.user === undefined
      ? h(
          'button',
          { type: 'button', class: 'user', onclick: () => openLogin(session, userChanged) },
          icon('user'),
          'Log in',
        )
      : h(
          'span',
          { class: 'user' },
          h('span', { class: 'name' }, icon('user'), session.user),
          h('button', { type: 'button', class: 'quiet', onclick: () => void logOut() }, 'Log out'),
        ),
  )
}

function navigation(): HTMLElement {
  const shown = placeOf(location.hash).view
  return h(
    'nav',
    { 'aria-label': 'Views' },
    h(
      'ul',
      {},
      SECTIONS.filter(({ permission }) => permission === undefined || session.may(permission)).map(
        ({ view: name, title, icon: image }) =>
          h(
            'li',
            {},
            h(
              'a',
              { href: hrefTo(name), 'aria-current': shown === name ? 'page' : undefined },
              icon(image),
              title,
              numberFor(name),
            ),
          ),
      ),
    ),
  )
}

/** What a section has to tell before it is opened. */
function numberFor(name: string): HTMLElement | null {
  if (name === 'instances') {
    const list = store.peek<object>(cluster.instancesPath)
    return list === undefined ? null : h('span', { class: 'number' }, count(instancesIn(list).length))
  }
  if (name !== 'jobs') return null
  const running = cluster.jobs().data?.filter((job) => !isOver(job)).length ?? 0
  return running === 0
    ? null
    : h('span', { class: 'number busy', title: counted(running, 'unfinished job') }, count(running))
}

function content(): HTMLElement {
  const main = (...children: Parameters<typeof h>[2][]) =>
    h('main', { id: 'main', tabindex: -1 }, ...children)
  if (!isReady) {
    return main(
      store.lostSince
        ? h('p', { class: 'notice bad' }, 'The daemon cannot be reached.')
        : h('p', { class: 'loading' }, 'Loading'),
    )
  }
  if (!view) return main(h('h1', {}, 'Not found'), h('p', {}, 'There is no such view.'))
  if (session.isClosed && session.user === undefined) {
    return main(
      h(
        'section',
        { class: 'welcome' },
        h('h1', {}, 'Log in'),
        h('p', {}, 'This cluster shows nothing to strangers.'),
        h(
          'button',
          { type: 'button', class: 'primary', onclick: () => openLogin(session, userChanged) },
          'Log in',
        ),
      ),
    )
  }
  return main(view.draw())
}

/** Shows the view of the address. */
function arrive(): void {
  const { view: name, names, query } = placeOf(location.hash)
  const now = JSON.stringify([name, ...names])
  if (now === place && view) return
  const isFirst = place === ''
  place = now
  view?.close?.()
  const section = SECTIONS.find((one) => one.view === name)
  const make = names.length === 0 ? section?.list : section?.one
  view = make?.(page, names, query)
  requestAnimationFrame(() => {
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  })
  if (!isFirst) {
    scrollTo(0, 0)
    document.getElementById('main')?.focus({ preventScroll: true })
  }
  drawSoon()
}

function userChanged(): void {
  view?.close?.()
  view = undefined
  store.clear()
  feed.begin()
  arrive()
}

async function logOut(): Promise<void> {
  await session.logOut().catch(() => {})
  userChanged()
}

/** Asks until it is known what the user may do. */
async function begin(): Promise<void> {
  try {
    await session.ask()
    store.lostSince = undefined
  } catch {
    store.lostSince ??= new Date()
    drawSoon()
    setTimeout(() => void begin(), 2000)
    return
  }
  isReady = true
  feed.begin()
  arrive()
  drawSoon()
}

store.onChange = drawSoon
feed.onChange = drawSoon
feed.onRights = () =>
  void session
    .ask()
    .catch(() => session.logOut())
    .then(userChanged, userChanged)
addEventListener('hashchange', arrive)
document.addEventListener('visibilitychange', () => store.visibilityChanged())
// Times are told from now on.
let seconds = 0
setInterval(() => {
  if (feed.isBusy || ++seconds % SECONDS_BETWEEN === 0) drawSoon()
}, 1000)
arrive()
draw()
void begin()
