package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
)

// operations is how many random operations both sides are asked.
const operations = 10_000

// motoServer starts moto's server and returns its address. Moto is another
// model of AWS, by other people; where the two agree on ten thousand random
// operations, neither is likely to be wrong alone.
func motoServer(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a minute; run without -short")
	}
	if exec.CommandContext(t.Context(), "python3", "-c", "import moto.server").Run() != nil {
		t.Skip("moto's server is not installed (pip install 'moto[server]')")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, _ := strings.Cut(address, ":")
	// With HTTP/1.1, which its web server does not speak by itself: else it ends
	// connections while answers are being read.
	program := "from werkzeug.serving import WSGIRequestHandler as h; h.protocol_version = 'HTTP/1.1'\n" +
		"from moto.server import main; main(['-H', '127.0.0.1', '-p', '" + port + "'])"
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "python3", "-c", program)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has no other end
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/moto-api/", nil)
		if err != nil {
			return false
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		return res.Body.Close() == nil
	}, time.Minute, 100*time.Millisecond, "moto_server does not answer")
	return "http://" + address
}

func clientOf(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(url), Retryer: aws.NopRetryer{},
		Credentials:                     credentials.NewStaticCredentialsProvider("test", "test", ""),
		DisableValidateResponseChecksum: true, // moto's are wrong for errors
	})
}

func TestRandomOperationsComeOutAsInMoto(t *testing.T) {
	t.Parallel()
	theirs := clientOf(motoServer(t))
	local, err := host.Start(t.Context(), host.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	ours := clientOf(local.URL())
	for _, c := range []*dynamodb.Client{ours, theirs} {
		_, err := c.CreateTable(t.Context(), fuzzTable())
		require.NoError(t, err)
	}
	g := newGenerator(20260105)
	seen, compared := map[string]int{}, 0
	for n := 0; compared < operations; n++ {
		require.Less(t, n, 2*operations, "too many operations that cannot be compared")
		op := g.operation()
		a, b := ask(t.Context(), ours, op), ask(t.Context(), theirs, op)
		kind, _, _ := strings.Cut(fmt.Sprintf("%T", op), "Input")
		if why := excused(a, b); why != "" {
			seen["not compared: "+why]++
			align(t, ours, theirs)
			continue
		}
		if b.class != "" && kind == "*dynamodb.UpdateItem" {
			align(t, ours, theirs) // a failed update of moto leaves what it did before it failed
		}
		compared++
		seen[kind+" "+a.class]++
		if diff := cmp.Diff(b, a, comparing()...); diff != "" {
			t.Fatalf("operation %d: %s\n(-moto +ours)\n%s", n, describe(op), diff)
		}
	}
	rows := make([]string, 0, len(seen))
	for k, n := range seen {
		rows = append(rows, fmt.Sprintf("%5d %s", n, strings.TrimPrefix(k, "*dynamodb.")))
	}
	slices.Sort(rows)
	t.Log("\n" + strings.Join(rows, "\n"))
}

// excused says why an operation is not compared: where moto is known to be wrong,
// with AWS's word for it.
func excused(ours, moto outcome) string {
	if strings.Contains(moto.class, "use of closed network connection") {
		return "moto's connection broke"
	}
	if strings.Contains(moto.class, "StatusCode: 500") || slices.Contains(moto.reasons, "TypeError") || slices.Contains(moto.reasons, "ValueError") {
		return "moto crashes"
	}
	if moto.class == "ValidationException" && ours.class == "ConditionalCheckFailedException" {
		return "moto looks at the update before the condition"
	}
	return ""
}

// align makes moto's table what ours is.
func align(t *testing.T, ours, theirs *dynamodb.Client) {
	t.Helper()
	again := func(o *dynamodb.Options) { o.Retryer = retry.NewStandard() } // connections to moto break now and then
	table := aws.String("fuzz")
	had, err := theirs.Scan(t.Context(), &dynamodb.ScanInput{TableName: table}, again)
	require.NoError(t, err)
	for _, item := range had.Items {
		_, err := theirs.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: table, Key: map[string]ddbtypes.AttributeValue{"pk": item["pk"], "sk": item["sk"]},
		}, again)
		require.NoError(t, err)
	}
	has, err := ours.Scan(t.Context(), &dynamodb.ScanInput{TableName: table})
	require.NoError(t, err)
	for _, item := range has.Items {
		_, err := theirs.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item}, again)
		require.NoError(t, err)
	}
}

func fuzzTable() *dynamodb.CreateTableInput {
	key := func(hash, second string) []ddbtypes.KeySchemaElement {
		return []ddbtypes.KeySchemaElement{
			{AttributeName: aws.String(hash), KeyType: ddbtypes.KeyTypeHash}, {AttributeName: aws.String(second), KeyType: ddbtypes.KeyTypeRange},
		}
	}
	return &dynamodb.CreateTableInput{
		TableName: aws.String("fuzz"), KeySchema: key("pk", "sk"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: ddbtypes.ScalarAttributeTypeN},
			{AttributeName: aws.String("g"), AttributeType: ddbtypes.ScalarAttributeTypeS},
		},
		GlobalSecondaryIndexes: []ddbtypes.GlobalSecondaryIndex{{
			IndexName: aws.String("by-g"), KeySchema: key("g", "sk"), Projection: &ddbtypes.Projection{ProjectionType: ddbtypes.ProjectionTypeAll},
		}},
	}
}

