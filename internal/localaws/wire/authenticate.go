package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// Authenticate lets the endpoint refuse requests that nobody signed, that are
// signed wrongly with a key that was granted, or whose session has expired. A
// key that nobody granted stays the account's root, whatever it signs. It must
// not be called while requests are served.
func (m *Mux) Authenticate() { m.strict = true }

// authError is a refusal whose name depends on the protocol.
type authError struct {
	smithy.GenericAPIError
	status int
}

// HTTPStatus says the status of the answer.
func (e *authError) HTTPStatus() int { return e.status }

// A fault is what can be wrong with a signature.
type fault struct {
	query, json, s3 string // what the protocols call it
	message         string
	badRequest      bool // S3 answers it with 400 and not with 403
}

// The names are those of the pages "Common errors" of the services'
// references, and of "Error responses" of S3.
func unsigned() fault {
	return fault{query: "MissingAuthenticationToken", json: "MissingAuthenticationTokenException", message: "Missing Authentication Token"}
}

func wrongSignature() fault {
	return fault{
		query: "SignatureDoesNotMatch", json: "InvalidSignatureException", s3: "SignatureDoesNotMatch",
		message: "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and " +
			"signing method. Consult the service documentation for details.",
	}
}

func expired() fault {
	return fault{
		query: "ExpiredToken", json: "ExpiredTokenException", s3: "ExpiredToken",
		message: "The security token included in the request is expired", badRequest: true,
	}
}

func invalidToken() fault {
	return fault{
		query: "InvalidClientTokenId", json: "UnrecognizedClientException", s3: "InvalidToken",
		message: "The security token included in the request is invalid.", badRequest: true,
	}
}

func wrongScope(message string) fault {
	return fault{
		query: "SignatureDoesNotMatch", json: "InvalidSignatureException", s3: "AuthorizationHeaderMalformed", message: message, badRequest: true,
	}
}

// refuse is the fault in the words of the request's protocol.
func (q *request) refuse(f fault) error {
	e := &authError{smithy.GenericAPIError{Code: f.json, Message: f.message, Fault: smithy.FaultClient}, http.StatusBadRequest}
	switch q.dialect {
	case dialect(Query), dialect("ec2Query"):
		e.Code, e.status = f.query, http.StatusForbidden
	case dialect(RESTXML):
		e.Code, e.status = f.s3, http.StatusForbidden
		if f.badRequest {
			e.status = http.StatusBadRequest
		}
	case dialect(RESTJSON):
		e.status = http.StatusForbidden
	default: // JSON and CBOR: 400
	}
	return e
}

// authenticate refuses a request whose signature is not what it should be.
// It knows the world's time, so the lock must be held.
func (m *Mux) authenticate(q *request) error {
	if !m.strict {
		return nil
	}
	s := q.signer
	if s.accessKeyID == "" {
		if q.dialect == dialect(RESTXML) { // S3 has anonymous requests; they are nobody's
			return nil
		}
		return q.refuse(unsigned())
	}
	if err := m.scope(q); err != nil {
		return err
	}
	k, granted := m.key(s.accessKeyID)
	switch {
	case !granted:
		return nil
	case k.Revoked, k.Token != q.token:
		return q.refuse(invalidToken())
	case !q.verified:
		return q.refuse(wrongSignature())
	case !k.Expires.IsZero() && !m.world.Now().Before(k.Expires):
		return q.refuse(expired())
	}
	return nil
}

// scope refuses a signature for another region or service.
func (m *Mux) scope(q *request) error {
	s := q.signer
	region := m.world.Region
	if s.region == "us-east-1" && slices.Contains([]string{"iam", "sts"}, s.service) { // both have one endpoint for the world there
		region = s.region
	}
	if s.region != region {
		if q.dialect == dialect(RESTXML) {
			return q.refuse(wrongScope("The authorization header is malformed; the region '" + s.region + "' is wrong; expecting '" + region + "'"))
		}
		return q.refuse(wrongScope("Credential should be scoped to a valid region, not '" + s.region + "'. "))
	}
	if q.service != nil && q.service.Name != s.service {
		return q.refuse(wrongScope("Credential should be scoped to correct service: '" + q.service.Name + "'. "))
	}
	return nil
}

// identify notes who signed the request, and whether the signature is right.
func (m *Mux) identify(q *request, r *http.Request, body []byte) {
	q.signer = signerOf(r)
	if q.token = r.Header.Get("X-Amz-Security-Token"); q.signer.presigned {
		q.token = r.URL.Query().Get("X-Amz-Security-Token")
	}
	if q.signer.accessKeyID == "" && m.strict {
		return // nobody
	}
	k, granted := m.key(q.signer.accessKeyID)
	q.principal = k.Principal
	if granted && m.strict {
		q.verified = q.signer.verify(r, k.Secret, func() string {
			sum := sha256.Sum256(body)
			return hex.EncodeToString(sum[:])
		}) && hashes(r.Header.Get("X-Amz-Content-Sha256"), body)
	}
}

// hashes reports whether a header that says a body's hash says the right one.
// The chunks of a streamed body have signatures of their own, which are not
// verified.
func hashes(header string, body []byte) bool {
	if header == "" || header == unsignedSHA || strings.HasPrefix(header, "STREAMING-") {
		return true
	}
	sum := sha256.Sum256(body)
	return header == hex.EncodeToString(sum[:])
}
