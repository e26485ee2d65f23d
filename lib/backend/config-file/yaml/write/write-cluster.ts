/** What a file has to say of the cluster itself. */
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import type { Config } from '../../../../model/config.ts'
import {
  BE_DEFAULTS,
  CLUSTER_DEFAULTS,
  DATA_COLLECTOR_INTERVAL,
  DATA_COLLECTORS,
  DISK_DEFAULTS,
  hvDefaults,
  IPOLICY_DEFAULTS,
  ND_DEFAULTS,
  NIC_DEFAULTS,
} from '../../../../model/defaults.ts'
import type { BeParams } from '../../../../model/params.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { fixIPolicy, fixMemory, fixNested, fixParams, fixRecord, Statement } from './statement.ts'

const CLUSTER_KEYS = {
  master_ip: '',
  master_netdev: CLUSTER_DEFAULTS.master_netdev,
  use_external_mip_script: false,
  candidate_pool_size: CLUSTER_DEFAULTS.candidate_pool_size,
  file_storage_dir: '',
  shared_file_storage_dir: '',
  gluster_storage_dir: '',
  mac_prefix: CLUSTER_DEFAULTS.mac_prefix,
  default_iallocator: '',
  default_iallocator_params: {},
  maintain_node_health: false,
  modify_etc_hosts: true,
  modify_ssh_setup: true,
  ssh_key_type: CLUSTER_DEFAULTS.ssh_key_type,
  ssh_key_bits: CLUSTER_DEFAULTS.ssh_key_bits,
  prealloc_wipe_disks: false,
  reserved_lvs: [],
  uid_pool: [],
  max_running_jobs: CLUSTER_DEFAULTS.max_running_jobs,
  max_tracked_jobs: CLUSTER_DEFAULTS.max_tracked_jobs,
  install_image: '',
  instance_communication_network: '',
  zeroing_image: '',
  compression_tools: CLUSTER_DEFAULTS.compression_tools,
  enabled_user_shutdown: false,
  hidden_os: [],
  blacklisted_os: [],
} as const satisfies { readonly [key in keyof Cluster]?: Json }

/** Keys whose default follows from the rest of the file. */
const DERIVED_KEYS = [
  'master_netmask',
  'primary_ip_version',
  'enabled_disk_templates',
  'volume_group_name',
  'drbd_usermode_helper',
] as const

export function writeCluster(
  written: Json | undefined,
  parsed: Cluster,
  target: Cluster,
  { nodes, version }: Pick<Config, 'nodes' | 'version'>,
): JsonObject {
  const statement = new Statement(written)
  statement.fix('name', parsed.cluster_name, target.cluster_name)
  if (parsed.master_node !== target.master_node) {
    statement.put('master', nodes.byUuid.get(target.master_node)?.name)
  }
  for (const [key, usual] of Object.entries(CLUSTER_KEYS) as [keyof typeof CLUSTER_KEYS, Json][]) {
    statement.fix(key, parsed[key] as Json, target[key] as Json, usual)
  }
  // No volume group, where there would be one, is written by an empty name.
  for (const key of DERIVED_KEYS) statement.fix(key, parsed[key] ?? '', target[key] ?? '')
  if (!equalJson(parsed.enabled_hypervisors, target.enabled_hypervisors)) {
    statement.put('enabled_hypervisors', target.enabled_hypervisors)
    if (statement.has('hypervisor')) statement.put('hypervisor', target.enabled_hypervisors[0])
  }
  fixDefaults(statement, 'beparams', (inner) => fixClusterBeparams(inner, parsed.beparams, target.beparams))
  fixDefaults(statement, 'nicparams', (inner) =>
    fixParams(inner, { ...parsed.nicparams }, { ...target.nicparams }, { ...NIC_DEFAULTS }),
  )
  statement.fixParams('ndparams', parsed.ndparams, target.ndparams, ND_DEFAULTS)
  fixNested(statement, 'hvparams', parsed.hvparams, target.hvparams, hvDefaults(version))
  fixNested(statement, 'diskparams', parsed.diskparams, target.diskparams, DISK_DEFAULTS)
  fixNested(statement, 'osparams', parsed.osparams, target.osparams, {}, true)
  if (!equalJson(parsed.os_hvp, target.os_hvp)) statement.putObject('os_hvp', target.os_hvp)
  // Saying nothing of the policy's templates means the enabled ones.
  const templates = { 'disk-templates': target.enabled_disk_templates }
  fixIPolicy(statement, parsed.ipolicy, target.ipolicy, {
    ...IPOLICY_DEFAULTS,
    ...templates,
  } as unknown as JsonObject)
  fixNested(statement, 'data_collectors', collectors(parsed), collectors(target), USUAL_COLLECTORS)
  fixRecord(statement, parsed, target, deriveUuid('cluster', target.cluster_name))
  // It follows from the file's own time, which changes now; and other times follow from it.
  statement.put('ctime', target.ctime)
  return statement.json
}

/** Parameters that may stand one level deeper, under `default`. */
function fixDefaults(statement: Statement, key: string, fix: (inner: Json | undefined) => JsonObject): void {
  const written = statement.get(key)
  if (isJsonObject(written) && Object.hasOwn(written, 'default')) {
    statement.put(key, { ...written, default: fix(written.default) })
  } else statement.putObject(key, fix(written))
}

function fixClusterBeparams(written: Json | undefined, parsed: BeParams, target: BeParams): JsonObject {
  const { maxmem, minmem, ...others } = target
  const { maxmem: maxWas, minmem: minWas, ...were } = parsed
  const { maxmem: _max, minmem: _min, ...usual } = BE_DEFAULTS
  const inner = new Statement(fixParams(written, were, others, usual))
  fixMemory(inner, inner, { maxmem: maxWas, minmem: minWas }, { maxmem, minmem })
  return inner.json
}

type Collectors = { readonly [name: string]: JsonObject }

const USUAL_COLLECTORS: Collectors = Object.fromEntries(
  DATA_COLLECTORS.map((name) => [name, { active: true, interval: DATA_COLLECTOR_INTERVAL }]),
)

function collectors({ enabled_data_collectors, data_collector_interval }: Cluster): Collectors {
  return Object.fromEntries(
    Object.entries(enabled_data_collectors).map(([name, active]) => [
      name,
      { active, interval: data_collector_interval[name] ?? DATA_COLLECTOR_INTERVAL },
    ]),
  )
}
