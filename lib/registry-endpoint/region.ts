// Settings that hold in some regions alone, held against the stack's own, which is often known at its deployment only.

import { Aws, CfnRule, Fn, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ConfigurationError } from '../configuration/configuration.ts';

export type RegionSetting = {
  /** Those in which the stack may be. */
  regions: readonly string[];
  /** What was expected, with the member of the configuration. */
  expected: string;
};

/** Where the region is known, it throws; elsewhere CloudFormation refuses the deployment before it makes anything. */
export class RegionRule extends Construct {
  /** @throws ConfigurationError */
  constructor(scope: Construct, id: string, settings: readonly RegionSetting[]) {
    super(scope, id);
    const { region } = Stack.of(this);
    if (Token.isUnresolved(region)) {
      const rule = new CfnRule(this, 'Rule');
      for (const { regions, expected } of settings) {
        rule.addAssertion(Fn.conditionContains([...regions], Aws.REGION), expected);
      }
      return;
    }
    const wrong = settings.filter(({ regions }) => !regions.includes(region));
    if (wrong.length > 0) {
      throw new ConfigurationError(
        `The stack is in ${region}.\n${wrong.map(({ expected }) => expected).join('\n')}`,
      );
    }
  }
}
