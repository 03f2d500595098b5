import { startInProcess } from '../support/in-process.ts';
import { describeDoor1 } from './resource-api-suite.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

describeDoor1('in process', 'ecr', startInProcess);
describeDoor1('in process', 'ecr-public', startInProcess);
