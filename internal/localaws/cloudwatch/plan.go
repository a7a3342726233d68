package cloudwatch

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// query is one checked MetricDataQuery: a metric or an expression.
type query struct {
	id      string
	label   string
	returns bool

	// of a metric
	key    string
	unit   cwtypes.StandardUnit
	stat   statistic
	period time.Duration

	expression node
}

// plan is a set of queries that may refer to each other.
type plan []query

// newPlan checks queries, including that every expression yields one time
// series out of what the request contains.
func newPlan(queries []cwtypes.MetricDataQuery) (plan, error) {
	p := make(plan, 0, len(queries))
	for i := range queries {
		q, err := newQuery(&queries[i])
		if err != nil {
			return nil, err
		}
		if p.find(q.id) != nil {
			return nil, validation("The values for parameter id in MetricDataQueries are not unique: %s.", q.id)
		}
		p = append(p, q)
	}
	for i := range p {
		if p[i].expression == nil {
			continue
		}
		period, err := p.period(p[i].id)
		if err != nil {
			return nil, err
		}
		if _, err := p.line(&p[i], grid{period: period, n: 1}, emptyRow); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func emptyRow(_ *query, g grid) []summary { return make([]summary, g.n) }

func newQuery(in *cwtypes.MetricDataQuery) (query, error) {
	q := query{id: aws.ToString(in.Id), label: aws.ToString(in.Label), returns: in.ReturnData == nil || *in.ReturnData}
	switch {
	case !validID(q.id):
		return q, validation("The value %q for parameter Id is invalid: it must start with a lower-case letter and contain only letters, digits and underscores.", q.id)
	case in.AccountId != nil:
		return q, unsupported("AccountId of query " + q.id)
	case strings.Contains(q.label, "${"):
		return q, unsupported("A dynamic label, as in query " + q.id + ",")
	case (in.Expression == nil) == (in.MetricStat == nil):
		return q, validation("Exactly one of Expression and MetricStat is required in query %s.", q.id)
	case in.Expression != nil:
		return q.withExpression(*in.Expression)
	case in.Period != nil:
		return q, validation("Period of query %s belongs into its MetricStat.", q.id)
	}
	return q.withMetric(in.MetricStat)
}

func validID(id string) bool {
	for i, r := range id {
		switch {
		case r >= 'a' && r <= 'z':
		case i > 0 && (r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'):
		default:
			return false
		}
	}
	return id != ""
}

func (q query) withExpression(text string) (query, error) {
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(text)), "SELECT ") {
		return q, unsupported("A Metrics Insights query, as in " + q.id + ",")
	}
	var err error
	q.expression, err = parseMath(text)
	if q.label == "" {
		q.label = q.id
	}
	return q, err
}

func (q query) withMetric(m *cwtypes.MetricStat) (query, error) {
	if m.Metric == nil || aws.ToString(m.Metric.MetricName) == "" || aws.ToString(m.Metric.Namespace) == "" {
		return q, required("MetricStat.Metric of query " + q.id)
	}
	if err := checkDimensions(m.Metric.Dimensions); err != nil {
		return q, err
	}
	period, err := parsePeriod(m.Period)
	if err != nil {
		return q, err
	}
	stat, err := parseStatistic(aws.ToString(m.Stat))
	if err != nil {
		return q, err
	}
	q.key = seriesKey(*m.Metric.Namespace, *m.Metric.MetricName, m.Metric.Dimensions)
	q.unit, q.stat, q.period = m.Unit, stat, period
	if q.label == "" {
		q.label = *m.Metric.MetricName
	}
	return q, nil
}

// parsePeriod accepts 1, 5, 10, 20, 30 and multiples of 60 seconds (API
// reference, MetricStat).
func parsePeriod(seconds *int32) (time.Duration, error) {
	p := aws.ToInt32(seconds)
	if p <= 0 || p%60 != 0 && !slices.Contains([]int32{1, 5, 10, 20, 30}, p) {
		return 0, invalid("The value %d for parameter Period is invalid: it must be 1, 5, 10, 20, 30 or a multiple of 60.", p)
	}
	return time.Duration(p) * time.Second, nil
}

func (p plan) find(id string) *query {
	for i := range p {
		if p[i].id == id {
			return &p[i]
		}
	}
	return nil
}

// period is the period of all metrics of the request that an expression can
// see. Expressions over several periods are refused.
func (p plan) period(id string) (time.Duration, error) {
	var period time.Duration
	for i := range p {
		switch q := &p[i]; {
		case q.expression != nil:
		case period == 0:
			period = q.period
		case period != q.period:
			return 0, unsupported("Expression " + id + " together with metrics of different periods")
		}
	}
	if period == 0 {
		return 0, validation("Expression %s needs at least one metric.", id)
	}
	return period, nil
}

// line computes a query along a grid.
func (p plan) line(q *query, g grid, read func(q *query, g grid) []summary) (line, error) {
	v, err := p.eval(q, g, read, nil)
	if err != nil {
		return nil, err
	}
	if v.kind != lineKind {
		return nil, validation("The expression of %s must yield exactly one time series in the local CloudWatch.", q.id)
	}
	return v.lines[0], nil
}

func (p plan) eval(q *query, g grid, read func(q *query, g grid) []summary, path []string) (operand, error) {
	if q.expression == nil {
		row := make(line, g.n)
		for i, s := range read(q, g) {
			row[i] = q.stat.of(s)
		}
		return lineOf(row), nil
	}
	if slices.Contains(path, q.id) {
		return operand{}, validation("Expression %s refers to itself.", q.id)
	}
	path = append(slices.Clone(path), q.id)
	return q.expression.eval(scope{
		points: g.n, grid: g,
		look: func(id string) (operand, error) {
			other := p.find(id)
			if other == nil {
				return operand{}, validation("Expression %s refers to %s, which does not exist.", q.id, id)
			}
			return p.eval(other, g, read, path)
		},
		metrics: func(containing string) []operand {
			var all []operand
			for i := range p {
				if p[i].expression == nil && strings.Contains(p[i].id, containing) {
					if v, err := p.eval(&p[i], g, read, path); err == nil {
						all = append(all, v)
					}
				}
			}
			return all
		},
	})
}

// read is how a plan reads the service's metrics.
func (s *Service) read(q *query, g grid) []summary { return s.summaries(q.key, q.unit, g) }
