import { describeDoor2 } from '../contract/aws-api-suite.ts';
import { boto3, withClient } from './installed.ts';

withClient(boto3, () => {
  describeDoor2({
    ...boto3,
    registries: ['ecr', 'ecr-public'],
    retryModes: ['legacy', 'standard', 'adaptive'],
  });
});
