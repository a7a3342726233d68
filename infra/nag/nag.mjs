// Nag prints what the packs AwsSolutions and Serverless of cdk-nag find in templates, as
// JSON: nag.mjs MODULES TEMPLATE…. MODULES is the folder with the node_modules.
//
// The packs check constructs. A template becomes constructs by CfnInclude, so that what is
// checked is what is deployed, whatever it was written in. What is acknowledged is not its
// business: in templates that stands in metadata, which version 3 does not read.
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';

process.env.JSII_DEPRECATED = 'quiet'; // CfnInclude reads old properties, too, to see whether they are there
const [modules, ...templates] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), 'nag.js'));
const { App, Stack } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { AwsSolutionsChecks, ServerlessChecks } = require('cdk-nag');

const findings = [];
for (const template of templates) {
  const app = new App({ analyticsReporting: false });
  new CfnInclude(new Stack(app, 'stack'), 'template', { templateFile: template });
  for (const Pack of [AwsSolutionsChecks, ServerlessChecks]) {
    for (const violation of new Pack(app).validateScope(app).violations) {
      for (const { constructPath } of violation.violatingResources) {
        findings.push({ template, rule: violation.ruleName, about: violation.description, resource: basename(constructPath) });
      }
    }
  }
}
process.stdout.write(JSON.stringify(findings));
