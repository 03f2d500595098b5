import { describeDoor2 } from '../contract/aws-api-suite.ts';
import { go, withClient } from './installed.ts';

withClient(go, () => {
  describeDoor2({
    ...go,
    registries: ['ecr', 'ecr-public'],
  });
});
