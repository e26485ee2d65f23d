/**
 * Creating an instance.
 *
 * Simplified on purpose: names are not resolved, so every name is a good one
 * and an address cannot be `auto`; a volume or device that shall be adopted is
 * there, with the size given; exports and other clusters to import from there
 * are none; and a file has no place for an instance that is only planned
 * (`forthcoming`).
 */
import type { JsonObject } from '../../../../json/json.ts'
import { filledDiskParams, filledIPolicy, filledOsParams } from '../../../../model/fill.ts'
import type { Disk, Instance, Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams, HvParams } from '../../../../model/params.ts'
import { WITH_PORT } from '../../../../model/unique-numbers.ts'
import { spaceWanted } from '../shared/disk-templates.ts'
import { groupOf } from '../shared/find.ts'
import { checkNotGlobal } from '../shared/hypervisor-params.ts'
import { fullBeParams, fullHvParams, ownBeParams, ownHvParams } from '../shared/instance-params.ts'
import { checkViolations, specsOfNew, violations } from '../shared/instance-policy.ts'
import { newTags } from '../shared/new-tags.ts'
import { prerequisite } from '../shared/operation.ts'
import { checkOs, osImage, textValues } from '../shared/os-check.ts'
import { checkNodeFreeMemory, checkNodesFreeDisk, hasExclusiveStorage } from '../shared/preconditions.ts'
import { changeOf } from '../shared/revise.ts'
import { operation, type Run } from '../shared/run.ts'
import { AddressPools } from './address-pools.ts'
import { checkPrimary, checkSecondary, creationNodes } from './creation-nodes.ts'
import { type CreationRequest, creationRequest } from './creation-request.ts'
import { checkAccess, checkSpindles, type DiskPlan, planDisk } from './disk-plan.ts'
import { tellSync } from './disks.ts'
import { IdAllocator } from './id-allocator.ts'
import { fileFolder, makeDisks } from './new-disks.ts'
import { draftNics, nicsOnNode } from './nics.ts'

/** Where block devices may be adopted from. */
const BLOCK_DEVICES = '/dev/disk/'

export const instanceCreate = operation((run) => {
  const wanted = creationRequest(run)
  const { config } = run
  const { cluster } = config
  const { name, template } = wanted
  fileFolder(cluster, template, name, run.text('file_storage_dir'))
  const hypervisor = hypervisorOf(run)
  const tags = newTags(run.list('tags').map(String))
  const hv = ownHvParams(run.object('hvparams'))
  fullHvParams(run.config, hypervisor, wanted.os, hv)
  checkNotGlobal(hv)
  const be = ownBeParams(withDefaultsFor(run.object('beparams'), cluster.beparams))
  const full = fullBeParams(cluster, be)

  const ids = new IdAllocator(run)
  const drafts = draftNics(run, wanted.nics, ids)
  const plans = wanted.disks.map((disk) => planDisk(disk, template))
  const nodes = creationNodes(run, wanted, full, plans, drafts)
  const [pnode, snode] = nodes
  checkPrimary(pnode)
  const pools = new AddressPools(config)
  const nics = nicsOnNode(run, drafts, pnode, pools)
  if (snode) checkSecondary(run, pnode, snode)
  checkStorage(run, wanted, hypervisor, plans, nodes)
  checkPolicy(run, full, template, plans, nics, pnode)
  const osparams = textValues(run.object('osparams'))
  const secret = { ...run.object('osparams_private'), ...run.object('osparams_secret') }
  checkOs(run, wanted.os, { ...filledOsParams(cluster, { os: wanted.os, osparams }), ...secret }, nodes)
  checkCompression(run)
  const starts = run.flag('start') && !run.flag('no_install')
  if (starts) checkNodeFreeMemory(config, pnode, `creating instance ${name}`, full.maxmem)
  if (run.isDry) return run.dryRun(nodes.map(({ uuid }) => uuid))

  const port = WITH_PORT.includes(hypervisor) ? ids.newPort() : null
  const uuid = run.context.newUuid()
  const owner = {
    uuid,
    name,
    primary_node: pnode.uuid,
    secondary: snode?.uuid ?? null,
    group: groupOf(config, pnode),
  }
  const storage = { driver: wanted.fileDriver, folder: run.text('file_storage_dir') }
  const disks = makeDisks(run, ids, owner, template, plans, storage)
  tellCreation(run, { name, os: wanted.os, disks }, plans)
  if (starts) run.say('* starting instance...')
  const { now } = run.context
  const instance: Instance = {
    uuid,
    name,
    primary_node: pnode.uuid,
    secondary_nodes: snode && disks.length > 0 ? [snode.uuid] : [],
    os: wanted.os,
    hypervisor,
    hvparams: run.flag('identify_defaults')
      ? differing(hv, fullHvParams(run.config, hypervisor, wanted.os, {}))
      : hv,
    beparams: run.flag('identify_defaults') ? differing(be, cluster.beparams) : be,
    osparams,
    osparams_private: Object.keys(run.object('osparams_private')),
    admin_state: starts ? 'up' : 'down',
    admin_state_source: 'admin',
    disk_template: disks[0]?.dev_type ?? 'diskless',
    disks,
    disks_active: starts,
    nics,
    network_port: port,
    forthcoming: false,
    ctime: now,
    mtime: now,
    // To be marked up is a change of its own.
    serial_no: starts ? 2 : 1,
    tags,
  }
  return run.done(
    { ...changeOf('instances', [instance]), ...pools.change() },
    nodes.map((node) => node.name),
  )
})

