/**
 * A cluster as a person writes it down, in YAML. Everything may be left out but
 * names; what is left out is as in a newly made cluster of Ganeti's. Sizes are
 * MiB, or have a unit (`512m`, `4g`, `1t`).
 *
 * Which keys there are is in `yaml-keys.ts`, what they mean in the manual.
 *
 * Objects may also have `uuid`, `ctime`, `mtime` and `serial_no`. Where they do not, ids follow from names,
 * what does not tell when it was made was made with the cluster, and what does not tell when it was changed
 * was not. The cluster itself was made when the file was last changed.
 *
 * The cluster runs as it says: an instance that is up runs, a node that is not offline answers, and what is
 * free on it is what its instances leave. What contradicts itself is an error; so is a key that means nothing.
 */
import { isJsonObject, type Json } from '../../../../json/json.ts'
import type { ConfigObjects } from '../../../../model/config.ts'
import { CLUSTER_DEFAULTS } from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import { andIs, failureOf, linesByPath, Problems } from '../../records/problems.ts'
import { NOTHING, RecordReader } from '../../records/record-reader.ts'
import { Identities } from '../../records/unique-ids.ts'
import { type Cuts, cutsOf } from '../syntax/yaml-cuts.ts'
import { parseYaml } from '../syntax/yaml-tree.ts'
import { ClusterReader } from './cluster.ts'
import { readFilter } from './filters.ts'
import { readGroups } from './groups.ts'
import { InstanceReader } from './instances.ts'
import { NetworkInUse } from './networks.ts'
import { NodeReader } from './nodes.ts'
import { readOses } from './oses.ts'
import { keysOf } from './yaml-keys.ts'

/**
 * @param text the whole file
 * @param origin name of the file, for messages, and when it was last changed (seconds since the epoch)
 * @throws Failure `configuration` that lists everything wrong with the file, with line and column
 */
export function readYaml(text: string, origin: YamlOrigin): ConfigObjects {
  return readYamlText(text, origin).objects
}

export interface YamlOrigin {
  readonly name: string
  readonly mtime?: number
}

/** As `readYaml`, with the values themselves, and where to cut the text so that it can be changed. */
export function readYamlText(
  text: string,
  origin: YamlOrigin,
): { objects: ConfigObjects; value: Json; cuts: Cuts } {
  const tree = parseYaml(text)
  const problems = new Problems(true)
  const objects = tree.readable ? readTree(tree.value, problems, origin.mtime ?? 0) : undefined
  const found = problems.found.map((problem) => ({ offset: tree.locate(problem), message: problem.message }))
  const faults = [...tree.faults, ...found].sort((a, b) => a.offset - b.offset)
  if (objects && faults.length === 0) return { objects, value: tree.value, cuts: cutsOf(text, tree) }
  const lines = faults.map(({ offset, message }) => `${tree.position(offset)}: ${message}`)
  throw failureOf(origin.name, lines)
}

/**
 * Reads the value of a file that is not written yet.
 * @param instances its instances, where they are known: then `value` need not have them
 * @throws Failure `configuration` that lists what is wrong with it
 */
export function readYamlValue(
  value: Json,
  { name, mtime }: YamlOrigin,
  instances?: readonly Instance[],
): ConfigObjects {
  const problems = new Problems(true)
  const objects = readTree(value, problems, mtime ?? 0, instances)
  if (objects && problems.found.length === 0) return objects
  throw failureOf(name, linesByPath(problems))
}

function readTree(
  value: Json,
  problems: Problems,
  mtime: number,
  instances?: readonly Instance[],
): ConfigObjects | undefined {
  const root = new RecordReader(isJsonObject(value) ? value : NOTHING, null, '', problems)
  if (value === null || isJsonObject(value)) return readCluster(root, mtime, instances)
  problems.add(root, `this must be an object with cluster, nodes, instances, ...${andIs(value)}`)
  return undefined
}

/** @param known the instances, unless they are to be read too */
function readCluster(root: RecordReader, mtime: number, known?: readonly Instance[]): ConfigObjects {
  const clusterFields = root.child('cluster')
  // Once the cluster changes, this is written into the file, so let it be short.
  const ctime = clusterFields.numberOr('ctime', Math.floor(mtime))
  const identities = new Identities(root.problems, ctime)
  const clusterReader = new ClusterReader(clusterFields, identities)
  const { settings } = clusterReader
  const networks = new Map(
    [...root.child('networks').children()].map((fields) => [
      fields.key,
      new NetworkInUse(fields, identities),
    ]),
  )
  const groups = readGroups(root.child('groups'), networks, settings, identities)
  const nodeReader = new NodeReader(root.child('nodes'), groups, identities)
  const master = nodeReader.master(clusterFields)
  const nodes = nodeReader.withCandidates(master, settings.candidate_pool_size)
  const choices = clusterReader.choices()
  const instances =
    known ??
    new InstanceReader({
      ...choices,
      identities,
      settings,
      volumeGroup: settings.volume_group_name || CLUSTER_DEFAULTS.volume_group_name,
      nodes: nodeReader.byName,
      groups: new Map([...groups.values()].map((group) => [group.uuid, group])),
      networks,
    }).read(root.child('instances'))
  if (known) giveAddresses(networks, known)
  const cluster = clusterReader.read(choices, nodes, master, instances)
  const objects = {
    version: clusterReader.version,
    serial_no: 1,
    mtime,
    cluster,
    groups: [...groups.values()],
    nodes,
    instances,
    networks: [...networks.values()].map((network) => network.finished(nodes, cluster.master_ip)),
    filters: root.items('filters').map((fields, index) => readFilter(fields, index, identities, ctime)),
    oses: readOses(root, identities),
    live: nodeReader.live(cluster, nodes, instances),
    hardware: nodeReader.hardware,
    jobTime: clusterReader.jobTime(),
  }
  clusterFields.rejectUnknownKeysOf(keysOf('cluster'))
  root.rejectUnknownKeysOf(keysOf('sections'))
  return objects
}

/** As reading the instances does. */
function giveAddresses(networks: ReadonlyMap<string, NetworkInUse>, instances: readonly Instance[]): void {
  const byUuid = new Map([...networks.values()].map((network) => [network.uuid, network]))
  for (const { nics } of instances) {
    for (const { network, ip } of nics) if (ip !== null) byUuid.get(network ?? '')?.give(ip)
  }
}
