import { CfnOutput, Duration, Stack, type RemovalPolicy } from 'aws-cdk-lib';
import {
  FeaturePlan,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StandardThreatProtectionMode,
  UserPool,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';

/** Who calls from outside: services that have a secret of Cognito's, and get a token for an hour with it. */
export class Callers extends Construct {
  readonly issuer: string;
  readonly jwksEndpoint: string;

  constructor(scope: Construct, name: string, removalPolicy: RemovalPolicy) {
    super(scope, 'callers');
    const { account, region } = Stack.of(this);
    const pool = new UserPool(this, 'pool', {
      userPoolName: name,
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
      removalPolicy,
    });
    const scopes = ['orders', 'payments'].map(
      (scopeName) => new ResourceServerScope({ scopeName, scopeDescription: `to call /${scopeName}` }),
    );
    const server = pool.addResourceServer('api', { identifier: name, scopes });
    pool.addClient('service', {
      generateSecret: true,
      accessTokenValidity: Duration.hours(1),
      oAuth: {
        flows: { clientCredentials: true },
        scopes: scopes.map((each) => OAuthScope.resourceServer(server, each)),
      },
    });
    pool.addDomain('domain', { cognitoDomain: { domainPrefix: `${name}-${account}` } });
    this.issuer = `https://cognito-idp.${region}.amazonaws.com/${pool.userPoolId}`;
    this.jwksEndpoint = `${this.issuer}/.well-known/jwks.json`;
    new CfnOutput(this, 'issuer', { value: this.issuer });
    new CfnOutput(this, 'token-url', {
      value: `https://${name}-${account}.auth.${region}.amazoncognito.com/oauth2/token`,
    });
  }
}
