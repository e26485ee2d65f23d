import { instanceOf, nodeBehind } from '../shared/find.ts'
import { checkNodeOnline } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'
import { tellAssembly } from './activation.ts'
import { devicePath, tellSync } from './disks.ts'

/** Makes an instance's disks ready on its node; the result tells of each where it appears there. */
export const instanceActivateDisks = operation((run) => {
  const instance = instanceOf(run)
  const node = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(node)
  if (run.isDry) return run.dryRun()

  tellAssembly(run, instance)
  if (run.flag('wait_for_sync')) tellSync(run, instance)
  const devices = instance.disks.map((disk) => [node.name, disk.iv_name, devicePath(disk, node.uuid)])
  const change = instance.disks_active ? {} : instanceChange(run, instance, { disks_active: true })
  return run.done(change, devices)
})
