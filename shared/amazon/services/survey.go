package services

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// cursor is where a survey goes on: a page of clusters, a cluster on it, a page of
// its services, a service on that.
type cursor struct {
	Clusters string `json:"clusters,omitempty"` // token of the page
	Cluster  int    `json:"cluster,omitempty"`
	Services string `json:"services,omitempty"` // token of the page
	Service  int    `json:"service,omitempty"`
}

func (at cursor) String() string {
	text, err := json.Marshal(at)
	if err != nil {
		return "" // it cannot be: there are only texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(from string) (at cursor, err error) {
	if from == "" {
		return cursor{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(from)
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	if err != nil {
		return cursor{}, fmt.Errorf("survey of services cannot go on from %q: begin again: %w", from, err)
	}
	return at, nil
}

// Survey returns the services that are tagged pullback:enabled=true, a part at a
// time. It costs a call for each 100 clusters, one for each cluster and 100 of its
// services, and one for each ten services. A part describes ten services at
// least if there are any, or it would not get on.
func (c *Client) Survey(ctx context.Context, from string, calls int) (groups []deploy.Group, next string, err error) {
	at, err := parseCursor(from)
	if err != nil {
		return nil, "", err
	}
	s := survey{client: c, at: at, left: calls}
	done, err := s.clusters(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("survey of services: %w", err)
	}
	if done {
		return s.found, "", nil
	}
	return s.found, s.at.String(), nil
}

// survey is one part of a survey.
type survey struct {
	client *Client
	at     cursor
	left   int // calls
	moved  bool
	found  []deploy.Group
}

// spent reports whether the part is over: no calls are left, and it got on.
func (s *survey) spent() bool { return s.left <= 0 && s.moved }

// clusters goes through clusters until the part is over; done says that no more
// are left.
func (s *survey) clusters(ctx context.Context) (done bool, err error) {
	for range maxPages {
		s.left--
		page, err := s.client.api.ListClusters(ctx, &ecs.ListClustersInput{MaxResults: aws.Int32(maxListed), NextToken: token(s.at.Clusters)})
		if err != nil {
			return false, fmt.Errorf("list clusters: %w", err)
		}
		for s.at.Cluster < len(page.ClusterArns) {
			over, err := s.services(ctx, last(&page.ClusterArns[s.at.Cluster]))
			if err != nil {
				return false, err
			}
			if over {
				return false, nil
			}
			s.at.Cluster, s.at.Services, s.at.Service, s.moved = s.at.Cluster+1, "", 0, true
		}
		s.at = cursor{Clusters: aws.ToString(page.NextToken)}
		if s.at.Clusters == "" {
			return true, nil
		}
		if s.spent() {
			return false, nil
		}
	}
	return false, fmt.Errorf("list clusters: %w", errEndless)
}

// services goes through the services of a cluster; over says that the part is.
func (s *survey) services(ctx context.Context, cluster string) (over bool, err error) {
	for range maxPages {
		if s.spent() {
			return true, nil
		}
		s.left--
		page, err := s.client.api.ListServices(ctx, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(maxListed), NextToken: token(s.at.Services)})
		if err = classify(err); errors.Is(err, deploy.ErrUnknown) {
			return false, nil // it is gone since it was listed
		}
		if err != nil {
			return false, fmt.Errorf("list services of cluster %s: %w", cluster, err)
		}
		for s.at.Service < len(page.ServiceArns) {
			if s.spent() {
				return true, nil
			}
			some := page.ServiceArns[s.at.Service:min(s.at.Service+maxServices, len(page.ServiceArns))]
			if err := s.look(ctx, cluster, some); err != nil {
				return false, err
			}
			s.at.Service, s.moved = s.at.Service+len(some), true
		}
		s.at.Services, s.at.Service = aws.ToString(page.NextToken), 0
		if s.at.Services == "" {
			return false, nil
		}
	}
	return false, fmt.Errorf("list services of cluster %s: %w", cluster, errEndless)
}

// look finds the services among some that are opted in.
func (s *survey) look(ctx context.Context, cluster string, some []string) error {
	s.left--
	found, err := s.client.describe(ctx, cluster, slices.Clone(some), ecstypes.ServiceFieldTags)
	if err != nil && !errors.Is(err, deploy.ErrUnknown) {
		return fmt.Errorf("get services of cluster %s: %w", cluster, err)
	}
	for _, svc := range found {
		g := groupOf(deploy.Target{Kind: deploy.KindService, Application: cluster, Group: aws.ToString(svc.ServiceName)}, svc)
		if g.Enabled {
			s.found = append(s.found, g)
		}
	}
	return nil
}

func token(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
