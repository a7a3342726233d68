package wire

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// unchunk removes the framing of a body with Content-Encoding aws-chunked:
// "<hex size>[;chunk-signature=…]\r\n<data>\r\n" repeated until a size of zero,
// then trailing headers ("Signature calculations for the authorization header:
// transferring payload in multiple chunks"). Signatures are not verified.
func unchunk(b []byte) (data []byte, trailers map[string]string, err error) {
	for {
		head, rest, ok := bytes.Cut(b, []byte("\r\n"))
		if !ok {
			return nil, nil, errors.New("read aws-chunked body: it ends within a chunk's head")
		}
		size, _, _ := bytes.Cut(head, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return nil, nil, errors.New("read aws-chunked body: a chunk's size is not a number")
		}
		if n == 0 {
			return data, readTrailers(rest), nil
		}
		if uint64(len(rest)) < n+2 || !bytes.Equal(rest[n:n+2], []byte("\r\n")) {
			return nil, nil, errors.New("read aws-chunked body: it ends within a chunk")
		}
		data, b = append(data, rest[:n]...), rest[n+2:]
	}
}

// readTrailers reads the checksums that follow the last chunk.
func readTrailers(b []byte) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(string(b), "\r\n") {
		k, v, ok := strings.Cut(line, ":")
		if ok && strings.HasPrefix(strings.ToLower(k), "x-amz-checksum-") {
			out[k] = strings.TrimSpace(v)
		}
	}
	return out
}
