/**
 * Everything that changes something, through each of the two daemons.
 *
 * First with the job queue paused: the requests that were once captured from a
 * real cluster are sent to both, and the jobs that they submit are compared in
 * the queue, down to every parameter of every opcode, and cancelled. What the
 * master daemon then does with equal jobs is not up to us; that it does it is
 * shown by a life of an instance, a network, a group and a filter rule through
 * each.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Json } from '../../lib/json/json.ts'
import { compareAnswers } from '../differential/compare-json.ts'
import { CHANGE_DIFFERENCES } from './differences.ts'
import { inParallel, whilePaused } from './paused.ts'
import { ask, ended, jobOf, ORIGINAL, OURS, type Side, timeless } from './sides.ts'

t.setTimeout(900_000)

interface Captured {
  readonly user: string
  readonly method: string
  readonly target: string
  readonly body?: string
}

const captured: readonly Captured[] = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/captures/write/requests.json', import.meta.url), 'utf8'),
)

t.test('every change asks the master daemon for what the original asks it for', async (t) => {
  const uses = new Map(CHANGE_DIFFERENCES.map((one) => [one, 0]))
  // A rule's life is compared below: what is there for one daemon is gone for the next.
  const requests = captured.filter(({ target }) => !target.startsWith('/2/filters'))
  let equal = 0
  let jobs = 0
  await whilePaused(async () => {
    await inParallel(requests, async ({ user, method, target, body }) => {
      const request = `${method} ${target} ${body ?? ''}`
      const asking = {
        method,
        ...(user !== '' && { user }),
        ...(body !== undefined && { body: JSON.parse(body) as Json }),
      }
      const theirs = await ask(ORIGINAL, target, asking)
      const ours = await ask(OURS, target, asking)
      const submitted = [theirs.body, ours.body].filter((id) => typeof id === 'number')
      if (submitted.length === 2) {
        const [their, our] = [await jobOf(theirs.body), await jobOf(ours.body)]
        if (t.same(our.ops, their.ops, request)) equal++
        jobs++
      } else {
        const lines = compareAnswers(theirs, ours).differences.map((difference) => `${request} ${difference}`)
        if (lines.length === 0) equal++
        for (const line of lines) {
          const listed = CHANGE_DIFFERENCES.filter(({ where }) => where.test(line))
          t.ok(listed.length > 0, line)
          for (const one of listed) uses.set(one, (uses.get(one) ?? 0) + 1)
        }
      }
    })
  })
  t.comment(
    `${equal} of ${requests.length} requests for changes are equal, ${jobs} of them as jobs in the queue`,
  )
  for (const [{ where, reason }, count] of uses) t.ok(count > 0, `still a difference: ${where} (${reason})`)
})

/** A step of a life; NAME stands for the object's name. */
type Step = readonly [method: string, target: string, body?: Json]

const INSTANCE: readonly Step[] = [
  [
    'POST',
    '/2/instances',
    {
      __version__: 1,
      mode: 'create',
      instance_name: 'NAME',
      disk_template: 'file',
      disks: [{ size: 1024 }],
      nics: [{}],
      os_type: 'noop+default',
      pnode: 'node1.example.com',
      conflicts_check: false,
      ip_check: false,
      name_check: false,
      hypervisor: 'fake',
    },
  ],
  ['PUT', '/2/instances/NAME/tags?tag=one&tag=two%3A2'],
  ['DELETE', '/2/instances/NAME/tags?tag=one'],
  ['PUT', '/2/instances/NAME/modify', { beparams: { vcpus: 2 } }],
  ['POST', '/2/instances/NAME/reboot?type=hard'],
  ['PUT', '/2/instances/NAME/shutdown', { timeout: 1 }],
  ['POST', '/2/instances/NAME/disk/0/grow', { amount: 64 }],
  ['PUT', '/2/instances/NAME/activate-disks'],
  ['PUT', '/2/instances/NAME/deactivate-disks'],
  ['POST', '/2/instances/NAME/reinstall', { os: 'noop+minimal', start: false }],
  ['PUT', '/2/instances/NAME/startup?dry-run=1'],
  ['PUT', '/2/instances/NAME/startup'],
  ['PUT', '/2/instances/NAME/modify', { beparams: { bogus: 1 } }],
  ['DELETE', '/2/instances/NAME?dry-run=1'],
  ['DELETE', '/2/instances/NAME'],
  ['DELETE', '/2/instances/NAME'],
]

const NETWORK: readonly Step[] = [
  ['POST', '/2/networks', { network_name: 'NAME', network: 'SUBNET', tags: ['a'] }],
  [
    'PUT',
    '/2/networks/NAME/connect',
    { group_name: 'default', network_mode: 'bridged', network_link: 'br0' },
  ],
  ['PUT', '/2/networks/NAME/modify', { mac_prefix: 'aa:cc:ee' }],
  ['PUT', '/2/networks/NAME/disconnect', { group_name: 'default' }],
  // Since 3.1 it has another name then; before, there is no such resource.
  ['PUT', '/2/networks/NAME/rename', { new_name: 'NAMEx' }],
  ['DELETE', '/2/networks/NAMEx'],
  ['DELETE', '/2/networks/NAME'],
]

