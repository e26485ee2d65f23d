/**
 * What it costs a client to ask another node than the master: the same requests
 * to a master's daemon and through that of another node, on one machine. Both
 * daemons share its processors, so that a hop costs less on two machines.
 */
import { type Lifetime, type Script, scriptedMaster } from '../backend/luxi/scripted-master.ts'
import { TestNodes } from '../support/nodes.ts'
import { byWrk, contest, type Settings } from './contest.ts'
import { basic } from './our-daemon.ts'
import type { Report } from './report.ts'

const USERS = 'w pw write\n'

/** A short answer, one of some hundred kilobytes, and jobs without end. */
const script: Script = ({ method }) => {
  if (method === 'QueryClusterInfo') return { software_version: '3.0.2' }
  if (method === 'SubmitJob') return 7
  if (method === 'QueryTags') return ['one', 'two']
  return Array.from({ length: 2000 }, (_, number) => [`instance-${number}.example.com`])
}

export async function hop(report: Report, settings: Settings): Promise<void> {
  report.part('hop', 'a node that forwards to the master')
  const ends: (() => unknown)[] = []
  const lifetime = {
    teardown: (end: () => unknown) => ends.unshift(end),
    fail: (message: string) => {
      throw new Error(message)
    },
  } as unknown as Lifetime
  try {
    const nodes = await TestNodes.make(lifetime, USERS)
    const [first, second] = nodes.all
    await scriptedMaster(lifetime, script, first.paths.querySocket)
    for (const node of [first, second]) await nodes.start(node, '--audit=no')
    const compare = async (
      what: string,
      target: string,
      more: { readonly clients: number; readonly method?: string; readonly body?: string },
    ) => {
      const contenders = [
        ['the master', first],
        ['another node', second],
      ] as const
      const figure = await contest(
        report,
        what,
        contenders.map(([name, { root }]) =>
          byWrk(name, {
            ...more,
            url: root.origin + target,
            headers: {
              ...basic('w', 'pw'),
              ...(more.body !== undefined && { 'Content-Type': 'application/json' }),
            },
          }),
        ),
        settings,
      )
      report.goal('another node / the master', figure('another node').median / figure('the master').median)
    }
    await compare('/2/tags, one client', '/2/tags', { clients: 1 })
    await compare('/2/tags, 16 clients', '/2/tags', { clients: 16 })
    await compare('/2/instances of 2000, 4 clients', '/2/instances', { clients: 4 })
    const body = '{"group_name": "new"}'
    await compare('POST /2/groups, 4 clients', '/2/groups', { clients: 4, method: 'POST', body })
  } finally {
    for (const end of ends) await end()
  }
}
