/** What the cluster keeps disks on: which templates are enabled, and what they need. */
import type { Cluster } from '../../../../model/cluster.ts'
import type { Config } from '../../../../model/config.ts'
import type { Node } from '../../../../model/node.ts'
import { ON_LVM } from '../shared/disk-templates.ts'
import { type OpError, prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'

/** MiB */
const SMALLEST_VOLUME_GROUP = 20_480

/** Parameters of the opcode that name a folder, with the template whose files are there. */
const FOLDERS = [
  ['file_storage_dir', 'file'],
  ['shared_file_storage_dir', 'sharedfile'],
  ['gluster_storage_dir', 'gluster'],
] as const

/** Everything that is checked of it beforehand. */
export function checkStorageChanges(run: Run): void {
  const { config } = run
  const enabled = enabledTemplates(run)
  const before = config.cluster.enabled_disk_templates
  checkDisabled(
    config,
    before.filter((template) => !enabled.includes(template)),
  )
  checkVolumeGroup(run, enabled)
  for (const [parameter, template] of FOLDERS) checkFolder(run, parameter, template, enabled)
  checkDrbdHelper(run, enabled)
}

/** The templates as they will be. */
export function enabledTemplates(run: Run): readonly string[] {
  const given = run.list('enabled_disk_templates').map(String)
  return given.length > 0 ? given : run.config.cluster.enabled_disk_templates
}

/** What changes, with a word on what is asked for but is so already. */
export function storageChanges(run: Run): Partial<Cluster> {
  const { cluster } = run.config
  const news: { -readonly [key in keyof Cluster]?: Cluster[key] } = {
    enabled_disk_templates: enabledTemplates(run),
  }
  const volumeGroup = run.text('vg_name')
  if (volumeGroup !== null) {
    if ((volumeGroup || null) === cluster.volume_group_name) {
      run.say('Cluster LVM configuration already in desired state, not changing')
    }
    news.volume_group_name = volumeGroup || null
  }
  for (const [parameter, template] of FOLDERS) {
    const folder = run.text(parameter)
    if (folder === null) continue
    if (folder === cluster[parameter])
      run.say(`Global ${FOLDER_NAMES[template]} dir already set to value '${folder}'`)
    news[parameter] = folder
  }
  const helper = run.text('drbd_helper')
  if (helper !== null) {
    if (!enabledTemplates(run).includes('drbd')) {
      run.say('Note that you specified a drbd user helper, but did not enable the drbd disk template.')
    }
    if ((helper || null) === cluster.drbd_usermode_helper) {
      run.say('Cluster DRBD helper already in desired state, not changing')
    }
    news.drbd_usermode_helper = helper || null
  }
  return news
}

const FOLDER_NAMES = {
  file: 'file storage',
  sharedfile: 'shared file storage',
  gluster: 'gluster storage',
} as const

function checkDisabled({ instances }: Config, disabled: readonly string[]): void {
  for (const template of disabled) {
    const using = instances.all.flatMap(({ name, disks }) =>
      template === 'diskless'
        ? disks.length === 0
          ? [name]
          : []
        : disks
            .filter(({ dev_type }) => dev_type === template)
            .map(({ iv_name, size }) => `<Disk(type=${template}, ${iv_name}, size=${size}m)> (on ${name})`),
    )
    if (using.length === 0) continue
    const what = template === 'diskless' ? 'instance' : 'disk'
    throw prerequisite(
      `Cannot disable disk template '${template}', because there is at least one ${what} using it:\n` +
        using.map((one) => ` * ${one}`).join('\n'),
      'wrong_state',
    )
  }
}

function checkVolumeGroup(run: Run, enabled: readonly string[]): void {
  const { cluster, instances } = run.config
  const given = run.text('vg_name')
  const onLvm = (templates: readonly string[]) => templates.some((template) => ON_LVM.includes(template))
  if (given === '' && onLvm(enabled)) {
    throw prerequisite(
      'Cannot unset volume group if lvm-based disk templates are or get enabled.',
      'wrong_input',
    )
  }
  if (given === null && cluster.volume_group_name === null && onLvm(enabled)) {
    throw prerequisite('Please specify a volume group when enabling lvm-based disk-templates.', 'wrong_input')
  }
  if (given === '' && instances.all.some(({ disks }) => disks.some(({ dev_type }) => dev_type === 'plain'))) {
    throw prerequisite('Cannot disable lvm storage while lvm-based instances exist', 'wrong_input')
  }
  const getsEnabled = onLvm(enabled) && !onLvm(cluster.enabled_disk_templates)
  if ((given !== null && onLvm(enabled)) || (cluster.volume_group_name !== null && getsEnabled)) {
    checkVolumeGroupOnNodes(run, given ?? cluster.volume_group_name ?? '')
  }
}

/** A group of any name is on every node, as large as its disk. */
function checkVolumeGroupOnNodes(run: Run, volumeGroup: string): void {
  for (const node of vmCapable(run.config)) {
    if (node.offline) {
      run.warn(`Error while gathering data on node ${node.name} (ignoring node): Node is marked offline`)
      continue
    }
    const size = run.config.live.get(node.uuid)?.dtotal ?? null
    if (size === null || size >= SMALLEST_VOLUME_GROUP) continue
    throw prerequisite(
      `Error on node '${node.name}': volume group '${volumeGroup}' too small ` +
        `(${SMALLEST_VOLUME_GROUP} MiB required, ${size} MiB found)`,
      'environment_error',
    )
  }
}

function checkFolder(run: Run, parameter: string, template: string, enabled: readonly string[]): void {
  const folder = run.text(parameter)
  const isEnabled = enabled.includes(template)
  if (folder === '' && isEnabled) {
    throw prerequisite(
      `Unsetting the '${template}' storage directory while having '${template}' storage enabled is not permitted.`,
      'wrong_input',
    )
  }
  if (folder !== null && folder !== '' && !isEnabled) {
    run.warn(`Specified a ${template} storage directory, although ${template} storage is not enabled.`)
  }
}

function checkDrbdHelper(run: Run, enabled: readonly string[]): void {
  const { cluster, instances } = run.config
  const given = run.text('drbd_helper')
  const isEnabled = enabled.includes('drbd')
  if (given === '') {
    if (isEnabled) throw cannotDisableHelper('DRBD is enabled.', 'wrong_state')
    if (instances.all.some(({ disk_template }) => disk_template === 'drbd')) {
      throw cannotDisableHelper('drbd-based instances exist', 'wrong_input')
    }
    return
  }
  const getsEnabled = isEnabled && !cluster.enabled_disk_templates.includes('drbd')
  if (getsEnabled && given === null && cluster.drbd_usermode_helper === null) {
    throw prerequisite('Cannot enable DRBD without a DRBD usermode helper set.', 'wrong_state')
  }
  if (!isEnabled || (given === null && !getsEnabled)) return
  for (const { name } of vmCapable(run.config).filter(({ offline }) => offline)) {
    run.info(`Not checking drbd helper on offline node ${name}`)
  }
}

function cannotDisableHelper(why: string, code: 'wrong_input' | 'wrong_state'): OpError {
  return prerequisite(`Cannot disable drbd helper while ${why}`, code)
}

function vmCapable({ nodes }: Config): readonly Node[] {
  return nodes.all.filter(({ vm_capable }) => vm_capable)
}
