import { describeAwsApi } from '../contract/aws-api-suite.ts';
import { boto3, withClient } from './installed.ts';

withClient(boto3, () => {
  describeAwsApi({
    ...boto3,
    registries: ['ecr', 'ecr-public'],
    retryModes: ['legacy', 'standard', 'adaptive'],
  });
});
