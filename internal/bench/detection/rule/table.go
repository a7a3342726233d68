package rule

// Table is all rules, in the order in which they are shown.
func Table() []Rule {
	var all []Rule
	for _, part := range [][]Rule{ours(), vetoes(), oracles(), peers(), tuned()} {
		all = append(all, part...)
	}
	return all
}

// The names of the rules that others are measured against.
const (
	SeedAlarm  = "seed alarm"
	LimitSixty = "limit @60s"
	LimitTen   = "limit @10s"
	LimitOne   = "limit @1s"
)

func oracles() []Rule {
	limit := func(name, about string, p Plane, two bool) Rule {
		return Rule{Name: name, About: about, Family: Oracle, Plane: p, New: func(Setting) (Judge, error) { return &oracle{two: two}, nil }}
	}
	return []Rule{
		limit("limit p0 known", "knows the old version's error rate, too, and sees every second at once", seconds(), false),
		limit(LimitOne, "the limit of all that must not react to what befalls both versions; sees every second at once", seconds(), true),
		limit(LimitTen, "the same limit on points of 10 s", tens(), true),
		limit(LimitSixty, "the same limit on points of a minute", minutes(), true),
	}
}

func always(j func() Judge) func(Setting) (Judge, error) {
	return func(Setting) (Judge, error) { return j(), nil }
}

// peers are rules with thresholds that their documentation gives.
func peers() []Rule {
	const five, one = 0.05, 0.01
	return []Rule{
		{
			Name: SeedAlarm, About: "errors of both versions together above 5 % in two minutes in a row", Family: Peer, Plane: minutes(),
			New: always(func() Judge { return &alarm{threshold: five, points: 2, blended: true} }),
		},
		{
			Name: "seed post-traffic", About: "the new version's errors above 1 % in the last ten minutes, looked at once", Family: Peer, Plane: minutes(),
			New: always(func() Judge { return &postTraffic{threshold: one} }),
		},
		{
			Name: "alarm 5% 2x60", About: "the new version's errors above 5 % in two minutes in a row", Family: Peer, Plane: minutes(),
			New: always(func() Judge { return &alarm{threshold: five, points: 2} }),
		},
		// fluxcd/flagger, pkg/controller/scheduler_metrics.go: a minute below the
		// threshold or without values is a failed check; five of them roll back.
		{
			Name: "Flagger", About: "five minutes with less than 99 % success, or without requests", Family: Peer, Plane: minutes(),
			New: always(func() Judge { return &checks{threshold: one, failures: 5, missing: true} }),
		},
		// argoproj/argo-rollouts, docs/features/analysis.md: success of 95 % or
		// more, failureLimit 3: the fourth failure is one too many.
		{
			Name: "Argo Rollouts", About: "more than three minutes with less than 95 % success", Family: Peer, Plane: minutes(),
			New: always(func() Judge { return &checks{threshold: five, failures: 4} }),
		},
		{
			Name: "Kayenta", About: "Mann-Whitney test on the minutes' error rates, every five minutes", Family: Peer, Plane: minutes(),
			New: always(func() Judge { return new(kayenta) }),
		},
	}
}

// tuned are alarms whose threshold is chosen for each cell on deployments in
// which nothing happens, so that one in a hundred is rolled back: the best that
// an operator with perfect knowledge of the past could do.
func tuned() []Rule {
	tunedAlarm := func(name string, p Plane, row int) Rule {
		return Rule{
			Name: name, About: "the new version's errors above a threshold tuned for this service", Family: Tuned, Plane: p, Score: alarmScore(row),
			New: func(s Setting) (Judge, error) { return &alarm{threshold: s.Threshold, points: row}, nil },
		}
	}
	const failures = 5
	return []Rule{
		tunedAlarm("tuned alarm 1x60", minutes(), 1), tunedAlarm("tuned alarm 2x60", minutes(), 2), tunedAlarm("tuned alarm 3x60", minutes(), 3),
		tunedAlarm("tuned alarm 1x10", tens(), 1), tunedAlarm("tuned alarm 3x10", tens(), 3), tunedAlarm("tuned alarm 6x10", tens(), 6),
		{
			Name: "tuned Flagger", About: "five minutes with errors above a threshold tuned for this service", Family: Tuned, Plane: minutes(), Score: checksScore(failures),
			New: func(s Setting) (Judge, error) { return &checks{threshold: s.Threshold, failures: failures}, nil },
		},
	}
}
