package access_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
)

func TestOnlyWhoMayListABucketHearsThatAnObjectIsNotThere(t *testing.T) {
	path := func(o *s3.Options) { o.UsePathStyle = true }
	for actions, want := range map[string]int{`"s3:GetObject"`: 403, `"s3:GetObject","s3:ListBucket"`: 404} {
		who := open(t, access.Options{})
		_, err := s3.NewFromConfig(who.root(), path).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: text("bucket")})
		require.NoError(t, err)
		store := s3.NewFromConfig(who.user(`{"Effect":"Allow","Action":[`+actions+`],"Resource":"*"}`), path)
		_, err = store.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: text("bucket"), Key: text("k")})
		failed, _ := errors.AsType[*smithyhttp.ResponseError](err)
		require.NotNil(t, failed, err)
		assert.Equal(t, want, failed.HTTPStatusCode(), actions)
	}
}
