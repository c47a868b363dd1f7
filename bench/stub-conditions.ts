/**
 * What the stub of DynamoDB understands of expressions: the few forms that the tokenizer sends.
 *
 * @module
 */

/** One attribute as it is on the wire: `{ "S": "..." }`. */
export type WireValue = Readonly<Record<string, unknown>>;
export type WireItem = Record<string, WireValue>;

export interface Expressions {
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, WireValue>>;
}

type Test = (item: WireItem | undefined, request: Expressions) => boolean;

const compiled = new Map<string, Test>();

/** Whether the condition of a request holds for the item that is there; AND binds tighter than OR, with no brackets. */
export function conditionHolds(item: WireItem | undefined, request: Expressions): boolean {
  const text = request.ConditionExpression;
  if (text === undefined) return true;
  const known = compiled.get(text) ?? compile(text);
  compiled.set(text, known);
  return known(item, request);
}

function compile(text: string): Test {
  const choices = text.split(/ or /i).map((choice) => choice.split(/ and /i).map(compileAtom));
  return (item, request) => choices.some((tests) => tests.every((test) => test(item, request)));
}

function compileAtom(text: string): Test {
  const [, existence, attribute = ''] =
    /^\s*(attribute_not_exists|attribute_exists)\s*\(\s*([\w#]+)\s*\)\s*$/.exec(text) ?? [];
  if (existence !== undefined) {
    const isWanted = existence === 'attribute_exists';
    return (item, request) => (item?.[nameOf(attribute, request)] !== undefined) === isWanted;
  }
  const [, name = '', operator, value = ''] = /^\s*([\w#]+)\s*(=|<=)\s*(:\w+)\s*$/.exec(text) ?? [];
  if (operator === undefined) throw new RangeError('the stub does not know this condition');
  return (item, request) => {
    const found = item?.[nameOf(name, request)];
    const wanted = request.ExpressionAttributeValues?.[value];
    if (found === undefined || wanted === undefined) return false;
    return operator === '=' ? scalarOf(found) === scalarOf(wanted) : scalarOf(found) <= scalarOf(wanted);
  };
}

function nameOf(name: string, { ExpressionAttributeNames }: Expressions): string {
  return ExpressionAttributeNames?.[name] ?? name;
}

function scalarOf(value: WireValue): string | number {
  return value['N'] === undefined ? String(value['S'] ?? value['B'] ?? value['BOOL']) : Number(value['N']);
}

/** `SET a = :a, b = :b` and `REMOVE a, b`. */
export function updated(item: WireItem, request: Expressions): WireItem {
  const result = { ...item };
  for (const [, verb = '', list = ''] of (request.UpdateExpression ?? '').matchAll(
    /(SET|REMOVE) (.+?)(?= SET | REMOVE |$)/g,
  )) {
    for (const part of list.split(',')) {
      const [name = '', value = ''] = part.split('=').map((each) => each.trim());
      const given = request.ExpressionAttributeValues?.[value];
      if (verb === 'REMOVE') delete result[nameOf(name, request)];
      else if (given !== undefined) result[nameOf(name, request)] = given;
    }
  }
  return result;
}
