import { ALARMS } from '../../runtime/metrics/alarms.ts';
import type { Alarm } from '../../runtime/metrics/catalogue.ts';
import { alarmExpression } from './expressions.ts';

/** Prometheus' rule file. JSON is YAML (YAML 1.2 section 1.3), so that nothing has to be quoted by hand. */
export function alertingRules(meshName: string): object {
  return { groups: [{ name: meshName, rules: ALARMS.map(ruleOf) }] };
}

function ruleOf(alarm: Alarm): object {
  return {
    alert: alarm.name,
    expr: alarmExpression(alarm),
    ...(alarm.of === 'increase' ? {} : { for: `${alarm.minutes}m` }),
    labels: { severity: alarm.severity },
    annotations: { summary: alarm.sentence, runbook: `docs/runbook.md#${alarm.runbook}` },
  };
}
