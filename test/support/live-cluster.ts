/**
 * A cluster in memory that operations are run on, one after the other: what
 * the job queue does, without the queue.
 */

import { OPERATIONS } from '../../lib/backend/config-file/operations/operations.ts'
import {
  type Context,
  OpError,
  type Outcome,
} from '../../lib/backend/config-file/operations/shared/operation.ts'
import { makeYamlText } from '../../lib/backend/config-file/yaml/document/make-yaml-text.ts'
import type { YamlText } from '../../lib/backend/config-file/yaml/document/yaml-text.ts'
import { readYamlText } from '../../lib/backend/config-file/yaml/read/read-yaml.ts'
import { writeChange } from '../../lib/backend/config-file/yaml/write/write-change.ts'
import { isJsonObject, type Json, type JsonObject } from '../../lib/json/json.ts'
import type { Change } from '../../lib/model/change.ts'
import { changeConfig, useOf } from '../../lib/model/change-config.ts'
import { type Config, indexConfig } from '../../lib/model/config.ts'
import { overcommitment } from '../../lib/model/live-values.ts'
import type { Hardware } from '../../lib/model/node.ts'
import { makeOpcode } from '../../lib/model/opcode.ts'
import { completeOpcode, OPCODES } from '../../lib/model/opcodes/table.ts'
import { parseConfig } from './read-cluster.ts'
import { GANETI_3_0 } from './versions.ts'

/** What became of an opcode, as its job would show it. */
export interface Ended {
  readonly status: 'success' | 'error'
  readonly result: Json
  readonly log: readonly string[]
  readonly submits: Outcome['submits']
}

export class LiveCluster {
  config: Config
  readonly #context: Context
  #now = 1_800_000_000
  #uuids = 0

  /** @param hardware MiB and CPUs by node name; nodes that are left out have what the file says */
  constructor(
    config: Config,
    random: () => number,
    hardware: { readonly [node: string]: Partial<Hardware> } = {},
  ) {
    this.#context = {
      now: 0,
      newUuid: () => `00000000-0000-4000-8000-${String(++this.#uuids).padStart(12, '0')}`,
      random,
    }
    const known = new Map(
      config.nodes.all.map(({ uuid, name }) => {
        const live = config.live.get(uuid)
        const read: Hardware = {
          bootid: live?.bootid ?? '',
          memory: live?.mtotal ?? null,
          ownMemory: live?.mnode ?? null,
          disk: live?.dtotal ?? null,
          cpus: live?.ctotal ?? null,
          ownCpus: live?.cnos ?? null,
          sockets: live?.csockets ?? null,
          numaNodes: live?.cnodes ?? null,
          spindles: live?.sptotal ?? null,
        }
        return [uuid, { ...read, ...config.hardware.get(uuid), ...hardware[name] }] as const
      }),
    )
    // Nodes report what is left of this, from the first.
    const everyNode = new Map(config.nodes.all.map((node) => [node.uuid, node]))
    this.config = changeConfig({ ...config, hardware: known }, { nodes: everyNode })
  }

  /** What the nodes cannot do although the file says so, e.g. more memory in use than there is. */
  get contradictions(): readonly string[] {
    const { nodes, hardware } = this.config
    return nodes.all.flatMap(({ uuid, name }) =>
      Object.entries(overcommitment(hardware.get(uuid) as Hardware, useOf(this.config, uuid))).map(
        ([, message]) => `${name}: ${message}`,
      ),
    )
  }

  /** Runs an opcode and keeps its change. */
  run(opcode: JsonObject): Ended {
    try {
      const operation = OPERATIONS[String(opcode.OP_ID)]
      if (!operation) throw new Error(`no such operation: ${opcode.OP_ID}`)
      const {
        change,
        result,
        log = [],
        submits,
      } = operation(this.config, opcode, {
        ...this.#context,
        now: ++this.#now,
      })
      this.apply(change)
      const jobs = submits?.map((job) => job.map((one) => completeOpcode(one, this.config.version)))
      return { status: 'success', result, log, submits: jobs }
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      return { status: 'error', result: [error.kind, error.args], log: error.log, submits: undefined }
    }
  }

  apply(change: Change): void {
    this.config = changeConfig(this.config, change)
  }
}

/** A cluster from the text of a YAML file. */
export function yamlCluster(text: string, random: () => number = numbers(1)): LiveCluster {
  return new LiveCluster(parseConfig(text, { name: 'test.yaml', mtime: 1_700_000_000 }), random)
}

/** As `yamlCluster`, with every change written into the file too. */
export class WrittenCluster extends LiveCluster {
  #text: YamlText

  constructor(text: string, random: () => number) {
    const { objects, cuts } = readYamlText(text, { name: 'test.yaml', mtime: 1_700_000_000 })
    super(indexConfig(objects), random)
    this.#text = makeYamlText(text, cuts)
  }

  override apply(change: Change): void {
    const { text, config } = writeChange(this.#text, this.config, change)
    this.#text = text
    this.config = config
  }

  /** What the file means, read anew; the time of the file itself must not matter. */
  reread(): Config {
    return parseConfig(this.#text.toString(), { name: 'test.yaml', mtime: 1_900_000_000 })
  }

  override toString(): string {
    return this.#text.toString()
  }
}

/** All that a configuration says, without the file's own times, for comparing. */
export function told({ mtime: _mtime, live, hardware, ...config }: Config) {
  return {
    ...config,
    groups: config.groups.all,
    nodes: config.nodes.all,
    instances: config.instances.all,
    networks: config.networks.all,
    live: [...live].sort(),
    hardware: [...hardware].sort(),
    primaryInstances: [...config.primaryInstances].sort(),
    secondaryInstances: [...config.secondaryInstances].sort(),
    groupNodes: [...config.groupNodes].sort(),
    networkInstances: [...config.networkInstances].sort(),
    taggedInstances: [...config.taggedInstances].sort(),
  }
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What must be given, and here need not be. */
const USUAL: { readonly [opcode: string]: JsonObject } = {
  OP_INSTANCE_CREATE: { mode: 'create', nics: [], disks: [] },
  OP_INSTANCE_REBOOT: { reboot_type: 'hard' },
}

/**
 * An opcode with its defaults.
 * @param name with `OP_` as a request would fill it, else without `OP_INSTANCE_`
 */
export function opcode(name: string, given: JsonObject, version = GANETI_3_0): JsonObject {
  const known = OPCODES.get(name)
  if (known) return completeOpcode(makeOpcode(known, given, version), version)
  const OP_ID = name.startsWith('OP_') ? name : `OP_INSTANCE_${name}`
  return completeOpcode({ ...USUAL[OP_ID], ...given, OP_ID }, version)
}

/** Gives the text of a job's refusal, and its class and code. */
export function refusalOf({ status, result }: Ended): { kind: Json; text: string; code: Json } | undefined {
  if (status === 'success' || !Array.isArray(result) || isJsonObject(result)) return undefined
  const [kind, args] = result as [Json, readonly Json[]]
  return { kind, text: String(args[0]), code: args[1] ?? null }
}
