import { classOfFieldName, confidenceOfFieldName, valueOfClass } from './field-names.ts';
import type { Finding, FindingClass } from './finding.ts';
import type { Searched } from './surroundings.ts';

/** A member of JSON that stands in a text, its quotes escaped or not: `"name": "..."`, `"cvv": 123`. */
const MEMBER = /\\?"([A-Za-z][\w .-]{0,40})\\?"[ \t]{0,8}:[ \t]{0,8}/g;

/** A parameter of a URL or of a form. */
const PARAMETER = /[?&]([A-Za-z][\w.-]{0,40})=([^&\s#"'<>()]{1,512})/g;

/** A security code has no shape of its own: three or four digits, known by the word before them. */
const SECURITY_CODE =
  /\b(?:cvv2?|cvc2?|csc|security code|card verification (?:value|code)|prüfziffer|cryptogramme|código de seguridad)\b["'\\]{0,2}[ ]?(?:is|ist|es|est|[:=#])?[ ]?["'\\]{0,2}(\d{3,4})(?![\w-]|\.\d)/gi;

/** What is known by its name, in texts that hold JSON, URLs or forms. */
export function findLabelled({ text }: Searched): Finding[] {
  return [...membersOf(text), ...parametersOf(text), ...securityCodesOf(text)];
}

function* membersOf(text: string): Generator<Finding> {
  for (const { 0: head, 1: name = '', index } of text.matchAll(MEMBER)) {
    const found = classOfFieldName(name);
    if (found === undefined) continue;
    const start = index + head.length;
    const quoted = /^(\\?")((?:[^"\\\r\n]|\\[^"\r\n]){1,1024})\\?"/.exec(text.slice(start, start + 1100));
    const bare = quoted ?? /^()(\d{3,19})(?![\d.])/.exec(text.slice(start, start + 24));
    const [, quote = '', written = ''] = bare ?? [];
    const finding = labelledFinding(found, written, start + quote.length);
    if (finding !== undefined) yield finding;
  }
}

function* parametersOf(text: string): Generator<Finding> {
  for (const { 0: whole, 1: name = '', 2: written = '', index } of text.matchAll(PARAMETER)) {
    const found = classOfFieldName(name);
    const finding = found && labelledFinding(found, written, index + whole.length - written.length);
    if (finding !== undefined) yield finding;
  }
}

function* securityCodesOf(text: string): Generator<Finding> {
  for (const { 0: whole, 1: code = '', index } of text.matchAll(SECURITY_CODE)) {
    const end = index + whole.length;
    yield { class: 'cvv', start: end - code.length, end, confidence: 0.9, value: code };
  }
}

function labelledFinding(found: FindingClass, written: string, start: number): Finding | undefined {
  const value = written === '' ? undefined : valueOfClass(found, written);
  if (value === undefined) return undefined;
  return {
    class: found,
    start,
    end: start + written.length,
    confidence: confidenceOfFieldName(found),
    value,
  };
}
