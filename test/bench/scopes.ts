/** What rights with a selector cost: a user reads 20 of 10,000 instances, beside a cluster that has no others. */
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { generateConfig } from '../support/generate-config.ts'
import { byWrk, contest, type Settings } from './contest.ts'
import { basic, type OurDaemon, startOurs } from './our-daemon.ts'
import type { Report } from './report.ts'

const OWN = 20
const MANY = 10_000

/** Users by what their words select, all of them the same instances. */
const USERS = {
  tag: '@readonly!tag=team:web',
  'another tag with a star': '@readonly!tag=team:w*',
  node: '@readonly!node=node1.example.com',
  'name with a star': '@readonly!instance=own*.example.com',
}

const usersFile = Object.entries(USERS)
  .map(([name, word]) => `${name.replaceAll(' ', '-')} secret ${word}\n`)
  .join('')

/** A cluster in which some instances are on the first node, have a tag, and a name of their own. */
function cluster(instances: number): string {
  const config = generateConfig({ instances, nodes: Math.max(2, instances / OWN) }) as {
    readonly instances: { readonly [uuid: string]: { [key: string]: Json } }
    readonly nodes: { readonly [uuid: string]: JsonObject }
  }
  const first = Object.values(config.nodes).find(({ name }) => name === 'node1.example.com') as JsonObject
  const others = Object.values(config.nodes).filter((node) => node !== first)
  for (const [place, instance] of Object.values(config.instances).entries()) {
    const isOwn = place < OWN
    instance.primary_node = (isOwn ? first : (others[place % others.length] as JsonObject)).uuid as Json
    instance.secondary_nodes = []
    instance.tags = isOwn ? ['team:web'] : [`team:${place % 100}`]
    if (isOwn) instance.name = `own${place}.example.com`
  }
  return JSON.stringify(config)
}

export async function scopes(report: Report, settings: Settings): Promise<void> {
  report.part('scopes', 'rights with a selector')
  const start = (instances: number): Promise<OurDaemon> =>
    startOurs(
      settings.folder,
      `scopes-${instances}`,
      { configData: cluster(instances) },
      {
        args: ['--no-ssl'],
        users: usersFile,
      },
    )
  const [few, many] = [await start(OWN), await start(MANY)]
  try {
    for (const user of Object.keys(USERS)) {
      const headers = basic(user.replaceAll(' ', '-'), 'secret')
      for (const target of ['/2/instances?bulk=1', '/2/instances/own7.example.com']) {
        const of = ({ origin }: OurDaemon, name: string) =>
          byWrk(name, { url: origin + target, clients: 4, headers })
        const contenders = [of(few, `of ${OWN}`), of(many, `of ${MANY}`)]
        const figure = await contest(report, `${target}, by ${user}`, contenders, settings)
        const ratio = figure(`of ${MANY}`).median / figure(`of ${OWN}`).median
        report.goal(`of ${MANY} / of ${OWN}`, ratio, target.includes('bulk') ? { atLeast: 0.8 } : undefined)
      }
    }
  } finally {
    await few.stop()
    await many.stop()
  }
}
