package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// batch is how many items one BatchGetItem returns at most (API reference,
// "BatchGetItem").
const batch = 100

// OpenIncident implements the ledger.
func (t *Table) OpenIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, bool, error) {
	i.Rev = 1
	row, err := incidentRow(i)
	if err != nil {
		return ledger.Incident{}, false, err
	}
	place := key(targetPartition(i.Target), "incident#"+stamp(i.Opened)+"#"+string(i.ID))
	place[attrID] = text(string(i.ID))
	writes := []step{t.stepPutIf(row, absent()), t.stepPut(place)}
	if !i.Phase.Final() {
		writes = append(writes, t.stepPut(openRow(i.ID)))
	}
	err = t.all(ctx, row.text(attrWrite), writes...)
	if refused, ok := errors.AsType[*refusal](err); ok {
		stands, err := read[ledger.Incident](refused.in)
		return stands, false, err
	}
	if err != nil {
		return ledger.Incident{}, false, fmt.Errorf("open %s: %w", i.ID, err)
	}
	return i, true, nil
}

func incidentRow(i ledger.Incident) (item, error) {
	row := incidentKey(i.ID)
	row[attrRev] = number(i.Rev)
	row[attrGeneration] = number(i.Claim.Generation)
	return row.with(i)
}

func openRow(id deploy.Incident) item {
	row := openKey(id)
	row[attrID] = text(string(id))
	return row
}

// Incident implements the ledger.
func (t *Table) Incident(ctx context.Context, id deploy.Incident) (ledger.Incident, error) {
	row, err := t.get(ctx, incidentKey(id))
	if err != nil {
		return ledger.Incident{}, fmt.Errorf("incident %s: %w", id, err)
	}
	return read[ledger.Incident](row)
}

// OpenIncidents implements the ledger.
func (t *Table) OpenIncidents(ctx context.Context) ([]ledger.Incident, error) {
	places, err := t.query(ctx, openPartition, firstKey, lastKey)
	if err != nil {
		return nil, fmt.Errorf("open incidents: %w", err)
	}
	all, err := t.load(ctx, places)
	// One may have been closed after the query.
	return slices.DeleteFunc(all, func(i ledger.Incident) bool { return i.Phase.Final() }), err
}

// IncidentsSince implements the ledger.
func (t *Table) IncidentsSince(ctx context.Context, target deploy.Target, since time.Time) ([]ledger.Incident, error) {
	_, to := beginning("incident#")
	places, err := t.query(ctx, targetPartition(target), "incident#"+stamp(since), to)
	if err != nil {
		return nil, fmt.Errorf("incidents of %s: %w", target, err)
	}
	return t.load(ctx, places)
}

// load returns the incidents that places name, oldest first.
func (t *Table) load(ctx context.Context, places []item) ([]ledger.Incident, error) {
	all, err := loadAll[ledger.Incident](ctx, t, places, incidentKey)
	if err != nil {
		return nil, fmt.Errorf("load incidents: %w", err)
	}
	slices.SortFunc(all, func(a, b ledger.Incident) int {
		return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// loadAll returns the values at the keys that places name.
func loadAll[V any](ctx context.Context, t *Table, places []item, at func(deploy.Incident) item) ([]V, error) {
	var all []V
	for some := range slices.Chunk(places, batch) {
		keys := make([]map[string]ddbtypes.AttributeValue, 0, len(some))
		for _, place := range some {
			keys = append(keys, at(deploy.Incident(place.text(attrID))))
		}
		rows, err := t.batchGet(ctx, keys)
		if err != nil {
			return nil, err
		}
		found, err := readAll[V](rows)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (t *Table) batchGet(ctx context.Context, keys []map[string]ddbtypes.AttributeValue) ([]item, error) {
	wanted := map[string]ddbtypes.KeysAndAttributes{t.name: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	var rows []item
	for attempt := range attempts {
		out, err := t.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
		if err != nil {
			return nil, fmt.Errorf("get items: %w", err)
		}
		for _, row := range out.Responses[t.name] {
			rows = append(rows, row)
		}
		wanted = out.UnprocessedKeys
		if len(wanted) == 0 {
			return rows, nil
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("get items: DynamoDB leaves some unread")
}

// ClaimIncident implements the ledger.
func (t *Table) ClaimIncident(ctx context.Context, id deploy.Incident, owner string, now time.Time, term time.Duration) (ledger.Incident, error) {
	for attempt := range attempts {
		i, err := t.Incident(ctx, id)
		if err != nil {
			return ledger.Incident{}, fmt.Errorf("claim: %w", err)
		}
		if i.Claim.Owner != owner {
			if now.Before(i.Claim.Until) {
				return ledger.Incident{}, fmt.Errorf("claim %s: %w", id, ledger.ErrTaken)
			}
			i.Claim.Owner = owner
			i.Claim.Generation++
		}
		i.Claim.Until = now.Add(term).UTC()
		asRead := condition{"#rev = :rev", item{":rev": number(i.Rev)}}
		i.Rev++
		row, err := incidentRow(i)
		if err != nil {
			return ledger.Incident{}, err
		}
		err = t.put(ctx, row, asRead)
		if err == nil {
			return i, nil
		}
		if _, refused := errors.AsType[*refusal](err); !refused {
			return ledger.Incident{}, fmt.Errorf("claim %s: %w", id, err)
		}
		if err := pause(ctx, attempt); err != nil {
			return ledger.Incident{}, err
		}
	}
	return ledger.Incident{}, fmt.Errorf("claim %s: %w", id, errBusy)
}

// SaveIncident implements the ledger.
func (t *Table) SaveIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, error) {
	asRead := condition{
		"#rev = :rev AND #generation = :generation",
		item{":rev": number(i.Rev), ":generation": number(i.Claim.Generation)},
	}
	i.Rev++
	row, err := incidentRow(i)
	if err != nil {
		return ledger.Incident{}, err
	}
	place := t.stepPut(openRow(i.ID))
	if i.Phase.Final() {
		place = t.stepDelete(openKey(i.ID))
	}
	err = t.all(ctx, row.text(attrWrite), t.stepPutIf(row, asRead), place)
	if _, refused := errors.AsType[*refusal](err); refused {
		return ledger.Incident{}, fmt.Errorf("save %s: %w", i.ID, ledger.ErrFenced)
	}
	if err != nil {
		return ledger.Incident{}, fmt.Errorf("save %s: %w", i.ID, err)
	}
	return i, nil
}
