/**
 * How to reach an instance's console, as the hypervisor's part of Ganeti would
 * say it on the instance's node. Paths are those of Ganeti's packages.
 */
import type { JsonObject } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import { hvParam } from '../../../../model/fill.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'

const TOOLS = '/usr/lib/ganeti/tools'
const RUN = '/var/run/ganeti'

/** Displays are counted from this TCP port. */
const VNC_BASE_PORT = 5900

/** How to reach the console of an instance on its primary node; null where its hypervisor cannot say while it is down. */
export function consoleOf(
  instance: Instance,
  node: Node,
  running: boolean,
  config: Config,
): JsonObject | null {
  const param = (name: string) => hvParam(config.cluster, instance, name)
  switch (instance.hypervisor) {
    case 'kvm':
      return kvmConsole(instance, node, config)
    case 'xen-pvm':
    case 'xen-hvm':
      return ssh(instance, node, config, [
        `${TOOLS}/xen-console-wrapper`,
        String(param('xen_cmd')),
        instance.name,
      ])
    case 'lxc':
      return ssh(instance, node, config, ['lxc-console', '-n', instance.name])
    case 'chroot':
      return running
        ? ssh(instance, node, config, ['chroot', `${RUN}/chroot-hypervisor/${instance.name}`])
        : null
    case 'fake':
      return message(instance, 'Console not available for fake hypervisor')
    default:
      return null
  }
}

function kvmConsole(instance: Instance, node: Node, config: Config): JsonObject {
  const param = (name: string) => hvParam(config.cluster, instance, name)
  if (param('serial_console') === true) {
    const control = `${RUN}/kvm-hypervisor/ctrl/${instance.name}`
    return ssh(instance, node, config, [
      `${TOOLS}/kvm-console-wrapper`,
      '/usr/bin/socat',
      instance.name,
      `${control}.monitor`,
      'STDIO,raw,echo=0,escape=0x1d',
      `UNIX-CONNECT:${control}.serial`,
    ])
  }
  const port = instance.network_port
  const vnc = param('vnc_bind_address')
  if (typeof vnc === 'string' && vnc !== '' && port !== null && port > VNC_BASE_PORT) {
    return { instance: instance.name, kind: 'vnc', host: vnc, port, display: port - VNC_BASE_PORT }
  }
  const spice = param('spice_bind')
  if (typeof spice === 'string' && spice !== '' && port !== null) {
    return { instance: instance.name, kind: 'spice', host: spice, port }
  }
  return message(instance, `No serial shell for instance ${instance.name}`)
}

/** By `ssh` to the node; its port is said only where group or node have one of their own, as in Ganeti. */
function ssh(instance: Instance, node: Node, config: Config, command: readonly string[]): JsonObject {
  const port = node.ndparams.ssh_port ?? config.groups.byUuid.get(node.group)?.ndparams.ssh_port
  const where = port === undefined ? { host: node.name } : { host: node.name, port }
  return { instance: instance.name, kind: 'ssh', ...where, user: 'root', command }
}

function message(instance: Instance, text: string): JsonObject {
  return { instance: instance.name, kind: 'msg', message: text }
}
