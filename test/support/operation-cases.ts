/** Tables of opcodes, each with what becomes of it on the cluster of `operations.yaml`. */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Instance } from '../../lib/model/instance.ts'
import { type Ended, type LiveCluster, opcode, refusalOf, yamlCluster } from './live-cluster.ts'

const YAML = readFileSync(new URL('../../../test/fixtures/operations.yaml', import.meta.url), 'utf8')

/** Some of an instance's properties, as tap's `match` takes them; null for none at all. */
type Expected = ((instance: Instance, cluster: LiveCluster) => boolean) | object | null

export interface Case {
  readonly title: string
  /** The opcode's name without `OP_INSTANCE_`. */
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
  /** Whether nothing at all changed. */
  readonly unchanged?: true
}

/** A new cluster to try things on. */
export function operationsCluster(): LiveCluster {
  return yamlCluster(YAML)
}

/** Runs each case on a cluster of its own. */
export function testCases(t: Test, cases: readonly Case[]): void {
  for (const one of cases) {
    t.test(one.title, async (t) => {
      const cluster = operationsCluster()
      for (const [name, given] of one.after ?? []) {
        const { status, result } = cluster.run(opcode(name, given))
        t.equal(status, 'success', `before: ${name}`, { result })
      }
      const before = cluster.config
      const ended = cluster.run(opcode(one.run, one.with))
      checkEnd(t, one, ended)
      if (one.refused || one.unchanged) checkUnchanged(t, cluster, before.instances.all)
      for (const [name, wanted] of Object.entries(one.becomes ?? {})) {
        checkInstance(t, cluster, `${name}.example.com`, wanted)
      }
      t.same(cluster.contradictions, [], 'no node has to give more than it has')
    })
  }
}

function checkEnd(t: Test, { refused, result, tells }: Case, ended: Ended): void {
  const refusal = refusalOf(ended)
  if (refused) {
    const [text, code = null, kind = 'OpPrereqError'] = refused
    t.equal(ended.status, 'error', 'is refused')
    if (typeof text === 'string') t.equal(refusal?.text, text)
    else t.match(refusal?.text, text)
    t.same([refusal?.kind, refusal?.code], [kind, code])
  } else t.equal(ended.status, 'success', 'succeeds', { result: ended.result })
  if (result !== undefined) t.same(ended.result, result)
  let from = 0
  for (const line of tells ?? []) {
    const at = ended.log.indexOf(line, from)
    t.ok(at >= 0, `tells: ${line}`, { log: ended.log })
    from = at + 1
  }
}

function checkUnchanged(t: Test, { config }: LiveCluster, before: readonly Instance[]): void {
  t.equal(config.instances.all.length, before.length, 'no instance more or less')
  t.ok(
    before.every((instance) => config.instances.byUuid.get(instance.uuid) === instance),
    'no instance changed',
  )
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
