package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// route finds the service and the operation of a request, or sets an error
// that names what is not known. For the query protocol it returns the form.
func (q *request) route(m *Mux, r *http.Request, scope string, body []byte) map[string]any {
	target, operation, isTarget := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case r.Header.Get("Smithy-Protocol") != "":
		q.routeCBOR(m, r)
	case isTarget:
		q.dialect = dialect(JSON11)
		if strings.HasSuffix(r.Header.Get("Content-Type"), "-1.0") {
			q.dialect = dialect(JSON10)
		}
		q.routeTarget(m, target, operation)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && scope != "s3":
		return q.routeForm(m, r, scope, body)
	default:
		q.routePath(m, r, scope)
	}
	return nil
}

func (q *request) routeCBOR(m *Mux, r *http.Request) {
	q.dialect = dialectCBOR
	parts := strings.Split(r.URL.Path, "/")
	if p := r.Header.Get("Smithy-Protocol"); p != "rpc-v2-cbor" || len(parts) < 5 {
		q.err = unknown("the local AWS does not answer protocol " + p + " at " + r.URL.Path)
		return
	}
	tail := parts[len(parts)-4:] // service, <Target>, operation, <Operation>
	if tail[0] != "service" || tail[2] != "operation" {
		q.err = unknown("the local AWS has nothing at " + r.URL.Path)
		return
	}
	q.routeTarget(m, tail[1], tail[3])
}

func (q *request) routeTarget(m *Mux, target, operation string) {
	for _, s := range m.services {
		if s.Target == target && target != "" {
			q.choose(s, operation)
			return
		}
	}
	q.err = unknown("the service with target " + target + " is not part of the local AWS (operation " + operation + ")")
}

// choose sets the operation by its name.
func (q *request) choose(s *served, operation string) {
	q.service = s
	if q.operation = s.operation(operation); q.operation == nil {
		q.err = unknown("service " + s.Name + " of the local AWS has no operation " + operation)
	}
}

func (s *served) takesForms() bool { return s.Protocol == Query || s.Protocol == EC2 }

func (q *request) routeForm(m *Mux, r *http.Request, scope string, body []byte) map[string]any {
	q.dialect = dialect(Query)
	values, err := url.ParseQuery(string(body))
	if err != nil {
		q.err = malformed(err)
		return nil
	}
	for k, v := range r.URL.Query() {
		if _, ok := values[k]; !ok {
			values[k] = v
		}
	}
	action, version := values.Get("Action"), values.Get("Version")
	for _, s := range m.services {
		if s.takesForms() && (s.Name == scope || scope == "" && s.Version == version) {
			q.dialect = dialect(s.Protocol)
			q.choose(s, action)
		}
	}
	if q.service == nil {
		q.err = unknown("service " + scope + " does not answer the query protocol in the local AWS (action " +
			action + ", version " + version + ")")
		return nil
	}
	form, err := readForm(values)
	if err != nil && q.err == nil {
		q.err = malformed(err)
	}
	return form
}

// routePath finds a REST operation by the path. An unsigned request may be
// for any service; S3 takes whatever is left, as its paths begin with a bucket.
func (q *request) routePath(m *Mux, r *http.Request, scope string) {
	q.dialect = dialect(RESTJSON)
	for _, s := range m.services {
		if s.Name != scope && scope != "" || s.Protocol != RESTJSON && s.Protocol != RESTXML {
			continue
		}
		q.dialect = dialect(s.Protocol)
		if found := s.match(r); found != nil {
			q.service, q.operation, q.rest = s, found.operation, found
			return
		}
		if s.Name == scope {
			q.service = s
		}
	}
	if m.service(scope) == nil && scope != "" {
		q.err = unknown("service " + scope + " is not part of the local AWS (" + r.Method + " " + r.URL.Path + ")")
		return
	}
	q.err = unknown("service " + scope + " of the local AWS has nothing at " + r.Method + " " + r.URL.RequestURI())
}
