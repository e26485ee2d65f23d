/** Tables of opcodes, each with what becomes of it on the cluster of `operations.yaml`. */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import type { Config } from '../../lib/model/config.ts'
import type { Instance } from '../../lib/model/instance.ts'
import type { Version } from '../../lib/model/version.ts'
import { type Ended, type LiveCluster, opcode, refusalOf, yamlCluster } from './live-cluster.ts'
import { GANETI_3_0 } from './versions.ts'

const YAML = readFileSync(new URL('../../../test/fixtures/operations.yaml', import.meta.url), 'utf8')

/** Some of an instance's properties, as tap's `match` takes them; null for none at all. */
type Expected = ((instance: Instance, cluster: LiveCluster) => boolean) | object | null

export interface Case {
  readonly title: string
  /** Which Ganeti the cluster runs; 3.0.2 unless given. */
  readonly version?: Version
  /** The opcode's name, where it begins with `OP_INSTANCE_` without that. */
  readonly run: string
  readonly with: JsonObject
  /** Opcodes that come before. */
  readonly after?: readonly (readonly [name: string, given: JsonObject])[]
  /** Text (a part of it, or a pattern) and code of the refusal, and its class where that is not OpPrereqError. */
  readonly refused?: readonly [text: string | RegExp, code?: string | null, kind?: string]
  readonly result?: Json
  /** Lines that are told, in this order, perhaps among others. */
  readonly tells?: readonly string[]
  /** What instances are like afterwards. */
  readonly becomes?: { readonly [name: string]: Expected }
  /** Something about the whole cluster, and what it is afterwards. */
  readonly leaves?: readonly [of: (config: Config) => unknown, expected: unknown]
  /** Jobs that are submitted, each opcode as tap's `match` takes it. */
  readonly submits?: readonly (readonly object[])[]
  /** Whether nothing at all changed. */
  readonly unchanged?: true
}

/** A new cluster to try things on. */
export function operationsCluster({ text } = GANETI_3_0): LiveCluster {
  return yamlCluster(YAML.replace('\ncluster:\n', `$&  software_version: ${text}\n`))
}

/** Runs each case on a cluster of its own. */
export function testCases(t: Test, cases: readonly Case[]): void {
  for (const one of cases) {
    t.test(one.title, async (t) => {
      const { version = GANETI_3_0 } = one
      const cluster = operationsCluster(version)
      for (const [name, given] of one.after ?? []) {
        const { status, result } = cluster.run(opcode(name, given, version))
        t.equal(status, 'success', `before: ${name}`, { result })
      }
      const before = cluster.config
      const dry = cluster.run(opcode(one.run, { ...one.with, dry_run: true }, version))
      t.same(dry.submits ?? [], [], 'a dry run submits nothing')
      checkUnchanged(t, cluster.config, before)
      const ended = cluster.run(opcode(one.run, one.with, version))
      checkEnd(t, one, ended)
      if (one.refused || one.unchanged) checkUnchanged(t, cluster.config, before)
      if (one.leaves) t.same(one.leaves[0](cluster.config), one.leaves[1], `leaves: ${one.leaves[0]}`)
      for (const [name, wanted] of Object.entries(one.becomes ?? {})) {
        checkInstance(t, cluster, `${name}.example.com`, wanted)
      }
      t.same(cluster.contradictions, [], 'no node has to give more than it has')
    })
  }
}

function checkEnd(t: Test, { refused, result, tells, submits }: Case, ended: Ended): void {
  const refusal = refusalOf(ended)
  if (refused) {
    const [text, code = null, kind = 'OpPrereqError'] = refused
    t.equal(ended.status, 'error', 'is refused')
    if (typeof text === 'string') t.equal(refusal?.text, text)
    else t.match(refusal?.text, text)
    t.same([refusal?.kind, refusal?.code], [kind, code])
  } else t.equal(ended.status, 'success', 'succeeds', { result: ended.result })
  if (result !== undefined) t.same(ended.result, result)
  if (submits) {
    t.equal(ended.submits?.length, submits.length, 'submits as many jobs')
    t.match(ended.submits, submits)
  }
  let from = 0
  for (const line of tells ?? []) {
    const at = ended.log.indexOf(line, from)
    t.ok(at >= 0, `tells: ${line}`, { log: ended.log })
    from = at + 1
  }
}

function checkUnchanged(t: Test, now: Config, before: Config): void {
  t.equal(now.cluster, before.cluster, 'the cluster is the same')
  for (const kind of ['groups', 'instances', 'networks', 'nodes'] as const) {
    t.equal(now[kind].all.length, before[kind].all.length, `no ${kind} more or less`)
    t.ok(
      before[kind].all.every((object) => now[kind].byUuid.get(object.uuid) === object),
      `no ${kind} changed`,
    )
  }
}

function checkInstance(t: Test, cluster: LiveCluster, name: string, wanted: Expected): void {
  const instance = cluster.config.instances.byName.get(name)
  if (wanted === null) return void t.equal(instance, undefined, `${name} is gone`)
  if (!instance) return void t.fail(`${name} is there`)
  if (typeof wanted === 'function')
    return void t.ok((wanted as (...args: unknown[]) => boolean)(instance, cluster), `${name}: ${wanted}`)
  t.match(instance, wanted)
}

/** UUID of a node by its short name. */
export function nodeUuid({ config }: LiveCluster, name: string): string {
  return config.nodes.byName.get(`${name}.example.com`)?.uuid ?? ''
}

/** MiB of memory that a node has to give. */
export function freeMemory({ config }: LiveCluster, node: string): number | null | undefined {
  return config.live.get(config.nodes.byName.get(`${node}.example.com`)?.uuid ?? '')?.mfree
}
