/** What a file has to say of an instance. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { BeParams } from '../../../../model/params.ts'
import { deriveUuid } from '../../records/derived-ids.ts'
import { type Around, fixList, fixMemory, fixParams, fixRecord, Statement } from './statement.ts'
import { writeDisk } from './write-disk.ts'
import { writeNic } from './write-nic.ts'

export function writeInstance(
  written: Json | undefined,
  parsed: Instance | undefined,
  target: Instance,
  around: Around,
): JsonObject {
  const statement = new Statement(written)
  const nameOf = (uuid: string | undefined) => around.nodes.byUuid.get(uuid ?? '')?.name
  const { cluster } = around
  statement.fix('os', parsed?.os ?? '', target.os, '')
  statement.fix('pnode', parsed && nameOf(parsed.primary_node), nameOf(target.primary_node) ?? '')
  const second = nameOf(target.secondary_nodes[0])
  if (nameOf(parsed?.secondary_nodes[0]) !== second) statement.put('snode', second)
  statement.fix('disk_template', parsed?.disk_template, target.disk_template)
  const hypervisor = cluster.enabled_hypervisors[0] ?? ''
  statement.fix('hypervisor', parsed ? parsed.hypervisor : hypervisor, target.hypervisor, hypervisor)
  fixOwnBeparams(statement, parsed?.beparams, target.beparams)
  statement.fixParams('hvparams', parsed?.hvparams, target.hvparams)
  statement.fixParams('osparams', parsed?.osparams, target.osparams)
  const secrets = (names: readonly string[] = []) => Object.fromEntries(names.map((name) => [name, '']))
  statement.fixParams('osparams_private', secrets(parsed?.osparams_private), secrets(target.osparams_private))
  statement.fix('state', parsed?.admin_state ?? 'up', target.admin_state, 'up')
  statement.fix(
    'admin_state_source',
    parsed?.admin_state_source ?? 'admin',
    target.admin_state_source,
    'admin',
  )
  const active = target.admin_state === 'up'
  statement.fix('disks_active', parsed ? parsed.disks_active : active, target.disks_active, active)
  if (target.network_port !== null) statement.fix('network_port', parsed?.network_port, target.network_port)
  fixList(statement, 'disks', parsed?.disks, target.disks, (item, was, disk, index) =>
    writeDisk(item, was, disk, index, target, around),
  )
  fixList(statement, 'nics', parsed?.nics, target.nics, (item, was, nic, index) =>
    writeNic(item, was, nic, index, target, around),
  )
  fixRecord(statement, parsed, target, deriveUuid('instance', target.name), cluster.ctime)
  return statement.json
}

/** Memory and CPUs may stand beside the name or in `beparams`; they stay where they are. */
function fixOwnBeparams(
  statement: Statement,
  parsed: Partial<BeParams> = {},
  { maxmem, minmem, vcpus, ...others }: Partial<BeParams>,
): void {
  const { maxmem: _max, minmem: _min, vcpus: _vcpus, ...were } = parsed
  const inner = new Statement(fixParams(statement.get('beparams'), were, others))
  if (parsed.vcpus !== vcpus) (inner.has('vcpus') ? inner : statement).put('vcpus', vcpus)
  fixMemory(inner.has('memory') ? inner : statement, inner, parsed, { maxmem, minmem })
  statement.putObject('beparams', inner.json)
}
