// The table that the quotas count in. There is none where no quota is declared.

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/**
 * Holds counts of days, and of uploads how far they were counted: all of it is forgotten in a month. DynamoDB
 * encrypts it with a key of AWS's: with the operator's, every function would have to be let create grants on it.
 */
export class QuotaTable extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'A count that is lost is reset with the day: nothing in it is worth a point-in-time recovery.',
    });
  }
}
