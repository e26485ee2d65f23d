/** Answers beside their schemas: a real Ganeti's, and our own of the sample cluster and of the real one's file. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { Failure } from '../../lib/failure.ts'
import { createRouter, pathOf } from '../../lib/http/router.ts'
import { isJsonObject, type Json, parseJson } from '../../lib/json/json.ts'
import type { Schema } from '../../lib/model/check.ts'
import { PATH_NAMES } from '../../lib/resources/path-names.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { type Method, type MethodName, plainAnswer } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'
import { fixture } from '../support/daemon-root.ts'
import { readConfigFile } from '../support/read-cluster.ts'
import { readRealCluster, realAnswers } from '../support/real-cluster.ts'
import { schemaValidator, withoutBigints } from '../support/schema.ts'

const validator = schemaValidator()
const validators = new Map<Schema, ReturnType<typeof validator.compile>>()

/** What is wrong with an answer, by its schema. */
function faults({ answer: schema }: Method, answer: Json): Json {
  if (!schema) return 'no schema'
  const validate = validators.get(schema) ?? validator.compile(schema)
  validators.set(schema, validate)
  return validate(withoutBigints(answer)) ? [] : validator.errorsText(validate.errors)
}

const route = createRouter(resources)
const gets = resources.flatMap(({ path, methods }) => (methods.GET ? [{ path, method: methods.GET }] : []))

interface Exchange {
  readonly method: string
  readonly target: string
  readonly answer: Json
}

/** Answers that the original gives otherwise. */
const DIFFERENCES: { readonly [target: string]: string } = {
  '/': 'nothing is listed there',
}

/** The documentation of fields was left out of the captures. */
function withDoc(answer: Json): Json {
  if (!isJsonObject(answer) || !Array.isArray(answer.fields)) return answer
  return { ...answer, fields: answer.fields.map((field) => ({ doc: '', ...field })) }
}

t.test("a real Ganeti's answers fit", async (t) => {
  const met = new Set<string>()
  for (const [target, { status, body }] of Object.entries(realAnswers)) {
    const method = route(pathOf(target))?.resource.methods.GET
    if (!method || status !== 200 || target in DIFFERENCES) continue
    met.add(String(method.operationId))
    t.strictSame(faults(method, withDoc(body)), [], target)
  }
  t.ok(met.size > 25, `of ${met.size} methods`)
})

t.test("a real Ganeti's answers to changes fit", async (t) => {
  const text = readFileSync(fixture('captures/write/requests.json'), 'utf8')
  const captured = parseJson(text) as never as readonly (Exchange & { readonly status: number })[]
  const met = new Set<string>()
  for (const { method: name, target, status, answer } of captured) {
    const method = route(pathOf(target))?.resource.methods[name as MethodName]
    if (!method || status !== 200) continue
    met.add(String(method.operationId))
    t.strictSame(faults(method, withDoc(answer)), [], `${name} ${target}`)
  }
  t.ok(met.size > 40, `of ${met.size} methods`)
})

/** The answer to a GET; undefined if the backend has none. */
async function answerTo(
  method: Method,
  backend: Backend,
  params: { readonly [name: string]: string },
  query: string,
): Promise<Json | undefined> {
  try {
    const call = {
      params,
      query: new QueryString(query),
      body: undefined,
      user: undefined,
      backend,
      patience: 0,
    }
    return plainAnswer(await method.handle({ ...call, signal: new AbortController().signal }))
  } catch (error) {
    if (error instanceof Failure && error.code !== 'internal') return undefined
    throw error
  }
}

const examples = Object.fromEntries(Object.entries(PATH_NAMES).map(([name, { example }]) => [name, example]))

t.test('our own answers fit', async (t) => {
  const { running, unreachable } = await readRealCluster()
  const clusters = {
    sample: await readConfigFile(fixture('cluster.yaml')),
    'real one': running,
    'real one whose nodes are away': unreachable,
  }
  for (const [name, config] of Object.entries(clusters)) {
    const backend = configFileBackend(() => config)
    const names: { readonly [name: string]: readonly string[] } = {
      instance_name: config.instances.all.map(({ name }) => name),
      node_name: config.nodes.all.map(({ name }) => name),
      group_name: config.groups.all.map(({ name }) => name),
      network_name: config.networks.all.map(({ name }) => name),
      filter_uuid: config.filters.map(({ uuid }) => uuid),
      resource: ['instance', 'node', 'group', 'network', 'cluster', 'os', 'filter', 'export', 'job', 'lock'],
    }
    let answered = 0
    for (const { path, method } of gets) {
      const [, inBraces] = /{(\w+)}/.exec(path) ?? []
      for (const value of inBraces ? (names[inBraces] ?? ['1']) : ['']) {
        for (const query of ['bulk=1', 'bulk=0', 'fields=name,uuid,nosuch,status']) {
          const params = { ...examples, ...(inBraces && { [inBraces]: value }) }
          const answer = await answerTo(method, backend, params, query)
          if (answer === undefined) continue
          answered++
          const wrong = faults(method, answer)
          if (!Array.isArray(wrong)) t.fail(`${name}: ${path} ${value} ${query}: ${wrong}`)
        }
      }
    }
    t.ok(answered > 100, `${answered} answers of the ${name}`)
  }
})
