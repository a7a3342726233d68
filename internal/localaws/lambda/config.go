package lambda

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Defaults and limits of a function's configuration (Lambda API reference,
// CreateFunction; the size of the environment: "Lambda quotas").
const (
	defaultMemory  = 128
	maxMemory      = 10240
	defaultTimeout = 3
	maxTimeout     = 900
	defaultStorage = 512
	maxEnvironment = 4096
)

// newVersion makes the first version of a function.
func (s *Service) newVersion(c *wire.Call, name string, in *lambda.CreateFunctionInput) (*version, error) {
	if err := refuse(in, "CodeSigningConfigArn", "PublishTo", "TenancyConfig"); err != nil {
		return nil, err
	}
	if in.PackageType == lambdatypes.PackageTypeImage {
		return nil, invalid("PackageType Image is not supported by the local AWS")
	}
	if in.Code == nil {
		return nil, invalid("Please provide a source for function code.")
	}
	if in.Runtime == "" || aws.ToString(in.Handler) == "" {
		return nil, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	config := lambdatypes.FunctionConfiguration{
		Architectures: slices.Clone(in.Architectures), Description: aws.String(""),
		EphemeralStorage: &lambdatypes.EphemeralStorage{Size: aws.Int32(defaultStorage)},
		FunctionArn:      aws.String(s.functionARN(name)), FunctionName: aws.String(name),
		LastUpdateStatus: lambdatypes.LastUpdateStatusSuccessful,
		LoggingConfig:    &lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatText, LogGroup: aws.String(ownGroup(name))},
		MemorySize:       aws.Int32(defaultMemory), PackageType: lambdatypes.PackageTypeZip,
		SnapStart:     &lambdatypes.SnapStartResponse{ApplyOn: lambdatypes.SnapStartApplyOnNone, OptimizationStatus: lambdatypes.SnapStartOptimizationStatusOff},
		State:         lambdatypes.StateActive,
		Timeout:       aws.Int32(defaultTimeout),
		TracingConfig: &lambdatypes.TracingConfigResponse{Mode: lambdatypes.TracingModePassThrough},
		Version:       aws.String(latest),
	}
	if len(config.Architectures) == 0 {
		config.Architectures = []lambdatypes.Architecture{lambdatypes.ArchitectureX8664}
	}
	if err := configure(&config, shape[lambda.UpdateFunctionConfigurationInput](in)); err != nil {
		return nil, err
	}
	code, err := s.load(c, in.Code)
	if err != nil {
		return nil, err
	}
	v := &version{config: config}
	v.use(code)
	return v, nil
}

// configure changes a configuration as a request says.
func configure(c *lambdatypes.FunctionConfiguration, in *lambda.UpdateFunctionConfigurationInput) error {
	if err := refuse(in, "CapacityProviderConfig", "DurableConfig", "FileSystemConfigs", "ImageConfig", "Layers"); err != nil {
		return err
	}
	if in.VpcConfig != nil && len(in.VpcConfig.SubnetIds)+len(in.VpcConfig.SecurityGroupIds) > 0 {
		return invalid("VpcConfig is not supported by the local AWS")
	}
	if in.SnapStart != nil && in.SnapStart.ApplyOn == lambdatypes.SnapStartApplyOnPublishedVersions {
		return invalid("SnapStart is not supported by the local AWS")
	}
	if err := setRuntime(c, in); err != nil {
		return err
	}
	if err := setLimits(c, in); err != nil {
		return err
	}
	if err := setDeadLetter(c, in.DeadLetterConfig); err != nil {
		return err
	}
	if in.TracingConfig != nil {
		c.TracingConfig = &lambdatypes.TracingConfigResponse{Mode: in.TracingConfig.Mode}
	}
	c.Description = aws.String(aws.ToString(or(in.Description, c.Description)))
	c.KMSKeyArn = or(in.KMSKeyArn, c.KMSKeyArn)
	c.LoggingConfig = logging(c.LoggingConfig, in.LoggingConfig)
	c.EphemeralStorage = or(in.EphemeralStorage, c.EphemeralStorage)
	return setEnvironment(c, in.Environment)
}

