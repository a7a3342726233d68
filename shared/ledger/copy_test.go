package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

var (
	abroad = ledger.Home{Account: "111122223333", Region: "eu-west-1"}
	far    = deploy.Target{Application: "shop", Group: "eu"}
)

// told returns a record as another control plane sends it.
func told(t *testing.T, seq int, prev, verb, rule string) (string, ledger.Record) {
	t.Helper()
	r, err := ledger.Seal(ledger.Record{
		Target: far, At: time.Date(2026, 3, 1, 12, seq, 0, 0, time.UTC), Function: "alarmrouter", Verb: verb, Rule: rule, Because: "<because> of \"é\"",
	}, seq, prev)
	require.NoError(t, err)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return string(text), r
}

func heard(t *testing.T, seq int, prev, verb, rule string) ledger.Copy {
	t.Helper()
	text, _ := told(t, seq, prev, verb, rule)
	c, err := ledger.NewCopy(abroad, text)
	require.NoError(t, err)
	return c
}

func TestACopyIsReadFromWhatWasSealed(t *testing.T) {
	text, want := told(t, 7, "prev", "hold", "alarm")
	got, err := ledger.NewCopy(abroad, text)
	require.NoError(t, err)
	assert.Equal(t, ledger.Copy{Home: abroad, Record: want, Text: text}, got)
}

// A control plane that is newer than the hub may say more, and that is under its hash.
func TestAMemberThatIsNotKnownIsUnderTheHash(t *testing.T) {
	text := `{"target":{"application":"shop","group":"eu"},"seq":1,"at":"2026-03-01T12:00:00Z","function":"f","verb":"hold","because":"b","mood":"calm","prev":"","hash":"HASH"}`
	const hash = "64240738b7414d7eedd60ff8ed5339d9cedd8105b8d99d79ae21d5384a572ec8" // sha256sum of the text without it
	text = strings.Replace(text, "HASH", hash, 1)
	c, err := ledger.NewCopy(abroad, text)
	require.NoError(t, err)
	assert.Equal(t, "hold", c.Record.Verb)
	_, err = ledger.NewCopy(abroad, strings.Replace(text, "calm", "bad!", 1))
	require.EqualError(t, err, "record 1 of shop/eu in 111122223333/eu-west-1 is not what was written")
}

func TestWhatIsNoRecordAsItWasSealedIsNoCopy(t *testing.T) {
	text, r := told(t, 1, "", "hold", "alarm")
	const changed = "record 1 of shop/eu in 111122223333/eu-west-1 is not what was written"
	for name, test := range map[string]struct{ text, want string }{
		"no JSON":          {"{", "read a record of 111122223333/eu-west-1: unexpected end of JSON input"},
		"no target":        {`{"seq":1}`, "read a record of 111122223333/eu-west-1: it lacks its target or number"},
		"no number":        {strings.Replace(text, `"seq":1`, `"seq":0`, 1), "read a record of 111122223333/eu-west-1: it lacks its target or number"},
		"another reason":   {strings.Replace(text, "because", "despite", 1), changed},
		"no hash":          {strings.Replace(text, r.Hash, "", 1), changed},
		"something behind": {strings.TrimSuffix(text, "}") + `,"x":1}`, changed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.NewCopy(abroad, test.text)
			require.EqualError(t, err, test.want)
		})
	}
}

func TestGapsAreShownAndTheChainIsCheckedAcrossThem(t *testing.T) {
	first := heard(t, 1, "", "allow", "gate")
	second := heard(t, 2, first.Record.Hash, "rollback", "alarm")
	fifth := heard(t, 5, "of the fourth", "done", "restored")
	for name, test := range map[string]struct {
		kept  []ledger.Copy
		gaps  []ledger.Gap
		wrong string
	}{
		"nothing":              {},
		"whole":                {kept: []ledger.Copy{first, second}},
		"the first missing":    {kept: []ledger.Copy{second}, gaps: []ledger.Gap{{1, 1}}},
		"some missing":         {kept: []ledger.Copy{first, second, fifth}, gaps: []ledger.Gap{{3, 4}}},
		"another one before":   {kept: []ledger.Copy{first, heard(t, 2, "x", "rollback", "alarm")}, wrong: "record 2 of shop/eu in 111122223333/eu-west-1 does not follow the one before it"},
		"one before the first": {kept: []ledger.Copy{heard(t, 1, "x", "allow", "gate")}, wrong: "record 1 of shop/eu in 111122223333/eu-west-1 does not follow the one before it"},
	} {
		t.Run(name, func(t *testing.T) {
			c := ledger.Copies{Kept: test.kept}
			assert.Equal(t, test.gaps, c.Gaps())
			if test.wrong == "" {
				require.NoError(t, c.Verify())
			} else {
				require.EqualError(t, c.Verify(), test.wrong)
			}
		})
	}
	assert.Equal(t, []string{"4", "3 to 5"}, []string{ledger.Gap{4, 4}.String(), ledger.Gap{3, 5}.String()})
}

