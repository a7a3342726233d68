package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// signer is what the signature of a request says ("AWS Signature Version 4 for
// API requests"): in the header or, in a presigned URL, in the query.
type signer struct {
	accessKeyID, date, region, service string
	headers                            []string // that are signed, in lower case
	signature                          string
	presigned                          bool
}

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	unsignedSHA = "UNSIGNED-PAYLOAD"
)

// signerOf reads the signature of a request. A request without one has a
// signer without an access key.
func signerOf(r *http.Request) signer {
	query := r.URL.Query()
	s := signer{presigned: true, signature: query.Get("X-Amz-Signature"), headers: strings.Split(query.Get("X-Amz-SignedHeaders"), ";")}
	scope := query.Get("X-Amz-Credential")
	if fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm); ok {
		s = signer{}
		for field := range strings.SplitSeq(fields, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
			switch name {
			case "Credential":
				scope = value
			case "SignedHeaders":
				s.headers = strings.Split(value, ";")
			case "Signature":
				s.signature = value
			}
		}
	}
	parts := strings.Split(scope, "/")
	if len(parts) != 5 {
		return signer{}
	}
	s.accessKeyID, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	return s
}

// verify reports whether the request was signed with the secret. The time of
// the signature is not looked at: clients live in the wall clock's time.
func (s signer) verify(r *http.Request, secret string, bodyHash func() string) bool {
	at := r.Header.Get("X-Amz-Date")
	if s.presigned {
		at = r.URL.Query().Get("X-Amz-Date")
	}
	if at == "" {
		at = r.Header.Get("Date")
	}
	sum := sha256.Sum256([]byte(s.canonical(r, bodyHash)))
	text := strings.Join([]string{algorithm, at, s.date + "/" + s.region + "/" + s.service + "/" + terminator, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		key = keyed(key, part)
	}
	return hmac.Equal([]byte(hex.EncodeToString(keyed(key, text))), []byte(s.signature))
}

func keyed(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the request in the form that is signed.
func (s signer) canonical(r *http.Request, bodyHash func() string) string {
	path := r.URL.EscapedPath()
	if s.service != "s3" { // which alone does not escape what is escaped already
		path = escape(path, true)
	}
	if path == "" {
		path = "/"
	}
	var headers strings.Builder
	for _, name := range s.headers {
		headers.WriteString(name + ":" + headerText(r, name) + "\n")
	}
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" && s.presigned && s.service == "s3" {
		hash = unsignedSHA
	}
	if hash == "" {
		hash = bodyHash()
	}
	return strings.Join([]string{r.Method, path, s.query(r), headers.String(), strings.Join(s.headers, ";"), hash}, "\n")
}

// query is the sorted query without the signature itself.
func (s signer) query(r *http.Request) string {
	values, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be read is not there for the signer either
	var parts []string
	for name, all := range values {
		if s.presigned && name == "X-Amz-Signature" {
			continue
		}
		for _, v := range all {
			parts = append(parts, escape(name, false)+"="+escape(v, false))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// headerText is a header's values with their blanks folded. Go's server takes
// Host and Content-Length out of the headers.
func headerText(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		if r.Header.Get("Content-Length") == "" {
			return strconv.FormatInt(r.ContentLength, 10)
		}
	}
	var all []string
	for _, v := range r.Header[textproto.CanonicalMIMEHeaderKey(name)] {
		all = append(all, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(all, ",")
}

// escape percent-encodes all but the unreserved characters of RFC 3986, and
// slashes if they are to stay.
func escape(s string, slashes bool) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(unreserved, c) >= 0 || c == '/' && slashes {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
