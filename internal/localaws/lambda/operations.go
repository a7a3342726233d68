package lambda

import (
	"net/http"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The paths, with the API version in which AWS introduced each of them.
const (
	functionsPath = "/2015-03-31/functions"
	functionPath  = functionsPath + "/{FunctionName}"
	aliasPath     = functionPath + "/aliases/{Name}"
	mappingsPath  = "/2015-03-31/event-source-mappings"
	mappingPath   = mappingsPath + "/{UUID}"
	tagsPath      = "/2017-03-31/tags/{Resource}"
	settingPath   = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
	reservedPath  = "/2017-10-31/functions/{FunctionName}/concurrency"
)

// Wire describes the service to the wire: its operations and how they travel
// (Lambda API reference; the SDK's request snapshots).
func (s *Service) Wire() wire.Service {
	operations := append(s.functionOperations(), s.aliasOperations()...)
	operations = append(operations, s.invokeOperations()...)
	operations = append(operations, s.mappingOperations()...)
	return wire.Service{
		Name: "lambda", Protocol: wire.RESTJSON, Style: wire.Pascal, Status: statuses(), Operations: operations,
	}
}

// qualified is the query parameter that names a version or an alias.
func qualified() map[string]string { return map[string]string{"Qualifier": "Qualifier"} }

// paged are the query parameters of a list operation, with more.
func paged(more ...string) map[string]string {
	q := map[string]string{"Marker": "Marker", "MaxItems": "MaxItems"}
	for _, name := range more {
		q[name] = name
	}
	return q
}

func (s *Service) functionOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateFunction", s.createFunction).Bind(wire.REST{Method: http.MethodPost, Path: functionsPath, Status: http.StatusCreated}),
		wire.Op("GetFunction", s.getFunction).Bind(wire.REST{Method: http.MethodGet, Path: functionPath, Query: qualified()}),
		wire.Op("GetFunctionConfiguration", s.getFunctionConfiguration).
			Bind(wire.REST{Method: http.MethodGet, Path: functionPath + "/configuration", Query: qualified()}),
		wire.Op("UpdateFunctionCode", s.updateFunctionCode).Bind(wire.REST{Method: http.MethodPut, Path: functionPath + "/code"}),
		wire.Op("UpdateFunctionConfiguration", s.updateFunctionConfiguration).
			Bind(wire.REST{Method: http.MethodPut, Path: functionPath + "/configuration"}),
		wire.Op("DeleteFunction", s.deleteFunction).
			Bind(wire.REST{Method: http.MethodDelete, Path: functionPath, Query: qualified(), Status: noContent, OutStatus: "StatusCode"}),
		wire.Op("ListFunctions", s.listFunctions).
			Bind(wire.REST{Method: http.MethodGet, Path: functionsPath, Query: paged("FunctionVersion", "MasterRegion")}),
		wire.Op("PublishVersion", s.publishVersion).
			Bind(wire.REST{Method: http.MethodPost, Path: functionPath + "/versions", Status: http.StatusCreated}),
		wire.Op("ListVersionsByFunction", s.listVersions).
			Bind(wire.REST{Method: http.MethodGet, Path: functionPath + "/versions", Query: paged()}),
		wire.Op("PutFunctionConcurrency", s.putConcurrency).Bind(wire.REST{Method: http.MethodPut, Path: reservedPath}),
		wire.Op("GetFunctionConcurrency", s.getConcurrency).
			Bind(wire.REST{Method: http.MethodGet, Path: "/2019-09-30/functions/{FunctionName}/concurrency"}),
		wire.Op("DeleteFunctionConcurrency", s.deleteConcurrency).
			Bind(wire.REST{Method: http.MethodDelete, Path: reservedPath, Status: noContent}),
		wire.Op("TagResource", s.tagResource).Bind(wire.REST{Method: http.MethodPost, Path: tagsPath, Status: noContent}),
		wire.Op("ListTags", s.listTags).Bind(wire.REST{Method: http.MethodGet, Path: tagsPath}),
		wire.Op("UntagResource", s.untagResource).
			Bind(wire.REST{Method: http.MethodDelete, Path: tagsPath, Query: map[string]string{"tagKeys": "TagKeys"}, Status: noContent}),
	}
}

