import { describeAwsApi } from '../contract/aws-api-suite.ts';
import { cli, withClient } from './installed.ts';

withClient(cli, () => {
  describeAwsApi({
    ...cli,
    registries: ['ecr', 'ecr-public'],
  });
});
