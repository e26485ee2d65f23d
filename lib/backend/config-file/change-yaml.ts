/** All that it takes to change a cluster in YAML: much of the program, which no other cluster needs. */
export { OPERATIONS } from './apply/operations.ts'
export { writeChange } from './write-yaml.ts'
export { YamlText } from './yaml-text.ts'