func (s *Service) aliasOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateAlias", s.createAlias).
			Bind(wire.REST{Method: http.MethodPost, Path: functionPath + "/aliases", Status: http.StatusCreated}),
		wire.Op("UpdateAlias", s.updateAlias).Bind(wire.REST{Method: http.MethodPut, Path: aliasPath}),
		wire.Op("GetAlias", s.getAlias).Bind(wire.REST{Method: http.MethodGet, Path: aliasPath}),
		wire.Op("ListAliases", s.listAliases).
			Bind(wire.REST{Method: http.MethodGet, Path: functionPath + "/aliases", Query: paged("FunctionVersion")}),
		wire.Op("DeleteAlias", s.deleteAlias).Bind(wire.REST{Method: http.MethodDelete, Path: aliasPath, Status: noContent}),
		wire.Op("AddPermission", s.addPermission).
			Bind(wire.REST{Method: http.MethodPost, Path: functionPath + "/policy", Query: qualified(), Status: http.StatusCreated}),
		wire.Op("RemovePermission", s.removePermission).Bind(wire.REST{
			Method: http.MethodDelete, Path: functionPath + "/policy/{StatementId}", Status: noContent,
			Query: map[string]string{"Qualifier": "Qualifier", "RevisionId": "RevisionId"},
		}),
		wire.Op("GetPolicy", s.getPolicy).Bind(wire.REST{Method: http.MethodGet, Path: functionPath + "/policy", Query: qualified()}),
	}
}

func (s *Service) invokeOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("Invoke", s.invoke).Bind(wire.REST{
			Method: http.MethodPost, Path: functionPath + "/invocations", Query: qualified(), Payload: "Payload",
			Header: map[string]string{
				"X-Amz-Client-Context": "ClientContext", "X-Amz-Durable-Execution-Name": "DurableExecutionName",
				"X-Amz-Invocation-Type": "InvocationType", "X-Amz-Log-Type": "LogType", "X-Amz-Tenant-Id": "TenantId",
			},
			OutHeader: map[string]string{
				"X-Amz-Executed-Version": "ExecutedVersion", "X-Amz-Function-Error": "FunctionError", "X-Amz-Log-Result": "LogResult",
				"X-Amz-Durable-Execution-Arn": "DurableExecutionArn",
			},
			OutPayload: "Payload", OutStatus: "StatusCode",
		}),
		wire.Op("PutFunctionEventInvokeConfig", s.putSetting).Bind(wire.REST{Method: http.MethodPut, Path: settingPath, Query: qualified()}),
		wire.Op("GetFunctionEventInvokeConfig", s.getSetting).Bind(wire.REST{Method: http.MethodGet, Path: settingPath, Query: qualified()}),
		wire.Op("UpdateFunctionEventInvokeConfig", s.updateSetting).
			Bind(wire.REST{Method: http.MethodPost, Path: settingPath, Query: qualified()}),
		wire.Op("DeleteFunctionEventInvokeConfig", s.deleteSetting).
			Bind(wire.REST{Method: http.MethodDelete, Path: settingPath, Query: qualified(), Status: noContent}),
		wire.Op("ListFunctionEventInvokeConfigs", s.listSettings).
			Bind(wire.REST{Method: http.MethodGet, Path: settingPath + "/list", Query: paged()}),
	}
}

func (s *Service) mappingOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateEventSourceMapping", s.createMapping).
			Bind(wire.REST{Method: http.MethodPost, Path: mappingsPath, Status: http.StatusAccepted}),
		wire.Op("GetEventSourceMapping", s.getMapping).Bind(wire.REST{Method: http.MethodGet, Path: mappingPath}),
		wire.Op("UpdateEventSourceMapping", s.updateMapping).
			Bind(wire.REST{Method: http.MethodPut, Path: mappingPath, Status: http.StatusAccepted}),
		wire.Op("DeleteEventSourceMapping", s.deleteMapping).
			Bind(wire.REST{Method: http.MethodDelete, Path: mappingPath, Status: http.StatusAccepted}),
		wire.Op("ListEventSourceMappings", s.listMappings).
			Bind(wire.REST{Method: http.MethodGet, Path: mappingsPath, Query: paged("EventSourceArn", "FunctionName")}),
	}
}