// outcome is what an operation came to: the class of its error, or its items.
type outcome struct {
	class   string // the error's code; empty if there was none
	reasons []string
	items   []map[string]ddbtypes.AttributeValue
	count   int32
}

func ask(ctx context.Context, c *dynamodb.Client, op any) outcome {
	out, err := call(ctx, c, op)
	if err == nil {
		return out
	}
	if cancelled, ok := errors.AsType[*ddbtypes.TransactionCanceledException](err); ok {
		o := outcome{class: "TransactionCanceledException"}
		for _, r := range cancelled.CancellationReasons {
			o.reasons = append(o.reasons, aws.ToString(r.Code))
		}
		return o
	}
	if failed, ok := errors.AsType[*ddbtypes.ConditionalCheckFailedException](err); ok {
		return outcome{class: failed.ErrorCode(), items: one(failed.Item)}
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return outcome{class: api.ErrorCode()}
	}
	return outcome{class: err.Error()}
}

func one(item map[string]ddbtypes.AttributeValue) []map[string]ddbtypes.AttributeValue {
	if len(item) == 0 {
		return nil
	}
	return []map[string]ddbtypes.AttributeValue{item}
}

func call(ctx context.Context, c *dynamodb.Client, op any) (outcome, error) {
	switch in := op.(type) {
	case *dynamodb.PutItemInput:
		out, err := c.PutItem(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		return outcome{items: one(out.Attributes)}, nil
	case *dynamodb.GetItemInput:
		out, err := c.GetItem(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		return outcome{items: one(out.Item)}, nil
	case *dynamodb.UpdateItemInput:
		out, err := c.UpdateItem(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		return outcome{items: one(out.Attributes)}, nil
	case *dynamodb.DeleteItemInput:
		out, err := c.DeleteItem(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		return outcome{items: one(out.Attributes)}, nil
	default:
		return callMany(ctx, c, op)
	}
}

func callMany(ctx context.Context, c *dynamodb.Client, op any) (outcome, error) {
	switch in := op.(type) {
	case *dynamodb.QueryInput:
		out, err := c.Query(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		items := out.Items
		if in.IndexName != nil {
			items = orderedWithin(items)
		}
		return outcome{items: items, count: out.Count}, nil
	case *dynamodb.ScanInput:
		out, err := c.Scan(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		return outcome{items: ordered(out.Items), count: out.Count}, nil
	case *dynamodb.BatchGetItemInput:
		out, err := c.BatchGetItem(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		return outcome{items: ordered(out.Responses["fuzz"])}, nil
	case *dynamodb.BatchWriteItemInput:
		_, err := c.BatchWriteItem(ctx, in)
		return outcome{}, err
	case *dynamodb.TransactWriteItemsInput:
		_, err := c.TransactWriteItems(ctx, in)
		return outcome{}, err
	case *dynamodb.TransactGetItemsInput:
		out, err := c.TransactGetItems(ctx, in)
		if err != nil {
			return outcome{}, err
		}
		var items []map[string]ddbtypes.AttributeValue
		for _, r := range out.Responses {
			items = append(items, r.Item)
		}
		return outcome{items: items}, nil
	default:
		return outcome{}, fmt.Errorf("no such operation: %T", op)
	}
}

// ordered sorts items whose order AWS leaves open.
func ordered(items []map[string]ddbtypes.AttributeValue) []map[string]ddbtypes.AttributeValue {
	slices.SortFunc(items, func(a, b map[string]ddbtypes.AttributeValue) int { return strings.Compare(rank(a), rank(b)) })
	return items
}

// orderedWithin sorts the items that share a sort key, whose order in an index
// AWS leaves open.
func orderedWithin(items []map[string]ddbtypes.AttributeValue) []map[string]ddbtypes.AttributeValue {
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && describe(items[to]["sk"]) == describe(items[from]["sk"]) {
			to++
		}
		ordered(items[from:to])
		from = to
	}
	return items
}

func rank(item map[string]ddbtypes.AttributeValue) string {
	return describe(item["pk"]) + describe(item["sk"]) + describe(item["g"]) + describe(item["a"])
}

// comparing compares sets without regard to order, and empty with absent.
func comparing() []cmp.Option {
	return []cmp.Option{
		cmp.AllowUnexported(outcome{}), cmpopts.EquateEmpty(),
		cmpopts.IgnoreUnexported(
			ddbtypes.AttributeValueMemberS{}, ddbtypes.AttributeValueMemberN{}, ddbtypes.AttributeValueMemberB{}, ddbtypes.AttributeValueMemberBOOL{},
			ddbtypes.AttributeValueMemberNULL{}, ddbtypes.AttributeValueMemberL{}, ddbtypes.AttributeValueMemberM{}, ddbtypes.AttributeValueMemberSS{},
			ddbtypes.AttributeValueMemberNS{}, ddbtypes.AttributeValueMemberBS{},
		),
		cmp.Transformer("SS", func(v ddbtypes.AttributeValueMemberSS) []string { return slices.Sorted(slices.Values(v.Value)) }),
		cmp.Transformer("NS", func(v ddbtypes.AttributeValueMemberNS) []string { return slices.Sorted(slices.Values(v.Value)) }),
	}
}
