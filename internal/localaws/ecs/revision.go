package ecs

import "strings"

// Revision says which revision of which family runs at an address, as
// "web:2"; empty if no task runs there. With it, requests that went through a
// load balancer can be told apart by what answered them. Call it with the
// world's lock held.
func (s *Service) Revision(ip string) string {
	for _, c := range s.clusters {
		for _, t := range c.tasks {
			if t.ip == ip && t.info.StartedAt != nil && !t.is(stopped) {
				_, name, _ := strings.Cut(t.work.definition.arn(), ":task-definition/")
				return name
			}
		}
	}
	return ""
}
