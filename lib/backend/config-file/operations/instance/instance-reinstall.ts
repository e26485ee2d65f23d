import { filledOsParams } from '../../../../model/fill.ts'
import { instanceOf, nodeBehind } from '../shared/find.ts'
import { updatedParams } from '../shared/force-types.ts'
import { prerequisite } from '../shared/operation.ts'
import { checkOs, osImage, textValues } from '../shared/os-check.ts'
import { checkInstanceState, checkNodeOnline, DOWN } from '../shared/preconditions.ts'
import { instanceChange } from '../shared/revise.ts'
import { operation } from '../shared/run.ts'
import { tellAssembly, tellShutdown } from './activation.ts'

/**
 * Installs an instance's OS once more, or another one. OS parameters that are
 * given are added to those it has; Ganeti 3.0 forgets those that are not given
 * again, though it installs with them (cmdlib/instance_operation.py).
 */
export const instanceReinstall = operation((run) => {
  const given = run.object('osparams')
  const image = osImage(given)
  const instance = instanceOf(run)
  const { cluster } = run.config
  const node = nodeBehind(run.config, instance.primary_node)
  checkNodeOnline(node, 'Instance primary node offline, cannot reinstall')
  if (instance.disks.length === 0) {
    throw prerequisite(`Instance '${instance.name}' has no disks`, 'wrong_input')
  }
  checkInstanceState(run, instance, DOWN, 'cannot reinstall')
  const newOs = run.text('os_type')
  const os = newOs ?? instance.os
  const osparams = textValues(updatedParams(instance.osparams, given))
  const secret = updatedParams(
    Object.fromEntries(instance.osparams_private.map((name) => [name, ''])),
    run.object('osparams_private'),
  )
  const all = { ...filledOsParams(cluster, { os, osparams }), ...secret, ...run.object('osparams_secret') }
  checkOs(run, os, all, [node])
  if (run.isDry) return run.dryRun()

  if (image !== null) run.say(`Using OS image '${image}'`)
  const source = image ?? osImage(instance.osparams)
  if (newOs !== null) run.say(`Changing OS scripts to '${newOs}'...`)
  if (source === null && os === '') {
    run.info(
      "No OS scripts or OS image specified or found in the instance's configuration, nothing to install",
    )
    return run.done({})
  }
  tellAssembly(run, instance)
  if (source !== null) {
    instance.disks.forEach((_disk, index) => {
      run.info(`Imaging disk '${index}' for instance '${instance.name}' on node '${node.name}'`)
    })
  }
  if (os !== '') run.info('Running instance OS create scripts...')
  tellShutdown(run, instance)
  const news = {
    os,
    osparams,
    osparams_private: Object.keys(secret),
    disks_active: false,
  }
  return run.done(instanceChange(run, instance, news))
})
