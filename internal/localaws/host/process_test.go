//go:build unix

package host_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
)

// pack is a deployment package of a shell script.
func pack(t *testing.T, script string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap"}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	require.NoError(t, err)
	_, err = w.Write([]byte(script))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestCloseEndsAFunctionThatRuns(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{})
	require.NoError(t, err)
	pipe := filepath.Join(t.TempDir(), "pid")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = iam.NewFromConfig(config(local)).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("sleeper"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)})
	require.NoError(t, err)
	client := lambda.NewFromConfig(config(local))
	_, err = client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("sleeper"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::123456789012:role/sleeper"),
		Code: &lambdatypes.FunctionCode{ZipFile: pack(t, fmt.Sprintf("#!/bin/sh\necho $$ > %s\nexec sleep 3600\n", pipe))},
	})
	require.NoError(t, err)
	answered := make(chan error, 1)
	go func() {
		_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("sleeper")})
		answered <- err
	}()
	text, err := os.ReadFile(pipe) // waits until the function writes
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, 0), "it runs")

	require.NoError(t, local.Close())
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "it is gone")
	nothingRuns(t)
	require.Error(t, <-answered)
	isFree(t, local)
}
