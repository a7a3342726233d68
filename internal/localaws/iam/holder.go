package iam

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
)

// The quotas ("IAM and AWS STS quotas").
const (
	longestRole      = 64
	longestUser      = 64
	longestPolicy    = 128
	inlineRoleBytes  = 10240
	inlineUserBytes  = 2048
	managedBytes     = 6144
	trustBytes       = 2048
	attachedPolicies = 10
	maxTags          = 50
	keysPerUser      = 2
	policyVersions   = 5
	mostItems        = 1000 // IAM API reference, MaxItems
)

// holder is what roles and users have in common.
type holder struct {
	kind     string // "role" or "user", as messages say it
	name     string
	arn      string
	id       string
	path     string
	inline   []inline // by name
	attached []string // ARNs, in the order of attaching
	boundary string   // ARN
	tags     []iamtypes.Tag
}

// inline is a policy that belongs to one role or user.
type inline struct{ name, document string }

func (h *holder) find(name *string) (int, bool) {
	return slices.BinarySearchFunc(h.inline, aws.ToString(name), func(p inline, n string) int { return strings.Compare(p.name, n) })
}

func (h *holder) noPolicy(name *string) error {
	return noSuch("The %s policy with name %s cannot be found.", h.kind, aws.ToString(name))
}

// put keeps an inline policy.
func (s *Service) put(h *holder, policyName, document *string, most int) error {
	n, err := name("policyName", policyName, longestPolicy)
	if err != nil {
		return err
	}
	if err := s.check(document, policy.Identity); err != nil {
		return err
	}
	size := weight(*document)
	for _, p := range h.inline {
		if p.name != n {
			size += weight(p.document)
		}
	}
	if size > most {
		return limit("Maximum policy size of %d bytes exceeded for %s %s", most, h.kind, h.name)
	}
	i, found := h.find(policyName)
	if !found {
		h.inline = slices.Insert(h.inline, i, inline{name: n})
	}
	h.inline[i].document = *document
	return nil
}

// get returns an inline policy as it travels.
func (h *holder) get(policyName *string) (*string, error) {
	i, found := h.find(policyName)
	if !found {
		return nil, h.noPolicy(policyName)
	}
	return travelling(h.inline[i].document), nil
}

func (h *holder) drop(policyName *string) error {
	i, found := h.find(policyName)
	if !found {
		return h.noPolicy(policyName)
	}
	h.inline = slices.Delete(h.inline, i, i+1)
	return nil
}

// attach lets a managed policy speak for the holder. Attaching it again
// changes nothing.
func (s *Service) attach(h *holder, arn *string) error {
	p := aws.ToString(arn)
	if _, ok := s.managedDocument(p); !ok {
		return noSuch("Policy %s does not exist or is not attachable.", p)
	}
	if slices.Contains(h.attached, p) {
		return nil
	}
	if len(h.attached) >= attachedPolicies {
		return limit("Cannot exceed quota for PoliciesPer%s: %d", titled(h.kind), attachedPolicies)
	}
	h.attached = append(h.attached, p)
	return nil
}

func (h *holder) detach(arn *string) error {
	i := slices.Index(h.attached, aws.ToString(arn))
	if i < 0 {
		return noSuch("Policy %s was not found.", aws.ToString(arn))
	}
	h.attached = slices.Delete(h.attached, i, i+1)
	return nil
}

// listed are the attached policies with their names.
func (h *holder) listed(prefix *string) []iamtypes.AttachedPolicy {
	var all []iamtypes.AttachedPolicy
	for _, arn := range h.attached {
		_, rest, _ := strings.Cut(arn, ":policy")
		if at := strings.LastIndex(rest, "/"); strings.HasPrefix(rest[:at+1], aws.ToString(prefix)) {
			all = append(all, iamtypes.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(rest[at+1:])})
		}
	}
	return all
}

func (h *holder) names() []string {
	all := make([]string, len(h.inline))
	for i, p := range h.inline {
		all[i] = p.name
	}
	return all
}

// empty says what keeps a holder from being deleted.
func (h *holder) empty() error {
	switch {
	case len(h.attached) > 0:
		return deleteConflict("detach all policies")
	case len(h.inline) > 0:
		return deleteConflict("delete policies")
	default:
		return nil
	}
}

// bound gives the holder a permissions boundary.
func (s *Service) bound(h *holder, arn *string) error {
	if arn == nil {
		return nil
	}
	if _, ok := s.managedDocument(*arn); !ok {
		return noSuch("Scope ARN: %s does not exist or is not attachable.", *arn)
	}
	h.boundary = *arn
	return nil
}

func (h *holder) boundaryShown() *iamtypes.AttachedPermissionsBoundary {
	if h.boundary == "" {
		return nil
	}
	return &iamtypes.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: aws.String(h.boundary), PermissionsBoundaryType: iamtypes.PermissionsBoundaryAttachmentTypePolicy,
	}
}

// check reads a document, for its errors.
func (s *Service) check(document *string, kind policy.Kind) error {
	_, err := s.read(aws.ToString(document), kind)
	if err != nil {
		return &iamtypes.MalformedPolicyDocumentException{Message: aws.String(err.Error())}
	}
	return nil
}

// read parses a document once.
func (s *Service) read(document string, kind policy.Kind) (*policy.Document, error) {
	key := string(kind) + "\n" + document
	if d, ok := s.parsed[key]; ok {
		return d, nil
	}
	d, err := policy.Parse(document, kind)
	if err == nil {
		s.parsed[key] = d
	}
	return d, err
}

// weight is the size of a document as IAM counts it: without white space.
func weight(document string) int {
	n := 0
	for _, c := range document {
		if !unicode.IsSpace(c) {
			n++
		}
	}
	return n
}

// travelling is a document as answers carry it: "URL-encoded compliant with
// RFC 3986" (IAM API reference).
func travelling(document string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

func titled(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// tag sets tags.
func (h *holder) tag(tags []iamtypes.Tag) error {
	for _, t := range tags {
		if i := slices.IndexFunc(h.tags, func(have iamtypes.Tag) bool { return strings.EqualFold(*have.Key, aws.ToString(t.Key)) }); i >= 0 {
			h.tags[i] = t
			continue
		}
		h.tags = append(h.tags, t)
	}
	if len(h.tags) > maxTags {
		return limit("Cannot exceed quota for TagsPer%s: %d", titled(h.kind), maxTags)
	}
	return nil
}

// page cuts a list.
func page[T any](all []T, marker *string, most *int32, name func(T) string) (part []T, truncated bool, next *string, err error) {
	from := 0
	if marker != nil {
		from = slices.IndexFunc(all, func(v T) bool { return name(v) >= *marker })
		if from < 0 {
			from = len(all)
		}
	}
	size := 100 // IAM API reference, MaxItems
	if most != nil {
		size = int(*most)
	}
	if size < 1 || size > mostItems {
		return nil, false, nil, invalid("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: "+
			"Member must have value between 1 and %d", size, mostItems)
	}
	part = all[from:]
	if len(part) <= size {
		return part, false, nil, nil
	}
	return part[:size], true, aws.String(name(part[size])), nil
}
