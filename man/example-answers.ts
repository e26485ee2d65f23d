/** What the sample cluster answers to the example of each method, cut so that it still fits its schema. */
import { isJsonObject, type Json } from '../lib/json/json.ts'
import type { MethodName, Resource } from '../lib/resources/resource.ts'
import { type Sample, workedExample } from './worked-example.ts'

/** The most rows and objects of a list. */
const MEMBERS = 2

/** The answers, by operationId; of those that are not the description of the API itself. */
export async function exampleAnswers(
  resources: readonly Resource[],
  sample: Sample,
): Promise<{ readonly [operationId: string]: Json }> {
  const answers: { [operationId: string]: Json } = {}
  for (const { path, methods } of resources) {
    if (path.endsWith('/openapi.json')) continue
    for (const [name, method] of Object.entries(methods)) {
      const example = await workedExample(path, name as MethodName, method, sample, Number.POSITIVE_INFINITY)
      if (example && method.operationId) answers[method.operationId] = cut(example.answer)
    }
  }
  return answers
}

function cut(value: Json): Json {
  if (Array.isArray(value)) {
    const isOfObjects = value.every((one) => isJsonObject(one))
    return (isOfObjects ? value.slice(0, MEMBERS) : value).map(cut)
  }
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      // Rows of a query.
      key === 'data' && Array.isArray(one) ? one.slice(0, MEMBERS) : cut(one),
    ]),
  )
}
