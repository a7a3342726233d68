package s3_test

import (
	"slices"
	"strings"
	"testing"

	locals3 "github.com/pullback-dev/pullback/internal/localaws/s3"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestTheWireOfUploadsIsTheSDKs(t *testing.T) {
	w := world.New(world.Options{})
	svc := locals3.New(w, wire.NewMux(w)).Wire()
	svc.Operations = slices.DeleteFunc(svc.Operations, func(o wire.Operation) bool {
		return !strings.Contains(o.Name, "Part") && !strings.Contains(o.Name, "MultipartUpload")
	})
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/s3")

	// Left out are those whose made-up answers or requests cannot travel: a date
	// with milliseconds in a header, no number of a part. Other tests read them.
	svc.Operations = slices.DeleteFunc(svc.Operations, func(o wire.Operation) bool {
		return slices.Contains([]string{"CreateMultipartUpload", "ListParts", "UploadPart"}, o.Name)
	})
	wiretest.Answers(t, svc)
}
