# The stack of Remote Processor: copy this file into your project, and change it as you like.
terraform {
  required_version = ">= 1.5"
  required_providers {
    archive = { source = "hashicorp/archive", version = "~> 2.4" }
    aws     = { source = "hashicorp/aws", version = ">= 5.80" }
  }
}

variable "name" {
  type        = string
  description = "The beginning of the names of functions, queue and alarms, such as shop-prod."
}

variable "secret" {
  type        = string
  description = "The name of the secret that holds MONGODB_URI, API_KEYS and the others as JSON."
}

variable "max_threads" {
  type        = number
  default     = 10
  description = "How many jobs a worker runs at a time."
}

variable "max_workers" {
  type        = number
  default     = 10
  description = "How many workers may run at a time."
}

variable "subnets" {
  type        = list(string)
  default     = []
  description = "The subnets of a VPC that alone reaches the database. Give both or neither of subnets and security_groups."
}

variable "security_groups" {
  type    = list(string)
  default = []
}

variable "alarm_topic" {
  type        = string
  default     = null
  description = "The ARN of the SNS topic that gets the alarms."
}

data "aws_secretsmanager_secret" "this" {
  name = var.secret
}

locals {
  functions = {
    scheduler     = { entry = "scheduler", timeout = 60, memory = 512 }
    worker        = { entry = "worker", timeout = 300, memory = 1024 }
    http          = { entry = "http", timeout = 29, memory = 512 }
    ensureIndexes = { entry = "indexes", timeout = 900, memory = 512 }
  }

  # Besides its log and the secret, and interfaces in a VPC.
  permissions = {
    scheduler     = [local.may_send]
    worker        = [local.may_send, local.may_receive]
    http          = [local.may_send]
    ensureIndexes = []
  }

  may_send = {
    Effect   = "Allow"
    Action   = ["sqs:SendMessage"]
    Resource = aws_sqs_queue.wake_ups.arn
  }
  may_receive = {
    Effect   = "Allow"
    Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    Resource = aws_sqs_queue.wake_ups.arn
  }
  may_read_secret = {
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue"]
    Resource = data.aws_secretsmanager_secret.this.arn
  }
  # No ARN is known beforehand for these actions. Lambda makes the interfaces with the function's own role.
  may_use_vpc = length(var.subnets) == 0 ? [] : [{
    Effect = "Allow"
    Action = [
      "ec2:CreateNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]
    Resource = "*"
  }]
}

# The functions: each with a log and a role of its own.

data "archive_file" "function" {
  for_each    = local.functions
  type        = "zip"
  source_dir  = "${path.module}/dist/${each.value.entry}"
  output_path = "${path.module}/dist/${each.value.entry}.zip"
}

resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = 30
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = each.key
  role     = aws_iam_role.function[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.function[each.key].arn}:*"
      }],
      local.permissions[each.key],
      [local.may_read_secret],
      local.may_use_vpc,
    )
  })
}

