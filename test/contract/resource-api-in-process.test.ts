import { startInProcess } from '../support/in-process.ts';
import { describeResourceApi } from './resource-api-suite.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

describeResourceApi('in process', 'ecr', startInProcess);
describeResourceApi('in process', 'ecr-public', startInProcess);
