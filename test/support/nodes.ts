/**
 * The nodes of a cluster on one machine, each with a tree, a daemon and an
 * address of its own: what Ganeti would do to them is done to their files.
 */
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { defaultPaths, type Paths } from '../../lib/paths.ts'
import { type Lifetime, socketDir } from '../backend/luxi/scripted-master.ts'
import { DaemonRoot } from './daemon-root.ts'
import { freePort } from './free-port.ts'

const yaml = `cluster: {name: copy.example.com}
nodes: {node1.example.com: {}, node2.example.com: {}, node3.example.com: {}}
`

export interface TestNode {
  readonly name: string
  readonly address: string
  readonly root: DaemonRoot
  readonly paths: Paths
}

export class TestNodes {
  /** The first is the master, the second a candidate, the third neither; only the first two have the configuration. */
  readonly all: readonly [TestNode, TestNode, TestNode]
  readonly #port: number

  static async make(t: Lifetime, users = ''): Promise<TestNodes> {
    return new TestNodes(t, users, await freePort())
  }

  private constructor(t: Lifetime, users: string, port: number) {
    this.#port = port
    const make = (number: number): TestNode => {
      const name = `node${number}.example.com`
      const root = new DaemonRoot(socketDir(t), undefined, name)
      const paths = defaultPaths(root.root)
      root.fill(users, number < 3 ? { configData: yaml } : {})
      mkdirSync(paths.socketDir, { recursive: true })
      t.teardown(() => root.end())
      return { name, address: `127.0.0.${number}`, root, paths }
    }
    this.all = [make(1), make(2), make(3)]
    const [first, ...others] = this.all
    for (const { root } of others) copyFileSync(first.root.pem, root.pem)
    this.setMaster(first)
  }

  /** Makes a node the master, as nodes see it. */
  setMaster({ name, address }: TestNode, seenBy: readonly TestNode[] = this.all): void {
    const lines = (line: (node: TestNode) => string) => `${this.all.map(line).join('\n')}\n`
    const files = {
      cluster_name: 'cluster.example.com\n',
      master_node: `${name}\n`,
      master_ip: `${address}\n`,
      master_candidates: `${this.all[0].name}\n${this.all[1].name}\n`,
      node_primary_ips: lines((node) => `${node.name} ${node.address}`),
      release_version: '3.0.2\n',
    }
    for (const { paths } of seenBy) {
      for (const [key, text] of Object.entries(files)) {
        const path = `${paths.ssconfDir}/ssconf_${key}`
        writeFileSync(`${path}.new`, text)
        renameSync(`${path}.new`, path)
      }
    }
  }

  /** Starts the daemon of a node in the foreground, and waits until it listens. */
  async start({ root, address }: TestNode, ...args: string[]): Promise<ReturnType<DaemonRoot['spawn']>> {
    const before = root.logLines.length
    const child = root.spawn('-f', '--any-node', '-b', address, '-p', String(this.#port), ...args)
    // What nobody reads would stop it once the pipe is full.
    child.stdout?.resume()
    child.stderr?.resume()
    await root.logged(/Listening on/, before)
    return child
  }
}