function hypervisorOf(run: Run): string {
  const enabled = run.config.cluster.enabled_hypervisors
  const asked = run.text('hypervisor')
  const hypervisor = asked === null || asked === 'auto' ? (enabled[0] ?? '') : asked
  if (enabled.includes(hypervisor)) return hypervisor
  throw prerequisite(
    `Selected hypervisor (${hypervisor}) not enabled in the cluster (${enabled.join(',')})`,
    'wrong_state',
  )
}

/** `auto` stands for what the cluster has. */
function withDefaultsFor(given: JsonObject, defaults: BeParams): JsonObject {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      value === 'auto' ? (defaults[(name === 'memory' ? 'maxmem' : name) as keyof BeParams] ?? value) : value,
    ]),
  )
}

function checkStorage(
  run: Run,
  { template }: CreationRequest,
  hypervisor: string,
  plans: readonly DiskPlan[],
  nodes: readonly [Node, ...Node[]],
): void {
  const { config } = run
  const exclusive = hasExclusiveStorage(config, nodes)
  if (exclusive && template !== 'plain') {
    throw prerequisite(`Disk template ${template} not supported with exclusive storage`, 'wrong_state')
  }
  for (const { spindles } of plans) checkSpindles(spindles, exclusive, true)
  checkAdopted(template, plans)
  checkNodesFreeDisk(config, nodes, spaceWanted(config.cluster, template, plans))
  const usual = filledDiskParams(config.cluster, groupOf(config, nodes[0]))[template]?.access
  for (const { access } of plans) checkAccess(hypervisor, template, access ?? usual)
}

function checkAdopted(template: string, plans: readonly DiskPlan[]): void {
  const adopted = plans.flatMap(({ adopt, vg }) =>
    adopt === null ? [] : template === 'plain' ? `${vg}/${adopt}` : adopt,
  )
  const kind = template === 'plain' ? 'volume' : 'disk'
  if (new Set(adopted).size < adopted.length) {
    throw prerequisite(`Duplicate ${kind} names given for adoption`, 'wrong_input')
  }
  const outside = template === 'blockdev' ? adopted.filter((path) => !path.startsWith(BLOCK_DEVICES)) : []
  if (outside.length > 0) {
    throw prerequisite(
      `Device node(s) ${outside.join(', ')} lie outside ${BLOCK_DEVICES} and cannot be adopted`,
      'wrong_input',
    )
  }
}

function checkPolicy(
  run: Run,
  be: BeParams,
  template: string,
  plans: readonly DiskPlan[],
  nics: readonly Nic[],
  pnode: Node,
): void {
  if (run.flag('ignore_ipolicy')) return
  const group = groupOf(run.config, pnode)
  const specs = specsOfNew(be, template, plans, nics.length)
  checkViolations(group, violations(filledIPolicy(run.config.cluster, group), specs))
}

function checkCompression(run: Run): void {
  const tool = run.text('compress') ?? 'none'
  const allowed = run.config.cluster.compression_tools
  if (tool === 'none' || allowed.includes(tool)) return
  throw prerequisite(`Compression tool not allowed, tools allowed are [${allowed.join(', ')}]`, 'wrong_input')
}

function tellCreation(
  run: Run,
  instance: { readonly name: string; readonly os: string; readonly disks: readonly Disk[] },
  plans: readonly DiskPlan[],
): void {
  const adopted = plans.some(({ adopt }) => adopt !== null)
  const image = osImage(run.object('osparams'))
  if (!adopted) run.say('* creating instance disks...')
  run.say(`adding instance ${instance.name} to cluster config`)
  run.say('adding disks to cluster config')
  if (!adopted && run.config.cluster.prealloc_wipe_disks) run.say('* wiping instance disks...')
  tellMirrors(run, instance)
  if (!adopted && image !== null) run.say('* imaging instance disks...')
  tellMirrors(run, instance)
  const installs = instance.os !== '' && instance.disks.length > 0 && !adopted
  if (!installs || image !== null || run.flag('no_install')) return
  const pauses = !run.flag('wait_for_sync') && instance.disks.some((disk) => disk.dev_type === 'drbd')
  if (pauses) run.say('* pausing disk sync to install instance OS')
  run.say('* running the instance OS create scripts...')
  if (pauses) run.say('* resuming disk sync')
}

function tellMirrors(run: Run, instance: { readonly name: string; readonly disks: readonly Disk[] }): void {
  if (run.flag('wait_for_sync')) tellSync(run, instance)
  else if (instance.disks.some((disk) => disk.dev_type === 'drbd')) {
    run.say('* checking mirrors status')
    tellSync(run, instance, true)
  }
}

/** Those parameters that are not what they would be anyway. */
function differing<T extends Partial<BeParams> | HvParams>(own: T, defaults: object): T {
  const usual = defaults as { readonly [name: string]: unknown }
  return Object.fromEntries(Object.entries(own).filter(([name, value]) => usual[name] !== value)) as T
}