const GROUP: readonly Step[] = [
  ['POST', '/2/groups', { group_name: 'NAME', alloc_policy: 'unallocable' }],
  ['PUT', '/2/groups/NAME/modify', { alloc_policy: 'preferred' }],
  ['PUT', '/2/groups/NAME/tags?tag=x'],
  ['PUT', '/2/groups/NAME/rename', { new_name: 'NAMEx' }],
  ['DELETE', '/2/groups/NAMEx'],
]

/** Leads a life through one of the daemons; gives what came of each step, the names in it undone. */
async function lead(side: Side, steps: readonly Step[], names: { readonly [placeholder: string]: string }) {
  const filled = (text: string) =>
    Object.entries(names).reduce((sofar, [placeholder, name]) => sofar.replaceAll(placeholder, name), text)
  const undone = (text: string) =>
    Object.entries(names)
      .reduce((sofar, [placeholder, name]) => sofar.replaceAll(name, placeholder), text)
      .replace(/[\da-f]{8}-[\da-f-]{27}/g, 'UUID')
  const outcomes: Json[] = []
  for (const [method, target, body] of steps) {
    const answer = await ask(side, filled(target), {
      user: 'writer',
      method,
      body: body === undefined ? undefined : JSON.parse(filled(JSON.stringify(body))),
    })
    if (typeof answer.body !== 'number') {
      outcomes.push({ status: answer.status, body: answer.body })
      continue
    }
    const { status, ops, opresult } = await ended(answer.body)
    outcomes.push(JSON.parse(undone(JSON.stringify({ status, ops, opresult }))))
  }
  return outcomes
}

async function compareLives(
  t: Test,
  steps: readonly Step[],
  theirs: { readonly [placeholder: string]: string },
  ours: { readonly [placeholder: string]: string },
) {
  const [their, our] = await Promise.all([lead(ORIGINAL, steps, theirs), lead(OURS, steps, ours)])
  for (const [i, step] of steps.entries()) {
    t.same(our[i], their[i], `${step.slice(0, 2).join(' ')}: ${(their[i] as { status: Json }).status}`)
  }
}

t.test('an instance lives alike through both', async (t) => {
  await compareLives(t, INSTANCE, { NAME: 'inst51.example.com' }, { NAME: 'inst52.example.com' })
})

t.test('a network lives alike through both', async (t) => {
  await compareLives(
    t,
    NETWORK,
    { NAME: 'net51', SUBNET: '10.51.0.0/24' },
    { NAME: 'net52', SUBNET: '10.52.0.0/24' },
  )
})

t.test('a node group lives alike through both', async (t) => {
  await compareLives(t, GROUP, { NAME: 'group51' }, { NAME: 'group52' })
})

t.test('a rule of the job filter lives alike through both', async (t) => {
  const rule = {
    priority: 5,
    predicates: [['jobid', ['<', 'id', 1]]],
    action: 'PAUSE',
    reason: [['me', 'why', 1]],
  }
  const live = async (side: Side) => {
    const writer = { user: 'writer' }
    const put = await ask(side, '/2/filters', { ...writer, method: 'POST', body: rule })
    const path = `/2/filters/${put.body}`
    const made = await ask(side, path)
    const changed = await ask(side, path, {
      ...writer,
      method: 'PUT',
      body: { ...rule, priority: 6, action: 'CONTINUE' },
    })
    const after = await ask(side, path)
    const gone = await ask(side, path, { ...writer, method: 'DELETE' })
    const again = await ask(side, path, { ...writer, method: 'DELETE' })
    const told = [put, made, changed, after, gone].map(({ status, body }) => ({ status, body }))
    const text = JSON.stringify(timeless(told)).replaceAll(String(put.body), 'UUID')
    return { text: text.replace(/"watermark":\d+/g, '"watermark":0'), again: again.status }
  }
  const [theirs, ours] = [await live(ORIGINAL), await live(OURS)]
  t.same(ours.text, theirs.text)
  t.equal(theirs.again, 500, 'the original fails where a rule is not there')
  t.equal(ours.again, 404)
})

t.test('a job that waits can be cancelled through both', async (t) => {
  await whilePaused(async () => {
    for (const side of [ORIGINAL, OURS]) {
      const { body: job } = await ask(side, '/2/redistribute-config', { user: 'writer', method: 'PUT' })
      const cancel = { user: 'writer', method: 'DELETE' }
      const { status, body } = await ask(side, `/2/jobs/${job}`, cancel)
      t.same([status, body], [200, [true, `Dequeued job ${job}`]])
      t.equal((await jobOf(job as Json)).status, 'canceled')
      t.same((await ask(side, `/2/jobs/${job}`, cancel)).body, [false, `Job ${job} not found in queue`])
    }
  })
})
