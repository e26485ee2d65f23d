/** A cluster in YAML of any size, as a person could have written it. */

const INSTANCES_ON_A_NODE = 20

/** @param aliases nodes share their tags by alias, so that the file cannot be edited in pieces */
export function generateYaml(instances: number, { aliases = false } = {}): string {
  const nodes = Math.max(2, Math.ceil(instances / INSTANCES_ON_A_NODE))
  const nodeName = (number: number) => `node${1 + (number % nodes)}.example.com`
  const lines = [
    '# A generated cluster.',
    'cluster: {name: cluster.example.com, enabled_hypervisors: [kvm], enabled_disk_templates: [drbd, plain]}',
    'networks:',
    '  front: {network: 10.64.0.0/16}',
    'groups:',
    '  default:',
    '    networks: {front: {mode: bridged, link: br0}}',
    'nodes:',
  ]
  for (let number = 0; number < nodes; number++) {
    const ip = `192.0.${number >> 8}.${number & 255}`
    const tags = aliases ? (number === 0 ? '&rack [rack-a]' : '*rack ') : '[rack-a]'
    lines.push(`  ${nodeName(number)}: {primary_ip: ${ip}, memory: 256g, disk: 20t, cpus: 64, tags: ${tags}}`)
  }
  lines.push('os: [debian]', 'instances:')
  for (let number = 0; number < instances; number++) {
    const mirrored = number % 3 > 0
    lines.push(
      `  inst${1 + number}.example.com:`,
      '    os: debian',
      `    pnode: ${nodeName(number)}`,
      ...(mirrored ? [`    snode: ${nodeName(number + 1)}`] : []),
      `    disk_template: ${mirrored ? 'drbd' : 'plain'}`,
      '    memory: 2g',
      '    vcpus: 2',
      number % 2 > 0 ? '    disks: [20g, 4g]' : '    disks: [20g]',
      `    nics: [{network: front, ip: 10.64.${(number + 1) >> 8}.${(number + 1) & 255}}]`,
      '    tags: [production, "owner:ops"]   # as everything here',
      '',
    )
  }
  return lines.join('\n')
}
