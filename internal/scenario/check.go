package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// differenceError says how things stand where the script says otherwise. Any
// other error means that it could not be found out.
type differenceError struct{ text string }

// Error implements error.
func (d differenceError) Error() string { return d.text }

func differs(format string, args ...any) error { return differenceError{fmt.Sprintf(format, args...)} }

// live checks what serves: live v1, or live v1 v2 while both do.
func (s *Story) live(ctx context.Context, args []string) error {
	serving, err := s.crew.Live(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(serving, args) {
		return differs("%s serves", strings.Join(serving, " and "))
	}
	return nil
}

// deployment checks one deployment: deployment last Succeeded [CAUSE]. It is
// first or last of the team's own, or the rollback, CodeDeploy's or pullback's.
func (s *Story) deployment(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("want: deployment first|last|rollback STATUS [CAUSE]")
	}
	d, err := s.named(ctx, args[0])
	if err != nil {
		return err
	}
	found := []string{d.Status}
	if len(args) > 2 {
		found = append(found, d.Cause)
	}
	if !slices.Equal(found, args[1:]) {
		return differs("%s is %s %s", d.ID, d.Status, d.Cause)
	}
	return nil
}

// rollbacks checks how many deployments took something back, and who made
// them: rollbacks [codedeploy|pullback …].
func (s *Story) rollbacks(ctx context.Context, args []string) error {
	all, err := s.crew.Deployments(ctx)
	if err != nil {
		return err
	}
	var makers []string
	for _, d := range slices.Backward(s.crew.back(all)) {
		if d.By == "" { // AWS does not say, and nobody else is there
			d.By = "pullback"
		}
		makers = append(makers, d.By)
	}
	if !slices.Equal(makers, args) {
		return differs("rollbacks by: %s", strings.Join(makers, ", "))
	}
	return nil
}

// incident checks the incident of a deployment of the team: incident last
// restored, incident first none.
func (s *Story) incident(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: incident first|last PHASE")
	}
	d, err := s.named(ctx, args[0])
	if err != nil {
		return err
	}
	phase := "none"
	id, err := s.incidentOf(ctx, d)
	if err != nil {
		return err
	}
	i, err := s.ledger.Incident(ctx, id)
	switch {
	case err == nil:
		phase = string(i.Phase)
	case !errors.Is(err, ledger.ErrNotFound):
		return err
	}
	if phase != args[1] {
		return differs("the incident of %s is %s", d.ID, phase)
	}
	return nil
}

// held checks that no deployment may go on.
func (s *Story) held(ctx context.Context, _ []string) error {
	_, err := s.ledger.HoldOn(ctx, s.crew.Target())
	if errors.Is(err, ledger.ErrNotFound) {
		return differs("%s is not held", s.crew.Target())
	}
	return err
}

// quarantined checks that a release's code is kept off: quarantined v2.
func (s *Story) quarantined(ctx context.Context, args []string) error {
	release, err := s.crew.is(args)
	if err != nil {
		return err
	}
	digests, err := s.digests(ctx, release)
	if err != nil {
		return err
	}
	for _, digest := range digests {
		_, err := s.ledger.QuarantineOf(ctx, digest)
		if !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	return differs("%s is not quarantined", release)
}

// digests finds the code of a release: AWS says what a version's is, and what it is
// of anything else is what the incidents say of it.
func (s *Story) digests(ctx context.Context, release string) ([]deploy.Digest, error) {
	if known, ok := s.crew.team.(interface {
		Digest(ctx context.Context, release string) (deploy.Digest, error)
	}); ok {
		digest, err := known.Digest(ctx, release)
		if err != nil {
			return nil, fmt.Errorf("digest of %s: %w", release, err)
		}
		return []deploy.Digest{digest}, nil
	}
	var digests []deploy.Digest
	for _, c := range s.crews { // where it went wrong may be elsewhere
		all, err := s.ledger.IncidentsSince(ctx, c.Target(), s.now().AddDate(-1, 0, 0))
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return nil, fmt.Errorf("incidents of %s: %w", c.Target(), err)
		}
		for _, i := range all {
			if c.ReleaseOf(i.Bad) == release && i.BadDigest != "" {
				digests = append(digests, i.BadDigest)
			}
		}
	}
	return digests, nil
}

// good checks which releases are known good, newest first: known-good v3 v1.
func (s *Story) good(ctx context.Context, args []string) error {
	marks, err := s.ledger.KnownGood(ctx, s.crew.Target())
	if err != nil {
		return fmt.Errorf("known-good revisions: %w", err)
	}
	var releases []string
	for _, m := range marks {
		releases = append(releases, s.crew.releaseOf(m.Revision))
	}
	if !slices.Equal(releases, args) {
		return differs("known good: %s", strings.Join(releases, ", "))
	}
	return nil
}

// alarm checks an alarm: alarm checkout-errors ALARM.
func (s *Story) alarm(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("want: alarm NAME STATE")
	}
	out, err := s.clients.watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: args[:1]})
	if err != nil {
		return fmt.Errorf("describe alarm %s: %w", args[0], err)
	}
	if len(out.MetricAlarms) != 1 {
		return fmt.Errorf("there is no alarm %s", args[0])
	}
	if state := string(out.MetricAlarms[0].StateValue); state != args[1] {
		return differs("%s is %s", args[0], state)
	}
	return nil
}
