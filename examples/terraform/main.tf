# pullback as one resource: the template of a release, from a bucket of your own.

variable "release" {
  description = "Version of pullback, such as v1.2.0."
  type        = string
}

variable "assets_bucket" {
  description = "Bucket in the region of the stack with what make release-template wrote, below pullback/VERSION/."
  type        = string
}

variable "mode" {
  description = "enforce, or observe: only record what would be done."
  type        = string
  default     = "observe"
}

variable "configuration" {
  description = "Path of pullback.yaml; empty: defaults."
  type        = string
  default     = ""
}

variable "hub" {
  description = "ARN of the event bus of the control plane that collects records; empty: they stay here."
  type        = string
  default     = ""
}

data "aws_region" "current" {}

locals {
  prefix = "pullback/${var.release}/"
}

resource "aws_cloudformation_stack" "pullback" {
  name         = "pullback"
  template_url = "https://${var.assets_bucket}.s3.${data.aws_region.current.name}.amazonaws.com/${local.prefix}pullback-${var.release}.template.json"
  capabilities = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    AssetsBucket       = var.assets_bucket
    AssetsPrefix       = local.prefix
    Mode               = var.mode
    PullbackYAML       = var.configuration == "" ? "" : file(var.configuration)
    LogRetentionDays   = 365
    RouterReserved     = 10
    RollbackerReserved = 10
    Hub                = var.hub
  }

  lifecycle {
    # The ledger stays when the stack goes, but nobody looks after deployments any more.
    prevent_destroy = true
  }
}

output "event_bus" {
  description = "ARN of the bus that other control planes write to."
  value       = aws_cloudformation_stack.pullback.outputs["EventBus"]
}

output "notices_topic" {
  description = "ARN of the topic that people subscribe to."
  value       = aws_cloudformation_stack.pullback.outputs["NoticesTopic"]
}
