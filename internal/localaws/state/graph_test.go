package state_test

import (
	"math"
	"testing"
	"time"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

type shape interface{ area() float64 }

type square struct{ side float64 }

func (s square) area() float64 { return s.side * s.side }

type circle struct{ r float64 }

func (c *circle) area() float64 { return math.Pi * c.r * c.r }

type node struct {
	name  string
	next  *node
	owner *service
	at    *time.Time
}

type key struct {
	a string
	b int
}

type service struct {
	w       *world.World
	hook    func() string
	timers  map[string]*world.Timer
	options struct {
		name string
		tell func() string
	}
	Exported string
	count    int
	ratio    float64
	unsigned uint64
	body     []byte
	raw      string
	list     []node
	byName   map[string]*node
	pairs    map[key]time.Duration
	shapes   []shape
	item     map[string]ddbtypes.AttributeValue
	empty    map[string]string
	none     map[string]string
	array    [2]int
	scratch  string `state:"-"`
}

func members() state.Union {
	return state.Union{
		square{}, (*circle)(nil), (*ddbtypes.AttributeValueMemberS)(nil), (*ddbtypes.AttributeValueMemberN)(nil), (*ddbtypes.AttributeValueMemberL)(nil),
	}
}

func TestAGraphComesBackAsItWas(t *testing.T) {
	at := time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)
	a := &node{name: "a", at: &at}
	s := &service{w: world.New(world.Options{}), hook: func() string { return "old" }, Exported: "x", count: -3, ratio: math.Inf(1), unsigned: math.MaxUint64}
	s.options.name, s.options.tell = "told", func() string { return "old" }
	s.body, s.raw = make([]byte, 10000), "\xff\x00"
	s.byName = map[string]*node{"a": a, "again": a, "b": {name: "b", next: a, owner: s}}
	a.next = a
	s.list = []node{{name: "in a list", next: a}}
	s.pairs = map[key]time.Duration{{"x", 1}: time.Second, {"x", 2}: time.Hour}
	s.shapes = []shape{square{2}, &circle{1}, nil}
	s.item = map[string]ddbtypes.AttributeValue{"l": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{
		&ddbtypes.AttributeValueMemberN{Value: "1"}, &ddbtypes.AttributeValueMemberS{Value: "s"},
	}}}
	s.timers = map[string]*world.Timer{"none": nil}
	s.empty, s.array, s.scratch = map[string]string{}, [2]int{1, 2}, "not kept"

	d, err := state.Encode(s, members())
	require.NoError(t, err)
	assert.Len(t, d.Blobs, 1, "the long body is kept apart")

	b := &service{w: world.New(world.Options{}), hook: func() string { return "new" }, count: 7, none: map[string]string{"not": "there"}, scratch: "mine"}
	b.options.tell = func() string { return "new" }
	require.NoError(t, state.Decode(d, b, members()))
	assert.NotSame(t, s.w, b.w)
	assert.Equal(t, "new", b.hook())
	assert.Equal(t, "new", b.options.tell())
	assert.Equal(t, "told", b.options.name)
	assert.Equal(t, "mine", b.scratch)
	assert.Nil(t, b.none)
	assert.Equal(t, s.empty, b.empty)
	assert.Same(t, b.byName["a"], b.byName["again"], "one node with two names")
	assert.Same(t, b.byName["a"], b.byName["a"].next, "which points to itself")
	assert.Same(t, b.byName["a"], b.list[0].next)
	assert.Same(t, b, b.byName["b"].owner)
	assert.Equal(t, at, *b.byName["a"].at)
	assert.Equal(t, []any{s.Exported, s.count, s.ratio, s.unsigned, s.body, s.raw, s.pairs, s.shapes, s.item, s.array},
		[]any{b.Exported, b.count, b.ratio, b.unsigned, b.body, b.raw, b.pairs, b.shapes, b.item, b.array})

	again, err := state.Encode(b, members())
	require.NoError(t, err)
	assert.Equal(t, string(d.Text), string(again.Text))
}

func TestATypeThatIsNotListedIsAnError(t *testing.T) {
	_, err := state.Encode(&service{shapes: []shape{square{1}}}, nil)
	assert.EqualError(t, err, "write down *state_test.service: shapes: [0]: state_test.shape holds a state_test.square, which its service's union does not list")
}

func TestAStateOfAnotherShapeIsRefused(t *testing.T) {
	type before struct{ name string }
	type after struct{ name, more string }
	d, err := state.Encode(&before{name: "x"}, nil)
	require.NoError(t, err)
	err = state.Decode(d, &after{name: "y", more: "z"}, nil)
	require.ErrorIs(t, err, state.ErrShape)
}

func TestADamagedStateIsAnErrorAndNoPanic(t *testing.T) {
	d, err := state.Encode(&service{byName: map[string]*node{"a": {name: "a"}}, shapes: []shape{square{1}}, body: []byte("x")}, members())
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(string(d.Text))
		for range rapid.IntRange(1, 5).Draw(t, "damages") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "where")] = rapid.SampledFrom([]byte(`0123456789"[]{}:,@-ae`)).Draw(t, "what")
		}
		damaged := d
		damaged.Text = text
		_ = state.Decode(damaged, &service{}, members()) // an error or another state, but an answer
	})
}

func TestTextsAndNumbersComeBack(t *testing.T) {
	type values struct {
		S string
		F float64
		I int64
		B []byte
		M map[string]int
	}
	rapid.Check(t, func(t *rapid.T) {
		v := values{
			S: string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")), F: rapid.Float64().Draw(t, "float"), I: rapid.Int64().Draw(t, "int"),
			B: rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "bytes"), M: rapid.MapOf(rapid.String(), rapid.Int()).Draw(t, "map"),
		}
		d, err := state.Encode(&v, nil)
		require.NoError(t, err)
		var got values
		require.NoError(t, state.Decode(d, &got, nil))
		assert.Equal(t, v, got)
	})
}
