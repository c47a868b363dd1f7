import { CfnOutput, Duration } from 'aws-cdk-lib';
import {
  FeaturePlan,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StandardThreatProtectionMode,
  UserPool,
} from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import type { GatewayAuthentication } from '../../mesh/definition.ts';
import type { TokenIssuer } from '../../mesh/envoy/types.ts';
import { scopesOf } from '../../mesh/gateway-authentication.ts';
import { RegionStack, type RegionProps } from './region-stack.ts';

export interface CallersProps extends RegionProps {
  readonly authentication: GatewayAuthentication;
}

const HTTPS = 443;

/** Who calls from outside: services that have a secret of Cognito's, and get a token for an hour with it. */
export class CallersStack extends RegionStack {
  readonly tokenIssuer: TokenIssuer;

  constructor(scope: Construct, props: CallersProps) {
    super(scope, 'callers', 'tokens of callers outside', props);
    const { name } = this.mesh;
    const pool = this.#pool();
    const clientId = this.#client(pool, props.authentication);
    const domainPrefix = `${name}-${this.account}`;
    pool.addDomain('domain', { cognitoDomain: { domainPrefix } });
    const host = `cognito-idp.${this.regionName}.amazonaws.com`;
    const issuer = `https://${host}/${pool.userPoolId}`;
    this.tokenIssuer = {
      issuer,
      keys: { host, port: HTTPS, path: `/${pool.userPoolId}/.well-known/jwks.json`, tls: true },
      clientIds: [clientId],
    };
    new CfnOutput(this, 'issuer', { value: issuer });
    new CfnOutput(this, 'client-id', { value: clientId });
    new CfnOutput(this, 'token-url', {
      value: `https://${domainPrefix}.auth.${this.regionName}.amazoncognito.com/oauth2/token`,
    });
  }

  #pool(): UserPool {
    return new UserPool(this, 'pool', {
      userPoolName: this.mesh.name,
      selfSignUpEnabled: false,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      passwordPolicy: {
        minLength: 14,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(1),
      },
      removalPolicy: this.removalPolicy,
    });
  }

  /** One that may ask for every scope that the definition names. */
  #client(pool: UserPool, { resourceServer }: GatewayAuthentication): string {
    const scopes = scopesOf(this.mesh).map(
      (scopeName) => new ResourceServerScope({ scopeName, scopeDescription: scopeName }),
    );
    const server = pool.addResourceServer('api', { identifier: resourceServer, scopes });
    const client = pool.addClient('service', {
      generateSecret: true,
      accessTokenValidity: Duration.hours(1),
      oAuth: {
        flows: { clientCredentials: true },
        scopes: scopes.map((each) => OAuthScope.resourceServer(server, each)),
      },
    });
    return client.userPoolClientId;
  }
}
