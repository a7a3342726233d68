package ecs

// Forget lets all timers of the service find nothing to do any more, as if the
// program had ended.
func (s *Service) Forget() {
	for _, c := range s.clusters {
		for _, t := range c.tasks {
			s.w.Stop(t.timer)
		}
		for _, svc := range c.services {
			s.w.Stop(svc.timer)
			s.w.Stop(svc.wake)
			svc.poked = true
			svc.info.Status = nil
		}
	}
}