resource "aws_lambda_function" "this" {
  for_each         = local.functions
  function_name    = "${var.name}-${each.key}"
  role             = aws_iam_role.function[each.key].arn
  runtime          = "nodejs22.x"
  architectures    = ["arm64"]
  handler          = "${each.value.entry}.handler"
  filename         = data.archive_file.function[each.key].output_path
  source_code_hash = data.archive_file.function[each.key].output_base64sha256
  timeout          = each.value.timeout
  memory_size      = each.value.memory

  environment {
    variables = {
      SECRET_ID            = var.secret
      MAX_THREADS          = var.max_threads
      MAX_WORKERS          = var.max_workers
      WORKER_FUNCTION_NAME = "${var.name}-worker"
      WAKE_UP_QUEUE_URL    = aws_sqs_queue.wake_ups.url
      CALLBACK_URL         = aws_apigatewayv2_api.http.api_endpoint
    }
  }

  dynamic "vpc_config" {
    for_each = length(var.subnets) == 0 ? [] : [true]
    content {
      subnet_ids         = var.subnets
      security_group_ids = var.security_groups
    }
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_function_event_invoke_config" "this" {
  for_each                     = toset(["scheduler", "worker"])
  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

# The worker kicks itself while jobs wait. Lambda would stop that after about 16 times.
resource "aws_lambda_function_recursion_config" "worker" {
  function_name  = aws_lambda_function.this["worker"].function_name
  recursive_loop = "Allow"
}

# The tick of the scheduler. If it cannot be delivered within its minute, the next one replaces it.

resource "aws_cloudwatch_event_rule" "scheduler" {
  name                = "${var.name}-scheduler"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "scheduler" {
  rule      = aws_cloudwatch_event_rule.scheduler.name
  target_id = "scheduler"
  arn       = aws_lambda_function.this["scheduler"].arn
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 3
  }
}

resource "aws_lambda_permission" "scheduler" {
  function_name = aws_lambda_function.this["scheduler"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.scheduler.arn
}

# The queue that wakes the worker, by its tick, by kicks, and by messages delayed until a job is due. The messages carry no data,
# so a lost or repeated one does no harm. A failed message expires before it could come again.

resource "aws_sqs_queue" "wake_ups" {
  name                       = "${var.name}-wakeups"
  message_retention_seconds  = 1200 # A message is delayed by 15 minutes at most.
  visibility_timeout_seconds = 5400 # AWS asks for six times the function's timeout, which is 15 minutes at most.
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "wake_ups" {
  queue_url = aws_sqs_queue.wake_ups.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.wake_ups.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.wake_up.arn } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "wake_up" {
  name                = "${var.name}-wake-up"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "wake_up" {
  rule      = aws_cloudwatch_event_rule.wake_up.name
  target_id = "wake-up"
  arn       = aws_sqs_queue.wake_ups.arn
  input     = jsonencode({ wakeUp = {} })
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 3
  }
}

resource "aws_lambda_event_source_mapping" "wake_ups" {
  event_source_arn        = aws_sqs_queue.wake_ups.arn
  function_name           = aws_lambda_function.this["worker"].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = max(2, var.max_workers) # The most workers at a time. AWS accepts no fewer than two.
  }
}

# The HTTP API. The function knows the routes.

resource "aws_apigatewayv2_api" "http" {
  name          = var.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "http" {
  api_id                 = aws_apigatewayv2_api.http.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this["http"].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "http" {
  for_each  = toset(["GET /health", "GET /callbacks/{token}", "POST /callbacks/{token}", "ANY /", "ANY /{proxy+}", "OPTIONS /{proxy+}"])
  api_id    = aws_apigatewayv2_api.http.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.http.id}"
}

resource "aws_lambda_permission" "http" {
  function_name = aws_lambda_function.this["http"].function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*"
}

resource "aws_cloudwatch_log_group" "http_api" {
  name              = "/aws/http-api/${var.name}"
  retention_in_days = 30
}

resource "aws_apigatewayv2_stage" "http" {
  api_id      = aws_apigatewayv2_api.http.id
  name        = "$default"
  auto_deploy = true
  default_route_settings { # The most requests of all callers per second, and the most at once. Further ones get a 429.
    throttling_rate_limit  = 100
    throttling_burst_limit = 200
  }
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.http_api.arn
    format = jsonencode({
      requestId         = "$context.requestId"
      time              = "$context.requestTime"
      address           = "$context.identity.sourceIp"
      caller            = "$context.identity.userArn"
      route             = "$context.routeKey"
      status            = "$context.status"
      responseLength    = "$context.responseLength"
      integrationStatus = "$context.integration.status"
      error             = "$context.error.responseType"
    })
  }
}

# The alarms.

locals {
  alarm_actions = var.alarm_topic == null ? [] : [var.alarm_topic]

  # Of one metric. Those in the namespace remote-processor are published by the functions.
  alarms = {
    oldest-waiting = {
      about     = "A job has been due for 600 seconds. The workers fail, or are too few."
      namespace = "remote-processor", metric = "OldestWaiting", dimensions = { service = "${var.name}-scheduler" }
      statistic = "Maximum", period = 60, periods = 3, threshold = 600, missing = "ignore"
    }
    unclaimed = {
      about     = "A job has been due for 300 seconds that this deployment has no code for, or whose queue it does not take. The log of the scheduler tells which."
      namespace = "remote-processor", metric = "OldestUnclaimed", dimensions = { service = "${var.name}-scheduler" }
      statistic = "Maximum", period = 60, periods = 3, threshold = 300, missing = "ignore"
    }
    job-errors = {
      about     = "Jobs ended in error. The log of the worker tells which, and why."
      namespace = "remote-processor", metric = "Errors", dimensions = { service = "${var.name}-worker" }
      statistic = "Sum", period = 300, periods = 1, threshold = 1, missing = "notBreaching"
    }
    refused = {
      about     = "100 requests were refused within 5 minutes. Somebody tries keys, or a client has a wrong one. The warnings in the log of the http function tell the addresses."
      namespace = "remote-processor", metric = "Refused", dimensions = { service = "${var.name}-http" }
      statistic = "Sum", period = 300, periods = 1, threshold = 100, missing = "notBreaching"
    }
    server-errors = {
      about     = "The HTTP API answered with a status of 500 or more. The log of the http function tells why, unless it could not be invoked."
      namespace = "AWS/ApiGateway", metric = "5xx", dimensions = { ApiId = aws_apigatewayv2_api.http.id }
      statistic = "Sum", period = 300, periods = 1, threshold = 1, missing = "notBreaching"
    }
  }

  # Of a metric of Lambda, summed up over scheduler, worker and http.
  alarms_of_functions = {
    function-errors = {
      about  = "Invocations failed, by an error, a timeout, or because a job went on and its container ended."
      metric = "Errors", threshold = 1
    }
    throttles = {
      about  = "Invocations found no room. The account, or what is reserved for a function, allows too few at a time; jobs wait, and requests get a 503."
      metric = "Throttles", threshold = 10
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = each.value.missing
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "functions" {
  for_each            = local.alarms_of_functions
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions

  metric_query {
    id          = "total"
    expression  = "SUM(METRICS())"
    label       = "${each.value.metric} of scheduler, worker and http"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = ["scheduler", "worker", "http"]
    content {
      id = metric_query.value
      metric {
        namespace   = "AWS/Lambda"
        metric_name = each.value.metric
        dimensions  = { FunctionName = "${var.name}-${metric_query.value}" }
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

# Lambda reports invocations, but not their absence, so INSUFFICIENT_DATA triggers this alarm. An alarm begins in that state and
# tells only of changes. Treating missing data as breaching would trigger it at the first deployment.
resource "aws_cloudwatch_metric_alarm" "scheduler_silent" {
  alarm_name                = "${var.name}-scheduler-silent"
  alarm_description         = "The scheduler has not run for 5 minutes. Schedules stand still, and jobs of crashed workers wait."
  namespace                 = "AWS/Lambda"
  metric_name               = "Invocations"
  dimensions                = { FunctionName = "${var.name}-scheduler" }
  statistic                 = "Sum"
  period                    = 60
  evaluation_periods        = 5
  threshold                 = 1
  comparison_operator       = "LessThanThreshold"
  treat_missing_data        = "missing"
  alarm_actions             = local.alarm_actions
  insufficient_data_actions = local.alarm_actions
  ok_actions                = local.alarm_actions
}

output "url" {
  value = aws_apigatewayv2_stage.http.invoke_url
}

output "wake_up_queue_url" {
  value = aws_sqs_queue.wake_ups.url
}