func TestHowAMemberStands(t *testing.T) {
	type said struct{ verb, rule string }
	for name, test := range map[string]struct {
		said []said
		want ledger.State
	}{
		"nothing is wrong":          {[]said{{"allow", "gate"}, {"known-good", "baked"}}, ledger.StateOK},
		"a human holds it":          {[]said{{"hold", "human"}, {"refuse", "held"}}, ledger.StateHolding},
		"released":                  {[]said{{"hold", "human"}, {"release", "human"}}, ledger.StateOK},
		"taken back right now":      {[]said{{"rollback", "alarm"}, {"hold", "after-rollback"}, {"stop", "effect"}}, ledger.StateRollingBack},
		"taken back":                {[]said{{"rollback", "alarm"}, {"hold", "after-rollback"}, {"done", "restored"}, {"known-good", "baked"}}, ledger.StateRolledBack},
		"the cure is not seen yet":  {[]said{{"rollback", "alarm"}, {"verify", "verifying"}}, ledger.StateRollingBack},
		"pullback gave up":          {[]said{{"rollback", "alarm"}, {"escalate", "escalated"}}, ledger.StateHalted},
		"too many were taken back":  {[]said{{"hold", "halted"}}, ledger.StateHalted},
		"the line is stopped":       {[]said{{"hold", "line-stopped"}}, ledger.StateHalted},
		"a newer one came":          {[]said{{"rollback", "alarm"}, {"supersede", "superseded"}}, ledger.StateOK},
		"it is only observed":       {[]said{{"would-rollback", "alarm"}}, ledger.StateOK},
		"something was put right":   {[]said{{"mend", "left-behind"}, {"done", "restored"}}, ledger.StateOK},
		"something is to be mended": {[]said{{"mend", "left-behind"}}, ledger.StateMending},
	} {
		t.Run(name, func(t *testing.T) {
			var m ledger.Member
			for i, s := range test.said {
				m = m.With(heard(t, i+1, "", s.verb, s.rule))
			}
			assert.Equal(t, test.want, m.State)
		})
	}
}

func TestAMemberIsTheSameInWhateverOrderItsRecordsCome(t *testing.T) {
	hold, release := heard(t, 2, "", "hold", "human"), heard(t, 4, "", "release", "human")
	want := ledger.Member{
		Home: abroad, Target: far, State: ledger.StateOK, By: 4, Kept: 2,
		Newest: ledger.Brief{Seq: 4, At: release.Record.At, Verb: "release", Rule: "human", Because: "<because> of \"é\""},
	}
	assert.Equal(t, want, ledger.Member{}.With(hold).With(release))
	assert.Equal(t, want, ledger.Member{}.With(release).With(hold))
	assert.Equal(t, 2, want.Missing())
	want.Forks = 1
	assert.Equal(t, want, ledger.Member{}.With(release).Forked(hold).With(hold))
}

func TestALongReasonIsCutInItsGist(t *testing.T) {
	r, err := ledger.Seal(ledger.Record{Target: far, Because: "x" + strings.Repeat("é", 400)}, 1, "")
	require.NoError(t, err)
	got := ledger.Member{}.With(ledger.Copy{Home: abroad, Record: r}).Newest.Because
	assert.Equal(t, "x"+strings.Repeat("é", 149)+" …", got)
}

func TestAHomeIsReadAsItIsWritten(t *testing.T) {
	got, err := ledger.ParseHome(abroad.String())
	require.NoError(t, err)
	assert.Equal(t, abroad, got)
	for _, wrong := range []string{"", "1", "/eu-west-1", "1/", "1/eu-west-1/x"} {
		_, err := ledger.ParseHome(wrong)
		require.ErrorContains(t, err, "is not ACCOUNT/REGION")
	}
}
