import { checkTemplateEnabled, IN_FILES } from '../shared/disk-templates.ts'
import { instanceOf, nodeBehind } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import { osMissing } from '../shared/os-check.ts'
import { checkInstanceState, checkNodeOnline, NOT_RUNNING } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'
import { tellAssembly, tellShutdown } from './activation.ts'
import { normalName } from './creation-request.ts'
import { renamedDisk } from './disks.ts'

/** Gives an instance, and the folder of its files, another name. The name is not looked up anywhere. */
export const instanceRename = operation((run) => {
  if (run.flag('ip_check') && !run.flag('name_check')) {
    throw prerequisite('IP address check requires a name check', 'wrong_input')
  }
  const instance = instanceOf(run)
  const name = normalName(run.text('new_name') ?? '')
  if (name !== instance.name && run.config.instances.byName.has(name)) {
    throw prerequisite(`Instance '${name}' is already in the cluster`, 'already_exists')
  }
  if (name !== instance.name && IN_FILES.includes(instance.disk_template)) {
    checkTemplateEnabled(run.config.cluster, instance.disk_template)
  }
  const node = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(node)
  checkInstanceState(run, instance, NOT_RUNNING, 'cannot rename')
  if (run.isDry) return run.dryRun()

  tellAssembly(run, instance)
  const missing = instance.os === '' ? undefined : osMissing(run.config.oses, instance.os)
  if (missing !== undefined) {
    run.warn(
      `Could not run OS rename script for instance ${name} on node ${node.name} (but the instance has been ` +
        `renamed in Ganeti): ${missing}`,
    )
  }
  tellShutdown(run, instance)
  const disks = instance.disks.map((disk) => renamedDisk(disk, name))
  return run.done(instanceChange(run, instance, { name, disks, disks_active: false }), name)
})
