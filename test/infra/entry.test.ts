import { describe, expect, it } from '@jest/globals';
import { composeMesh } from '../../mesh/compose.ts';
import { tokenizationEntries } from '../../mesh/tokenization-mesh.ts';
import { synthesize } from '../support/synthesized.ts';

const LOYALTY = {
  port: 8448,
  operations: [{ name: 'members.join', method: 'POST', path: '/members', scope: 'members.write' }],
  calls: { tokenizer: ['tokens.create'] },
} as const;

const entered = synthesize(
  {},
  {
    mesh: composeMesh({
      ...tokenizationEntries,
      nodes: { ...tokenizationEntries.nodes, loyalty: LOYALTY },
    }),
  },
);

describe('a service that was added by one entry', () => {
  it('is deployed as the others are: tasks, and a certificate for each side', () => {
    const services = entered.ofType('AWS::ECS::Service').map(({ properties }) => properties.ServiceName);
    expect(services).toContain('loyalty');
    const certificates = entered
      .ofType('AWS::CertificateManager::Certificate')
      .filter(({ properties }) => properties.DomainName === 'loyalty.tokenmesh.internal');
    expect(certificates).toHaveLength(2);
  });

  it('is reached by the gateway, reaches the tokenizer, and nothing else of it is open', () => {
    const opened = entered
      .ofType('AWS::EC2::SecurityGroupIngress')
      .map(({ properties }) => `${properties.FromPort} ${properties.Description}`)
      .filter((each) => each.includes('loyalty'));
    expect(opened).toEqual([
      '8447 loyalty calls tokenizer',
      '8448 gateway calls loyalty',
      '443 loyalty calls AWS',
    ]);
  });

  it('has the rights of a sidecar alone, since nothing of AWS is its own', () => {
    const rights = entered.one('AWS::IAM::ManagedPolicy', ({ id }) => id.startsWith('Rolesloyaltyrights'));
    expect(rights.properties.PolicyDocument.Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual([
      'ReadOwnCertificatesAndTrust',
      'OpenSecrets',
      'ReadRevocationLists',
    ]);
  });

  it('has a scope of its own at the user pool', () => {
    const [server] = entered.ofType('AWS::Cognito::UserPoolResourceServer');
    expect(JSON.stringify(server?.properties.Scopes)).toContain('members.write');
  });
});
