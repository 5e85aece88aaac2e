/** What the page about the API shows of its OpenAPI document: operations by tag, and the shapes of their answers once each. */

/** As much of JSON Schema as the routes use. */
interface Schema {
  type?: string
  format?: string
  title?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
}
interface Content {
  content?: Record<string, { schema: Schema }>
}
interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  parameters?: {
    name: string
    in: string
    required?: boolean
    description?: string
    schema: Schema
    example?: unknown
  }[]
  requestBody?: Content
  responses: Record<string, Content & { description: string }>
}
export interface OpenApiDocument {
  info: { version: string; description: string }
  paths: Record<string, Record<string, Operation>>
}

/** A shape with a name, and the id of what the page says of it. */
interface Shape {
  title: string
  id: string
}
/** A type in words, around the name of a shape where it has one: `list of`, `Paper`, `or null`. */
interface TypeView {
  before: string
  shape: Shape | null
  after: string
}
interface FieldView extends TypeView {
  name: string
  description: string
}

export interface ApiView {
  about: string[]
  groups: {
    name: string
    operations: {
      id: string
      method: string
      path: string
      summary: string
      description: string
      /** The path with an example for each parameter; empty where the path is its own, or one has none. */
      example: string
      fields: FieldView[]
      answers: { status: string; description: string; shape: Shape | null }[]
    }[]
  }[]
  shapes: (Shape & { fields: FieldView[] })[]
}

const WORDS: Record<string, string> = {
  string: 'text',
  'string date': 'date, such as 2026-04-15',
  'string date-time': 'instant, such as 2026-04-15T09:12:00.000Z',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
}

const shapeOf = (title: string | undefined): Shape | null =>
  title === undefined ? null : { title, id: `shape-${title.toLowerCase().replace(/\W+/g, '-')}` }

/** Values of a field that are named one by one; of topics there are more, and an operation that lists them. */
const MOST_NAMED = 6

const typeOf = (schema: Schema): TypeView => {
  const { type = '', format, title, items, anyOf = [], enum: choice } = schema
  if (title !== undefined) return { before: '', shape: shapeOf(title), after: '' }
  if (choice !== undefined && choice.length <= MOST_NAMED)
    return { before: `one of ${choice.join(', ')}`, shape: null, after: '' }
  if (items !== undefined) {
    const { before, ...of } = typeOf(items)
    return { ...of, before: `list of ${before}` }
  }
  const values = anyOf.filter((one) => one.type !== 'null')
  const [only] = values
  // Of several none has a name of its own.
  if (values.length > 1) return { before: values.map((one) => typeOf(one).before).join(' or '), shape: null, after: '' }
  if (only !== undefined) {
    const of = typeOf(only)
    return { ...of, after: `${of.after} or null` }
  }
  return { before: WORDS[format === undefined ? type : `${type} ${format}`] ?? '', shape: null, after: '' }
}

/** The schemas directly inside one: of what a list holds, of each alternative and of each field. */
const innerOf = ({ items, anyOf = [], properties = {} }: Schema): Schema[] => [
  ...(items === undefined ? [] : [items]),
  ...anyOf,
  ...Object.values(properties),
]

/** The object that a schema is, or holds in a list or beside null, where it has no name of its own. */
const unnamedObject = (schema: Schema): { at: string; schema: Schema } | null => {
  if (schema.title !== undefined) return null
  if (schema.properties !== undefined) return { at: '.', schema }
  for (const inner of [...(schema.items === undefined ? [] : [schema.items]), ...(schema.anyOf ?? [])]) {
    const found = unnamedObject(inner)
    if (found !== null) return { at: schema.items === undefined ? found.at : `[]${found.at}`, schema: found.schema }
  }
  return null
}

/** The fields of an object, those of objects without a name among them: `topic`, `topic.slug`, `links[].url`. */
const fieldsOf = ({ properties = {}, required = [] }: Schema, before = ''): FieldView[] =>
  Object.entries(properties).flatMap(([field, schema]) => {
    const { description = '' } = schema
    const type = typeOf(schema)
    const optional = required.includes(field) || before === BODY ? '' : ', where there is one'
    const name = before === BODY ? field : before + field
    const inner = unnamedObject(schema)
    const own = { ...type, after: type.after + optional, name, description }
    return inner === null ? [own] : [own, ...fieldsOf(inner.schema, `${name}${inner.at}`)]
  })
/** Of what is sent every field may be left out, and says itself what that means. */
const BODY = 'body'

/** Every schema with a name, in the order in which the answers need them. */
const shapesOf = (schemas: Schema[]): Map<string, Schema> => {
  const shapes = new Map<string, Schema>()
  const collect = (schema: Schema): void => {
    if (schema.title !== undefined && !shapes.has(schema.title)) shapes.set(schema.title, schema)
    for (const inner of innerOf(schema)) collect(inner)
  }
  for (const schema of schemas) collect(schema)
  return shapes
}

const schemaOf = ({ content = {} }: Content): Schema | undefined => Object.values(content)[0]?.schema

const exampleOf = (path: string, { parameters = [] }: Operation): string => {
  const inPath = parameters.filter((one) => one.in === 'path')
  if (inPath.length === 0 || inPath.some(({ example }) => example === undefined)) return ''
  return inPath.reduce((filled, { name, example }) => filled.replace(`{${name}}`, String(example)), path)
}

const sentBy = ({ parameters = [], requestBody = {} }: Operation): FieldView[] => [
  ...parameters.map(({ name, in: where, description = '', schema }) => {
    const { before, ...rest } = typeOf(schema)
    const place = where === 'path' ? 'in the path' : 'in the query'
    return { ...rest, name, description, before: [before, place].filter((part) => part !== '').join(', ') }
  }),
  ...fieldsOf(schemaOf(requestBody) ?? {}, BODY).map((field) => ({
    ...field,
    before: [field.before, 'in the body'].filter((part) => part !== '').join(', '),
  })),
]

/** What the page shows of a document. */
export const apiViewOf = ({ info, paths }: OpenApiDocument): ApiView => {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => (method === 'head' ? [] : [{ path, method, operation }])),
  )
  const views = operations.map(({ path, method, operation }) => ({
    tag: operation.tags[0] ?? '',
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    description: operation.description ?? '',
    example: exampleOf(path, operation),
    fields: sentBy(operation),
    answers: Object.entries(operation.responses).map(([status, response]) => ({
      status,
      description: response.description,
      shape: shapeOf(schemaOf(response)?.title),
    })),
  }))
  const answered = operations.flatMap(({ operation }) => Object.values(operation.responses))
  return {
    about: info.description.split('\n\n'),
    groups: [...Map.groupBy(views, ({ tag }) => tag)].map(([name, own]) => ({ name, operations: own })),
    shapes: [...shapesOf(answered.flatMap((response) => schemaOf(response) ?? []))].flatMap(([title, schema]) => {
      const shape = shapeOf(title)
      return shape === null ? [] : [{ ...shape, fields: fieldsOf(schema) }]
    }),
  }
}