// or is the first pointer that is not nil.
func or[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// logging changes the settings of the log. Levels go with the format JSON and
// are INFO unless they are given (Lambda API reference, LoggingConfig).
func logging(have, want *lambdatypes.LoggingConfig) *lambdatypes.LoggingConfig {
	if want == nil {
		return have
	}
	changed := *want
	changed.LogFormat = cmp.Or(want.LogFormat, have.LogFormat)
	changed.LogGroup = or(want.LogGroup, have.LogGroup)
	if changed.LogFormat == lambdatypes.LogFormatJson {
		changed.ApplicationLogLevel = cmp.Or(want.ApplicationLogLevel, have.ApplicationLogLevel, lambdatypes.ApplicationLogLevelInfo)
		changed.SystemLogLevel = cmp.Or(want.SystemLogLevel, have.SystemLogLevel, lambdatypes.SystemLogLevelInfo)
	}
	return &changed
}

// setRuntime sets what is executed and as whom.
func setRuntime(c *lambdatypes.FunctionConfiguration, in *lambda.UpdateFunctionConfigurationInput) error {
	switch in.Runtime {
	case "":
	case lambdatypes.RuntimeProvidedal2, lambdatypes.RuntimeProvidedal2023:
		c.Runtime = in.Runtime
	default:
		return invalid("runtime %s is not supported by the local AWS, which executes provided.al2023 and provided.al2 only", in.Runtime)
	}
	if in.Role != nil {
		if !strings.HasPrefix(*in.Role, "arn:") || !strings.Contains(*in.Role, ":role/") {
			return unfit(*in.Role, "role", `Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)
		}
		c.Role = in.Role
	}
	if c.Role == nil {
		return invalid("Role is mandatory")
	}
	c.Handler = or(in.Handler, c.Handler)
	return nil
}

// setLimits sets memory and time.
func setLimits(c *lambdatypes.FunctionConfiguration, in *lambda.UpdateFunctionConfigurationInput) error {
	if m := in.MemorySize; m != nil {
		if err := within(*m, "memorySize", defaultMemory, maxMemory); err != nil {
			return err
		}
	}
	if t := in.Timeout; t != nil {
		if err := within(*t, "timeout", 1, maxTimeout); err != nil {
			return err
		}
	}
	c.MemorySize = or(in.MemorySize, c.MemorySize)
	c.Timeout = or(in.Timeout, c.Timeout)
	return nil
}

// setDeadLetter sets where events go that could not be processed. An empty ARN
// takes the setting away.
func setDeadLetter(c *lambdatypes.FunctionConfiguration, d *lambdatypes.DeadLetterConfig) error {
	if d == nil {
		return nil
	}
	arn := aws.ToString(d.TargetArn)
	if arn == "" {
		c.DeadLetterConfig = nil
		return nil
	}
	if service := serviceOf(arn); service != "sqs" && service != "sns" {
		return invalid("The provided dead letter target %s must be an SQS queue or an SNS topic", arn)
	}
	c.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: aws.String(arn)}
	return nil
}

// setEnvironment sets the variables, all at once.
func setEnvironment(c *lambdatypes.FunctionConfiguration, e *lambdatypes.Environment) error {
	if e == nil {
		return nil
	}
	size := 0
	var taken []string
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		size += len(name) + len(e.Variables[name])
		if reserved(name) {
			taken = append(taken, name)
		}
	}
	if len(taken) > 0 {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have "+
			"provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s",
			strings.Join(taken, ", "))
	}
	if size > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have " +
			"provided exceeded the 4KB limit.")
	}
	c.Environment = nil
	if len(e.Variables) > 0 {
		c.Environment = &lambdatypes.EnvironmentResponse{Variables: maps.Clone(e.Variables)}
	}
	return nil
}

// reserved reports whether a variable belongs to Lambda (Lambda developer
// guide, "Working with Lambda environment variables", reserved variables).
func reserved(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	default:
		return false
	}
}

func (s *Service) updateFunctionConfiguration(_ *wire.Call, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	f, err := s.unqualified(in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := precondition(in.RevisionId, f.latest.config.RevisionId, "GetFunction"); err != nil {
		return nil, err
	}
	v := &version{fn: f, config: f.latest.config, code: f.latest.code}
	if err := configure(&v.config, in); err != nil {
		return nil, err
	}
	if err := s.assumable(in.Role); err != nil {
		return nil, err
	}
	s.replace(f, v)
	return shape[lambda.UpdateFunctionConfigurationOutput](&v.config), nil
}
