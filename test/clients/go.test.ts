import { describeAwsApi } from '../contract/aws-api-suite.ts';
import { go, withClient } from './installed.ts';

withClient(go, () => {
  describeAwsApi({
    ...go,
    registries: ['ecr', 'ecr-public'],
  });
});
